"""The public status is a table from (wanted, observed), and secrets do not show."""

import dataclasses
import itertools

import pytest

from tests.unit.domain.samples import NOW, SECRETS, SPEC, environment
from tradewind.domain.environments import Change, ChangeState, Phase, Status, Target, status_of

# GONE is reached by what is wanted ABSENT only: forgetting is the last step of a deletion.
REACHABLE = [pair for pair in itertools.product(Target, Phase) if pair != (Target.PRESENT, Phase.GONE)]


@pytest.mark.parametrize(("target", "phase"), REACHABLE)
def test_every_reachable_pair_has_a_status(target, phase):
    assert isinstance(status_of(target, phase), Status)


def test_a_pair_that_cannot_be_is_not_made_up():
    with pytest.raises(KeyError):
        status_of(Target.PRESENT, Phase.GONE)


@pytest.mark.parametrize(
    ("target", "phase", "status"),
    [
        (Target.PRESENT, Phase.NEW, "CREATING"),
        (Target.PRESENT, Phase.PROVISIONING, "CREATING"),
        (Target.PRESENT, Phase.READY, "AVAILABLE"),
        (Target.PRESENT, Phase.CHANGING, "UPDATING"),
        (Target.PRESENT, Phase.RETURNING, "ROLLING_BACK"),
        (Target.PRESENT, Phase.REFUSED, "CREATE_FAILED"),
        (Target.ABSENT, Phase.NEW, "DELETING"),
        (Target.ABSENT, Phase.READY, "DELETING"),
        (Target.ABSENT, Phase.REFUSED, "DELETING"),
        (Target.ABSENT, Phase.GONE, "DELETED"),
    ],
)
def test_the_words_are_mwaas(target, phase, status):
    assert environment(target=target, phase=phase).status.value == status


def test_no_secret_is_in_a_repr():
    shown = repr(environment()) + repr(SECRETS)
    for secret in dataclasses.astuple(SECRETS):
        assert secret not in shown


def test_a_ready_one_shows_its_update():
    failed = Change("UPDATE", ChangeState.FAILED, NOW)
    assert environment(asked=SPEC).status is Status.UPDATING
    assert environment(asked=SPEC, change=failed).status is Status.UPDATING, "the next one"
    assert environment(change=failed).status is Status.UPDATE_FAILED
    assert environment(change=dataclasses.replace(failed, kind="CREATE")).status is Status.AVAILABLE
    assert environment(asked=SPEC, target=Target.ABSENT).status is Status.DELETING


def test_what_comes_is_the_environment_as_it_is_asked_for():
    wanted = dataclasses.replace(SPEC, max_workers=11)
    coming = environment(asked=wanted, generation=5, revision=3).coming
    assert (coming.spec, coming.revision, coming.asked) == (wanted, 5, None)
    at_rest = environment()
    assert at_rest.coming is at_rest
