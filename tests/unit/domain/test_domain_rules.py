"""Each rule that one member alone cannot break says its sentence, and says nothing at its bounds."""

import dataclasses

import pytest

from tests.unit.domain.samples import SPEC
from tradewind.domain.rules import FORBIDDEN_OPTIONS, Sizes, violations

CLASSES = {
    "mw1.micro": Sizes(schedulers=(1, 1), workers=(1, 1), webservers=(1, 1)),
    "mw1.small": Sizes(schedulers=(2, 5), workers=(1, 25), webservers=(2, 5)),
}
VERSIONS = ("3.1.7", "3.2.1", "3.3.1")
ALL = "3.1.7, 3.2.1, 3.3.1"
OPTION = "The Airflow configuration option"


def problems(**changes):
    return violations(dataclasses.replace(SPEC, **changes), CLASSES, VERSIONS)


def test_a_plain_spec_breaks_none():
    assert problems() == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"airflow_version": "2.9.2"}, f"Airflow version 2.9.2 is not supported. Supported versions: {ALL}."),
        (
            {"environment_class": "mw1.huge"},
            "Environment class mw1.huge is not supported. Supported classes: mw1.micro, mw1.small.",
        ),
        ({"min_workers": 5, "max_workers": 4}, "MinWorkers (5) must not be greater than MaxWorkers (4)."),
        ({"min_webservers": 4, "max_webservers": 3}, "MinWebservers (4) must not be greater than MaxWebservers (3)."),
        ({"schedulers": 1}, "Schedulers (1) must be between 2 and 5 for environment class mw1.small."),
        ({"schedulers": 6}, "Schedulers (6) must be between 2 and 5 for environment class mw1.small."),
        ({"max_workers": 26}, "MaxWorkers (26) must be between 1 and 25 for environment class mw1.small."),
        ({"min_webservers": 1}, "MinWebservers (1) must be between 2 and 5 for environment class mw1.small."),
        ({"max_webservers": 6}, "MaxWebservers (6) must be between 2 and 5 for environment class mw1.small."),
        (
            {"airflow_configuration_options": {"parallelism": "1"}},
            f"{OPTION} parallelism must be of the form section.key.",
        ),
        (
            {"airflow_configuration_options": {"tradewind.engine": "turbo"}},
            f"{OPTION} tradewind.engine must be one of tradewind, stock.",
        ),
        (
            {"airflow_configuration_options": {"tradewind.zygotes": "yes"}},
            f"{OPTION} tradewind.zygotes must be one of auto, off, eager.",
        ),
        (
            {"airflow_configuration_options": {"tradewind.engine": "stock", "tradewind.zygotes": "auto"}},
            f"{OPTION} tradewind.zygotes needs tradewind.engine = tradewind.",
        ),
        *(
            ({"airflow_configuration_options": {option: given}}, f"{OPTION} {option} must be a JSON object.")
            for option in ("sdk.coordinators", "sdk.queue_to_coordinator")
            for given in ("{", "[]", "", "[" * 60_000)
        ),
        ({"airflow_configuration_options": {"core.multi_team": "True"}}, f"{OPTION} core.multi_team is not supported."),
        (
            {"webserver_access_mode": "PUBLIC_AND_PRIVATE", "airflow_version": "3.1.7"},
            "WebserverAccessMode PUBLIC_AND_PRIVATE needs Airflow 3.2 or newer.",
        ),
    ],
)
def test_a_broken_rule_says_its_sentence_alone(changes, sentence):
    assert problems(**changes) == (sentence,)


def test_a_minimum_above_the_class_breaks_two_bounds():
    said = problems(min_workers=26, max_workers=26)
    assert [sentence.split(" ")[0] for sentence in said] == ["MinWorkers", "MaxWorkers"]


def test_micro_takes_one_of_everything():
    ones = dict.fromkeys(("min_workers", "max_workers", "schedulers", "min_webservers", "max_webservers"), 1)
    assert problems(environment_class="mw1.micro", **ones) == ()
    assert problems(environment_class="mw1.micro", **(ones | {"max_workers": 2})) == (
        "MaxWorkers (2) must be 1 for environment class mw1.micro.",
    )


@pytest.mark.parametrize("version", ["3.2.1", "3.3.1"])
def test_public_and_private_is_there_from_3_2_on(version):
    assert problems(webserver_access_mode="PUBLIC_AND_PRIVATE", airflow_version=version) == ()


@pytest.mark.parametrize(
    "members", [{"min_workers": 1, "max_workers": 25}, {"schedulers": 5}, {"min_webservers": 5, "max_webservers": 5}]
)
def test_bounds_themselves_are_fine(members):
    assert problems(**members) == ()


def test_an_unknown_class_still_tells_what_can_be_told():
    said = problems(environment_class="x", min_workers=9, max_workers=1, airflow_version="1.0")
    assert len(said) == 3


@pytest.mark.parametrize("option", FORBIDDEN_OPTIONS)
def test_forbidden_options_are_named(option):
    assert any(option in sentence for sentence in problems(airflow_configuration_options={option: "x", "core.a": "b"}))
