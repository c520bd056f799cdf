"""What `update` asks the API for."""

import dataclasses
from pathlib import Path

import pytest

from tests.unit.cli.test_cli_following import seen, watch
from tradewind.cli.failures import Failure
from tradewind.cli.following import until_tried, until_updated
from tradewind.cli.progress import Progress
from tradewind.cli.updating import Changes, request_for, told

IN_FORCE = {"AirflowConfigurationOptions": {"core.a": "1", "core.b": "2"}}


def changes(**named):
    nothing = dict.fromkeys(("environment_class", "min_workers", "max_workers", "schedulers"))
    return Changes(**({"name": "etl", "options": (), "without": (), "artefacts": {}} | nothing | named))


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ({}, {}),
        ({"max_workers": 3}, {"MaxWorkers": 3}),
        ({"environment_class": "mw1.small", "schedulers": 2}, {"EnvironmentClass": "mw1.small", "Schedulers": 2}),
        ({"artefacts": {"RequirementsS3Path": Path("my.txt"), "PluginsS3Path": Path("my.zip")}},
         {"RequirementsS3Path": "requirements.txt", "RequirementsS3ObjectVersion": "",
          "PluginsS3Path": "plugins.zip", "PluginsS3ObjectVersion": ""}),
        ({"artefacts": {"StartupScriptS3Path": Path("my.sh")}, "is_dry_run": True},
         {"StartupScriptS3Path": "tradewind-dry-run/startup.sh", "StartupScriptS3ObjectVersion": ""}),
        ({"is_graceful": True, "min_workers": 2}, {"WorkerReplacementStrategy": "GRACEFUL", "MinWorkers": 2}),
        ({"options": ("core.b=3", "core.c=4")},
         {"AirflowConfigurationOptions": {"core.a": "1", "core.b": "3", "core.c": "4"}}),
        ({"without": ("core.a",)}, {"AirflowConfigurationOptions": {"core.b": "2"}}),
        ({"without": ("core.a", "core.b")}, {"AirflowConfigurationOptions": {}}),
    ],
)  # fmt: skip
def test_only_what_changes_is_asked_for(named, asked):
    assert request_for(changes(**named), IN_FORCE) == {"Name": "etl", **asked}


def test_an_option_that_is_not_there_cannot_be_taken_away():
    with pytest.raises(Failure, match=r"cannot take core\.x away: etl has no such option"):
        request_for(changes(without=("core.x",)), IN_FORCE)


def test_it_is_followed_to_its_end():
    found = watch(seen("UPDATING"), seen("UPDATING", ("processes", 1.0)), seen("AVAILABLE", ("processes", 1.0)))
    assert until_updated(found, "etl", Progress()).status == "AVAILABLE"


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (seen("UPDATE_FAILED", error="cannot resolve it"), "cannot update etl: cannot resolve it"),
        (seen("DELETING"), "cannot update etl: it was deleted meanwhile"),
        (None, "cannot update etl: it was deleted meanwhile"),
    ],
)
def test_what_is_not_in_force_is_a_failure(last, words):
    found = watch(seen("UPDATING"), seen("ROLLING_BACK"), last)
    with pytest.raises(Failure, match=words):
        until_updated(found, "etl", Progress())


REPORT = {"restarts": ["scheduler-1", "worker-1"], "starts": [], "stops": ["worker-2"], "tasks": 2, "graceful": False,
          "seconds": 7.4}  # fmt: skip


def tried(state, number=3, **more):
    return dataclasses.replace(seen("AVAILABLE"), trial={"number": number, "state": state, "error": "", **more})


def test_a_dry_run_is_followed_to_its_report():
    found = watch(tried("DONE", 2, report={}), tried("PENDING"), tried("DONE", report=REPORT))
    found.look()
    assert until_tried(found, "etl", 3, Progress()) == REPORT


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (tried("FAILED", error="cannot resolve it"), "cannot update etl: cannot resolve it"),
        (tried("LEFT"), "cannot update etl: something else was asked for meanwhile"),
        (tried("PENDING", 4), "cannot try the update of etl: something else was asked for meanwhile"),
        (None, "cannot try the update of etl: something else was asked for meanwhile"),
    ],
)
def test_a_dry_run_that_fails_says_why(last, words):
    with pytest.raises(Failure, match=words):
        until_tried(watch(tried("PENDING"), last), "etl", 3, Progress())


def test_a_change_plan_in_words():
    assert told(REPORT) == [
        "It would work.",
        "  would restart  scheduler-1, worker-1",
        "  would stop     worker-2",
        "  tasks          2 running tasks would end; --graceful would let them finish",
        "  seconds        about 7",
    ]
    assert told(REPORT | {"tasks": 0})[3].endswith("no running task would end")
    assert "go on" in told(REPORT | {"graceful": True})[3]
    assert told(REPORT | {"restarts": [], "stops": []}) == ["It would work. No process would restart."]
