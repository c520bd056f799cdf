"""Environments of an earlier release are promised the port that they lack, once."""

from types import SimpleNamespace

import pytest

from tests.unit.domain.samples import environment
from tradewind.domain.environments import Ports, Target
from tradewind.reconcile import ports
from tradewind.reconcile.ports import with_ports


@pytest.fixture
def promised(monkeypatch):
    """What was written down; the store answers what another control plane wrote first, if it did."""
    found = []

    def promise(engine, id_, port):
        found.append((engine, id_, port))
        return Ports(1, 2, port)

    monkeypatch.setattr(ports, "promise_credentials_port", promise)
    return found


def hands(taken):
    return SimpleNamespace(environments=SimpleNamespace(engine="engine", ports_in_use=lambda: taken))


def test_a_port_is_promised_where_there_is_none(promised):
    old = environment(ports=Ports(1, 2))
    made = with_ports(hands({0, 1, 2}), old)
    assert promised == [("engine", old.id, made.ports.credentials)]
    assert made.ports.credentials not in {0, 1, 2}


@pytest.mark.parametrize("of", [environment(), environment(ports=Ports(1, 2), target=Target.ABSENT)])
def test_what_has_one_or_is_to_go_stays_as_it_is(promised, of):
    assert with_ports(hands(set()), of) is of
    assert promised == []
