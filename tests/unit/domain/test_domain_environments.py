"""The public status is a table from (wanted, observed), and secrets do not show."""

import dataclasses
import itertools

import pytest

from tests.unit.domain.samples import SECRETS, environment
from tradewind.domain.environments import Phase, Status, Target, status_of

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
