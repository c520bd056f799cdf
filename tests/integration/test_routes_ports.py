"""Ports on this machine as they are: what may be bound, and who holds what."""

import os
import socket

import psutil
import pytest

from tradewind.domain.errors import CannotStart
from tradewind.routes.hosts import allocate_address, can_bind, free_port, port_holder


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_listened_on_cannot_be_had(taken):
    assert not can_bind("127.0.0.1", taken)
    assert free_port(taken) != taken


def test_a_port_that_is_shared_counts_as_taken():
    """Caddy listens with SO_REUSEPORT: a second one of the same user would get half of the connections."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as server:
        assert not can_bind("127.0.0.1", server.getsockname()[1])


def test_a_port_that_was_just_given_back_can_be_had():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        connection, _ = server.accept()
        connection.close()  # the server's side closes first and lingers in TIME_WAIT
        client.close()
    assert can_bind("127.0.0.1", port)


def test_the_holder_of_a_named_port_is_named(taken):
    name = psutil.Process().name()
    assert port_holder(taken) == f"{name}, process {os.getpid()}"
    with pytest.raises(CannotStart) as error:
        free_port(taken, named=True)
    assert str(error.value) == (f"cannot listen on 127.0.0.1 port {taken}: {name}, process {os.getpid()} listens on it")


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux answers on the whole of 127.0.0.0/8")
def test_addresses_that_are_allocated_can_be_listened_on():
    addresses: set[str] = set()
    for number in range(20):
        address = allocate_address(addresses, f"environment {number}")
        addresses.add(address)
        assert can_bind(address, free_port(20443, address=address))


def test_an_address_of_another_machine_cannot_be_had():
    assert not can_bind("192.0.2.1", 8443)
