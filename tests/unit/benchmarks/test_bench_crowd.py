"""Environments that are only rows look like those that CreateEnvironment makes."""

from benchmarks.crowd import made
from tradewind.domain.environments import Phase, Target
from tradewind.domain.rules import violations
from tradewind.domain.specs import Spec
from tradewind.recipe.sizes import classes
from tradewind.recipe.versions import versions


def test_a_row_is_a_complete_environment_that_may_be_tried():
    found = made(7, set())
    assert found.name == "bench-00007"
    assert (found.target, found.phase, found.generation) == (Target.PRESENT, Phase.NEW, 1)
    assert violations(found.spec, classes(), tuple(versions())) == ()
    assert Spec.from_json(found.spec.to_json()) == found.spec


def test_ports_and_addresses_differ():
    first = made(0, set())
    second = made(1, {first.address})
    assert first.address != second.address
    assert len({first.ports.api, first.ports.broker, second.ports.api, second.ports.broker}) == 4
