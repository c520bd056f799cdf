"""An environment as GetEnvironment shows it, in each status."""

import dataclasses
from datetime import UTC, datetime

import pytest

from tests.unit.api.doubles import PLACE, SERVICE
from tests.unit.domain.samples import NOW, SPEC, environment
from tradewind.api import views
from tradewind.domain.environments import Change, ChangeState, Phase, Target
from tradewind.domain.specs import LOG_MODULES, ModuleLogging

PAIRS = [
    (Target.PRESENT, Phase.NEW, "CREATING", False),
    (Target.PRESENT, Phase.PROVISIONING, "CREATING", False),
    (Target.PRESENT, Phase.READY, "AVAILABLE", True),
    (Target.PRESENT, Phase.REFUSED, "CREATE_FAILED", False),
    (Target.ABSENT, Phase.PROVISIONING, "DELETING", False),
    (Target.ABSENT, Phase.READY, "DELETING", True),
]


def show(**changes):
    return views.environment(environment(**changes), PLACE, "the-host")


@pytest.mark.parametrize(("target", "phase", "status", "has_url"), PAIRS)
def test_status_and_url(target, phase, status, has_url):
    shown = show(target=target, phase=phase)
    assert shown["Status"] == status
    assert shown.get("WebserverUrl") == ("the-host" if has_url else None)
    assert shown["LastUpdate"] == {"Status": "SUCCESS", "CreatedAt": NOW}


@pytest.mark.parametrize(("target", "phase"), [pair[:2] for pair in PAIRS])
def test_every_view_is_of_the_models_shape(target, phase):
    assert SERVICE.encode("GetEnvironment", {"Environment": show(target=target, phase=phase)}, "r").status == 200


def test_what_was_sent_is_given_back():
    shown = show(tags={"a": "1"}, spec=dataclasses.replace(SPEC, requirements_s3_path="r.txt"))
    assert shown["NetworkConfiguration"] == {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]}
    assert (shown["MaxWorkers"], shown["MinWebservers"], shown["RequirementsS3Path"]) == (10, 2, "r.txt")
    assert (shown["WeeklyMaintenanceWindowStart"], shown["WebserverAccessMode"]) == ("SUN:03:30", "PRIVATE_ONLY")
    assert shown["Tags"] == {"a": "1"}


def test_a_module_that_logs_has_its_group():
    logging = {module: ModuleLogging(enabled=module != "WorkerLogs", level="INFO") for module in LOG_MODULES}
    shown = show(spec=dataclasses.replace(SPEC, logging=logging))["LoggingConfiguration"]
    assert set(shown) == set(LOG_MODULES)
    assert shown["DagProcessingLogs"]["CloudWatchLogGroupArn"].endswith(":log-group:airflow-sample-DAGProcessing")
    assert shown["WorkerLogs"] == {"Enabled": False, "LogLevel": "INFO", "CloudWatchLogGroupArn": None}


def test_no_secret_is_shown():
    shown = repr(show())
    assert "secret" not in shown.lower()


def failed(message, code="INCORRECT_CONFIGURATION"):
    return Change("CREATE", ChangeState.FAILED, datetime(2026, 3, 2, tzinfo=UTC), code, message)


def test_a_failure_is_told_in_one_line():
    assert views.last_update(failed("cannot x:\nbecause y")) == {
        "Status": "FAILED",
        "CreatedAt": datetime(2026, 3, 2, tzinfo=UTC),
        "Error": {"ErrorCode": "INCORRECT_CONFIGURATION", "ErrorMessage": "cannot x: because y"},
    }


@pytest.mark.parametrize(("message", "length"), [("x" * 5000, 1024), (None, 7), ("", 7)])
def test_a_message_has_1_to_1024_characters(message, length):
    assert len(views.last_update(failed(message))["Error"]["ErrorMessage"]) == length
