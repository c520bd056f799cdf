"""Where a request came in, and which environments it may reach from there."""

import pytest

from tradewind.routes.hosts import HostPlan, Side, sides
from tradewind.routes.listening import came_in, is_barred

HEADER = "x-tradewind-listener"


@pytest.mark.parametrize(
    ("headers", "side"),
    [
        ({HEADER: "private"}, Side.PRIVATE),
        ({HEADER: "public"}, Side.PUBLIC),
        ({}, Side.PUBLIC),
        ({HEADER: "PRIVATE"}, Side.PUBLIC),
        ({HEADER: "private, private"}, Side.PUBLIC),
        ({HEADER: ""}, Side.PUBLIC),
    ],
)
def test_only_the_proxys_own_word_makes_a_request_private(headers, side):
    assert came_in(headers) is side


@pytest.mark.parametrize(
    ("mode", "from_private", "from_public"),
    [("PRIVATE_ONLY", False, True), ("PUBLIC_ONLY", False, False), ("PUBLIC_AND_PRIVATE", False, False)],
)
def test_only_a_private_environment_is_barred_and_only_from_outside(mode, from_private, from_public):
    assert is_barred(mode, {HEADER: "private"}) is from_private
    assert is_barred(mode, {HEADER: "public"}) is from_public


def test_every_access_mode_has_its_sides():
    assert sides("PUBLIC_AND_PRIVATE") == {Side.PRIVATE, Side.PUBLIC}
    with pytest.raises(KeyError):
        sides("NEITHER")


@pytest.mark.parametrize(
    ("private", "public", "mode", "address", "entrance"),
    [
        ("127.0.0.1", None, "PUBLIC_ONLY", None, "127.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "PRIVATE_ONLY", None, "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "PUBLIC_ONLY", None, "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1", "PUBLIC_AND_PRIVATE", None, "10.0.0.1"),
        ("0.0.0.0", None, "PRIVATE_ONLY", None, "127.0.0.1"),
        ("10.0.0.1", "0.0.0.0", "PUBLIC_ONLY", None, "127.0.0.2"),
        ("127.0.0.2", "0.0.0.0", "PUBLIC_ONLY", None, "127.0.0.3"),
        ("127.0.0.1", "0.0.0.0", "PRIVATE_ONLY", None, "127.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "PUBLIC_ONLY", "127.70.1.2", "127.70.1.2"),
    ],
)
def test_where_this_machine_asks_for_an_environments_host(private, public, mode, address, entrance):
    plan = HostPlan("r", "x.org", address is None, 443, private, public)
    assert plan.entrance(mode, address) == entrance
