"""UpdateEnvironment through the whole chain, with a store in memory: what is merged, and what is refused."""

import dataclasses
import json

import pytest

from tests.unit.api.doubles import PLACE, call, refusal, services
from tests.unit.domain.samples import NOW, SPEC, environment
from tradewind.api.operations.update import merged
from tradewind.domain.environments import Change, ChangeState, Phase, Target, Trial, TrialState
from tradewind.domain.specs import ModuleLogging

FAILED = Change("UPDATE", ChangeState.FAILED, NOW, "INCORRECT_CONFIGURATION", "cannot")


def update(working, **members):
    return call(working, "PATCH", "/environments/sample", members)


def asked(before, **members):
    working = services(before)
    response = update(working, **members)
    assert response.status == 200, response.body
    assert json.loads(response.body) == {"Arn": PLACE.environment("sample")}
    return working.environments.find("sample").asked


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        ({}, {}),
        ({"MaxWorkers": 12}, {"max_workers": 12}),
        ({"ExecutionRoleArn": "arn:aws:iam::1:role/other".replace("1:", "222222222222:")},
         {"execution_role_arn": "arn:aws:iam::222222222222:role/other"}),
        ({"NetworkConfiguration": {"SecurityGroupIds": ["sg-b", "sg-c"]}}, {"security_group_ids": ("sg-b", "sg-c")}),
        ({"AirflowConfigurationOptions": {"core.parallelism": "7"}},
         {"airflow_configuration_options": {"core.parallelism": "7"}}),
        ({"RequirementsS3Path": "requirements.txt"}, {"requirements_s3_path": "requirements.txt"}),
        ({"DagS3Path": "other/dags"}, {"dag_s3_path": "other/dags"}),
        ({"WorkerReplacementStrategy": "FORCED", "AirflowVersion": "3.3.1"}, {}),
        ({"WeeklyMaintenanceWindowStart": "MON:01:00"}, {"weekly_maintenance_window_start": "MON:01:00"}),
    ],
)  # fmt: skip
def test_what_is_named_changes_and_nothing_else(members, changes):
    assert asked(environment(), **members) == dataclasses.replace(SPEC, **changes)


ARTEFACTS = dataclasses.replace(
    SPEC, plugins_s3_path="p.zip", plugins_s3_object_version="1", startup_script_s3_path="s.sh",
    startup_script_s3_object_version="2", requirements_s3_path="r.txt",
)  # fmt: skip


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        ({}, {}),
        ({"PluginsS3Path": "p.zip"}, {}),
        ({"PluginsS3ObjectVersion": "7"}, {"plugins_s3_object_version": "7"}),
        ({"PluginsS3ObjectVersion": ""}, {"plugins_s3_object_version": None}),
        ({"PluginsS3Path": "q.zip"}, {"plugins_s3_path": "q.zip", "plugins_s3_object_version": None}),
        ({"PluginsS3Path": "q.zip", "PluginsS3ObjectVersion": "7"},
         {"plugins_s3_path": "q.zip", "plugins_s3_object_version": "7"}),
        ({"StartupScriptS3Path": ""}, {"startup_script_s3_path": None, "startup_script_s3_object_version": None}),
        ({"RequirementsS3ObjectVersion": "7"}, {"requirements_s3_object_version": "7"}),
    ],
)  # fmt: skip
def test_artefacts_by_path_and_version(members, changes):
    assert asked(environment(spec=ARTEFACTS), **members) == dataclasses.replace(ARTEFACTS, **changes)


def test_options_are_replaced_as_a_whole_and_logging_module_by_module():
    spec = dataclasses.replace(SPEC, airflow_configuration_options={"core.a": "1", "core.b": "2"})
    found = asked(
        environment(spec=spec),
        AirflowConfigurationOptions={"core.b": "3"},
        LoggingConfiguration={"WorkerLogs": {"Enabled": True, "LogLevel": "DEBUG"}},
    )
    assert found.airflow_configuration_options == {"core.b": "3"}
    assert found.logging == {**SPEC.logging, "WorkerLogs": ModuleLogging(enabled=True, level="DEBUG")}


def test_another_class_brings_counts_that_are_not_named_within_its_bounds():
    spec = dataclasses.replace(SPEC, schedulers=4, max_workers=20)
    found = merged(spec, {"EnvironmentClass": "mw1.micro"})
    assert (found.schedulers, found.min_workers, found.max_workers, found.max_webservers) == (1, 1, 1, 1)
    back = merged(found, {"EnvironmentClass": "mw1.small", "MaxWorkers": 5})
    assert (back.schedulers, back.max_workers) == (2, 5)


@pytest.mark.parametrize(
    "before",
    [
        environment(phase=Phase.NEW, observed_generation=0),
        environment(phase=Phase.REFUSED),
        environment(target=Target.ABSENT),
        environment(asked=SPEC),
        environment(phase=Phase.CHANGING),
        environment(phase=Phase.RETURNING),
        environment(phase=Phase.DRAINING, is_awaited=True),
    ],
)
def test_only_what_is_at_rest_can_be_updated(before):
    working = services(before)
    assert refusal(update(working, MaxWorkers=3)) == (
        400, "ValidationException", f"Environment sample cannot be updated: its status is {before.status.value}.",
    )  # fmt: skip
    assert working.environments.find("sample") == before


def test_what_drains_can_be_updated():
    assert asked(environment(phase=Phase.DRAINING), MaxWorkers=3).max_workers == 3


def test_what_failed_once_can_be_tried_again():
    assert asked(environment(change=FAILED), MaxWorkers=3).max_workers == 3


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"AirflowVersion": "2.11.2"}, "Airflow version 2.11.2 is not supported."),
        ({"PluginsS3ObjectVersion": "1"}, "PluginsS3ObjectVersion needs PluginsS3Path."),
        ({"StartupScriptS3Path": "a/./b"}, "StartupScriptS3Path must be a relative path inside the bucket."),
        ({"DagS3Path": "../dags"}, "DagS3Path must be a relative path inside the bucket."),
        ({"DagS3Path": "/"}, "DagS3Path must name a folder of the bucket."),
        ({"MinWorkers": 9, "MaxWorkers": 3}, "MinWorkers (9) must not be greater than MaxWorkers (3)."),
        ({"EnvironmentClass": "mw1.huge"}, "Environment class mw1.huge is not supported."),
        ({"AirflowConfigurationOptions": {"core.multi_team": "True"}}, "core.multi_team is not supported"),
        ({"RequirementsS3Path": ""}, "RequirementsS3Path cannot be removed once it is set"),
    ],
)
def test_what_cannot_be_is_refused_by_name_before_anything_is_written(members, words):
    before = environment(spec=dataclasses.replace(SPEC, requirements_s3_path="requirements.txt"))
    working = services(before)
    status, kind, message = refusal(update(working, **members))
    assert (status, kind) == (400, "ValidationException")
    assert words in message
    assert working.environments.find("sample") == before


# -- dry runs ---------------------------------------------------------------------------------------------------

TRY = {"Tradewind-Dry-Run": "1"}


def test_a_dry_run_is_written_beside_and_told_by_its_number():
    working = services(environment())
    response = call(working, "PATCH", "/environments/sample", {"MaxWorkers": 3}, TRY)
    assert response.status == 200
    assert json.loads(response.headers["tradewind-dry-run"]) == {"number": 7}
    found = working.environments.find("sample")
    assert (found.asked, found.trial.spec) == (None, dataclasses.replace(SPEC, max_workers=3))


def test_its_outcome_is_told_with_the_environment():
    trial = Trial(2, SPEC, TrialState.DONE, NOW, report={"restarts": ["worker-1"]})
    response = call(services(environment(trial=trial)), "GET", "/environments/sample")
    assert json.loads(response.headers["tradewind-dry-run"]) == {
        "number": 2, "state": "DONE", "report": {"restarts": ["worker-1"]}, "error": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "members", "words"),
    [
        (environment(phase=Phase.DRAINING), {}, "cannot be updated: its status is MAINTENANCE"),
        (environment(asked=SPEC), {}, "cannot be updated: its status is UPDATING"),
        (environment(), {"DagS3Path": "../x"}, "DagS3Path must be a relative path"),
    ],
)
def test_what_cannot_be_is_refused_to_a_dry_run_too(before, members, words):
    working = services(before)
    status, kind, message = refusal(call(working, "PATCH", "/environments/sample", members, TRY))
    assert (status, kind) == (400, "ValidationException")
    assert words in message
    assert working.environments.find("sample") == before
