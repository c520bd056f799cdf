"""How environments are named, given what a machine can do; and ports. Sockets and resolvers are stand-ins."""

import errno
import ipaddress
import socket
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.errors import CannotStart
from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes import hosts
from tradewind.routes.hosts import Host, HostPlan, allocate_address, free_port, plan_hosts, probe_resolution

ID = EnvironmentId("abcdefghijkm")


class Machine:
    """A machine on which some ports are taken and some may not be had."""

    def __init__(self, monkeypatch, taken=(), forbidden_below=0, missing=()):
        self.taken, self.forbidden_below, self.missing = set(taken), forbidden_below, set(missing)
        self.probed = []
        monkeypatch.setattr(hosts, "_obstacle", self._obstacle)
        monkeypatch.setattr(hosts, "port_holder", lambda port: "nginx, process 4711" if port == 443 else None)

    def _obstacle(self, address, port):
        self.probed.append((address, port))
        if address in self.missing:
            return OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        if 0 < port < self.forbidden_below:
            return PermissionError(errno.EACCES, "Permission denied")
        return OSError(errno.EADDRINUSE, "Address already in use") if port in self.taken else None


def resolver(monkeypatch, *addresses):
    asked = []

    def getaddrinfo(name, port, **_):
        asked.append(name)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(hosts.socket, "getaddrinfo", getaddrinfo)
    return asked


def test_where_names_resolve_an_environment_has_a_name():
    plan = HostPlan("us-east-1", "airflow.localhost", names_resolve=True, port=443)
    assert plan.host(ID) == Host("abcdefghijkm.us-east-1.airflow.localhost", 443, None)
    assert plan.host(ID).authority == "abcdefghijkm.us-east-1.airflow.localhost"
    assert not plan.needs_address


def test_where_they_do_not_it_has_an_address_of_its_own():
    plan = HostPlan("us-east-1", "localhost", names_resolve=False, port=443)
    assert plan.needs_address
    assert plan.host(ID, "127.70.0.1") == Host("127.70.0.1", 443, "127.70.0.1")
    assert plan.host(ID, "127.70.0.1").authority == "127.70.0.1"
    with pytest.raises(ValueError, match="environment abcdefghijkm needs an address"):
        plan.host(ID)


def test_a_port_is_named_only_where_it_is_not_443():
    plan = HostPlan("us-east-1", "localhost", names_resolve=False, port=8443)
    assert plan.host(ID, "127.70.0.1").authority == "127.70.0.1:8443"


@pytest.mark.parametrize(
    ("addresses", "forbidden_below", "plan"),
    [
        ([], 0, HostPlan("r", "localhost", names_resolve=False, port=443)),
        ([], 1024, HostPlan("r", "localhost", names_resolve=False, port=8443)),
        (["127.0.0.1"], 0, HostPlan("r", "localhost", names_resolve=True, port=443)),
        (["127.0.0.1", "::1"], 1024, HostPlan("r", "localhost", names_resolve=True, port=8443)),
    ],
)
def test_the_plan_follows_from_the_machine(monkeypatch, addresses, forbidden_below, plan):
    machine = Machine(monkeypatch, forbidden_below=forbidden_below)
    resolver(monkeypatch, *addresses)
    assert plan_hosts("r", "localhost", 8443) == plan
    assert machine.probed[-1][0] == "127.0.0.1" if addresses else machine.probed[-1][0] != "127.0.0.1"


def test_names_that_lead_to_another_machine_are_not_ours(monkeypatch):
    Machine(monkeypatch, missing={"203.0.113.7"})
    resolver(monkeypatch, "127.0.0.1", "203.0.113.7")
    assert not probe_resolution("example.org")


def test_names_that_lead_to_this_machines_own_address_are(monkeypatch):
    Machine(monkeypatch)
    resolver(monkeypatch, "203.0.113.7", "fe80::1%eth0")
    assert probe_resolution("example.org")


def test_the_probe_asks_for_a_name_that_nobody_wrote_down(monkeypatch):
    asked = resolver(monkeypatch, "127.0.0.1")
    assert probe_resolution("localhost")
    assert probe_resolution("localhost")
    assert len(set(asked)) == 2
    assert all(name.endswith(".localhost") for name in asked)


def test_a_resolver_that_hangs_resolves_nothing(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(hosts.socket, "getaddrinfo", lambda *_, **__: released.wait(10) and [])
    assert not probe_resolution("localhost", timeout=0)
    released.set()


@pytest.mark.parametrize("domain", ["", ".", "a" * 300, "é..é"])
def test_a_domain_that_is_none_resolves_nothing(monkeypatch, domain):
    def getaddrinfo(name, *_, **__):
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(hosts.socket, "getaddrinfo", getaddrinfo)
    assert not probe_resolution(domain)


@given(st.lists(st.text(max_size=20), unique=True, min_size=1, max_size=200))
def test_addresses_are_unique_and_far_from_those_in_use(seeds):
    taken: set[str] = set()
    for seed in seeds:
        address = allocate_address(taken, seed)
        assert address not in taken
        taken.add(address)
    for address in map(ipaddress.IPv4Address, taken):
        assert address in ipaddress.IPv4Network("127.64.0.0/10")
        assert 0 < int(address) % 256 < 255


def test_an_address_follows_from_the_seed_and_moves_only_when_it_is_taken():
    first = allocate_address((), "abcdefghijkm")
    assert first == allocate_address(("127.99.1.1",), "abcdefghijkm")
    assert first != allocate_address((first,), "abcdefghijkm")


class EveryAddressIsTaken:
    def __contains__(self, _):
        return True


def test_when_every_address_is_taken_it_is_said(monkeypatch):
    monkeypatch.setattr(hosts, "_ALLOCATIONS", 50)
    with pytest.raises(CannotStart, match="loopback addresses are used up"):
        allocate_address(EveryAddressIsTaken(), "x")


def test_a_free_port_is_taken_as_preferred(monkeypatch):
    Machine(monkeypatch, taken={8081})
    assert free_port(8080) == 8080


def test_the_next_free_port_is_taken_when_none_was_named(monkeypatch):
    Machine(monkeypatch, taken={8080, 8081})
    assert free_port(8080) == 8082


def test_a_named_port_that_is_taken_is_named_with_its_holder(monkeypatch):
    Machine(monkeypatch, taken={443, 8080})
    with pytest.raises(CannotStart) as error:
        free_port(443, named=True)
    assert str(error.value) == "cannot listen on 127.0.0.1 port 443: nginx, process 4711 listens on it"
    with pytest.raises(CannotStart, match="port 8080: another process listens on it"):
        free_port(8080, named=True)


def test_a_named_port_that_is_not_for_this_user_is_said_so(monkeypatch):
    Machine(monkeypatch, forbidden_below=1024)
    with pytest.raises(CannotStart, match="port 443: this user may not listen on it"):
        free_port(443, named=True)


def test_an_address_that_the_machine_does_not_have_is_said_so(monkeypatch):
    Machine(monkeypatch, missing={"127.70.0.1"})
    with pytest.raises(CannotStart, match=r"127\.70\.0\.1 port 8080: this machine does not have that address"):
        free_port(8080, named=True, address="127.70.0.1")


def test_the_search_for_a_port_ends(monkeypatch):
    Machine(monkeypatch, taken=range(1, 65536))
    with pytest.raises(CannotStart, match="cannot find a free port"):
        free_port(8080)
    with pytest.raises(CannotStart, match="cannot find a free port"):
        free_port(65535)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_said_so(port):
    with pytest.raises(CannotStart, match="a port is a number from 1 to 65535"):
        free_port(port)


def test_the_holder_of_a_port_is_unknown_where_nothing_may_be_seen(monkeypatch):
    def connections(_):
        raise hosts.psutil.AccessDenied

    monkeypatch.setattr(hosts.psutil, "net_connections", connections)
    assert hosts.port_holder(80) is None
    hidden = SimpleNamespace(status="LISTEN", laddr=SimpleNamespace(port=80), pid=None)
    monkeypatch.setattr(hosts.psutil, "net_connections", lambda _: [hidden])
    assert hosts.port_holder(80) is None
