"""CreateEnvironment: defaults per class, refusals by name, and what is written."""

import dataclasses
import json

import pytest

from tests.unit.api.doubles import CREATE, PLACE, call, refusal, services
from tests.unit.domain.samples import environment
from tradewind.api.coverage import COVERAGE, Treatment
from tradewind.api.operations import creation
from tradewind.api.operations.creation import refusals, spec_from
from tradewind.domain.environments import Phase, Target
from tradewind.domain.specs import ModuleLogging
from tradewind.recipe.sizes import classes
from tradewind.store import AddressTaken

REQUEST = {"Name": "e", **CREATE}
# A value that the model accepts for each member that is refused.
REFUSED_VALUES = {
    "KmsKey": "arn:aws:kms:us-east-1:111111111111:key/11111111-1111-1111-1111-111111111111",
    "EndpointManagement": "CUSTOMER",
    "IdentityCenterConfiguration": {"StartUrl": "https://d-1.awsapps.com/start", "IdentityStoreId": "d-1234567890"},
    "Teams": {"team-a": {"SourceBucketArn": "arn:aws:s3:::b", "DagS3Path": "dags"}},
}  # fmt: skip


# -- defaults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", classes())
def test_defaults_follow_from_the_class(name):
    row = classes()[name]
    spec = spec_from(REQUEST | {"EnvironmentClass": name})
    assert (spec.min_workers, spec.max_workers) == (1, row.default_max_workers)
    assert spec.schedulers == row.default_schedulers
    assert (spec.min_webservers, spec.max_webservers) == (row.default_webservers, row.default_webservers)


def test_what_was_not_sent_is_filled_in():
    spec = spec_from(REQUEST)
    assert (spec.environment_class, spec.airflow_version) == ("mw1.small", "3.3.1")
    assert (spec.webserver_access_mode, spec.endpoint_management) == ("PRIVATE_ONLY", "SERVICE")
    assert (spec.requirements_s3_path, dict(spec.airflow_configuration_options)) == (None, {})
    assert [module for module, logging in spec.logging.items() if logging.enabled] == ["TaskLogs"]


def test_one_bound_moves_the_other_where_it_must():
    assert spec_from(REQUEST | {"MinWorkers": 12}).max_workers == 12
    assert spec_from(REQUEST | {"MaxWebservers": 4}).min_webservers == 2
    assert spec_from(REQUEST | {"MinWebservers": 4}).max_webservers == 4


def test_what_was_sent_is_kept():
    sent = {
        "MaxWorkers": 3, "Schedulers": 4, "WebserverAccessMode": "PUBLIC_ONLY", "RequirementsS3Path": "r.txt",
        "WeeklyMaintenanceWindowStart": "TUE:04:30", "AirflowConfigurationOptions": {"core.parallelism": "4"},
        "LoggingConfiguration": {"WorkerLogs": {"Enabled": True, "LogLevel": "ERROR"}},
    }  # fmt: skip
    spec = spec_from(REQUEST | sent)
    assert (spec.max_workers, spec.schedulers, spec.webserver_access_mode) == (3, 4, "PUBLIC_ONLY")
    assert (spec.requirements_s3_path, spec.weekly_maintenance_window_start) == ("r.txt", "TUE:04:30")
    assert spec.airflow_configuration_options == {"core.parallelism": "4"}
    assert spec.logging["WorkerLogs"] == ModuleLogging(enabled=True, level="ERROR")
    assert spec.logging["TaskLogs"] == ModuleLogging(enabled=True, level="INFO")


def test_a_window_is_one_of_mwaas():
    windows = {creation._window(f"name-{number}") for number in range(2000)}
    days, hours, minutes = zip(*(window.split(":") for window in windows), strict=True)
    assert set(days) == {"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}
    assert set(hours) == {f"{hour:02}" for hour in range(24)}
    assert set(minutes) == {"00", "30"}


# -- refusals -------------------------------------------------------------------------------------------------


def test_there_is_a_value_to_try_for_each_refused_member():
    refused = {name for name, treatment in COVERAGE["CreateEnvironment"].items() if treatment is Treatment.REFUSED}
    assert set(REFUSED_VALUES) == refused


@pytest.mark.parametrize("member", REFUSED_VALUES)
def test_what_this_release_does_not_do_is_refused_by_name(member):
    working = services()
    answer = call(working, "PUT", "/environments/e", CREATE | {member: REFUSED_VALUES[member]})
    status, kind, message = refusal(answer)
    assert (status, kind) == (400, "ValidationException")
    assert member in message
    assert "not supported by this release" in message
    assert working.environments.find("e") is None


@pytest.mark.parametrize("member", ["PluginsS3Path", "StartupScriptS3Path", "RequirementsS3Path"])
def test_an_empty_path_says_nothing(member):
    assert call(services(), "PUT", "/environments/e", CREATE | {member: ""}).status == 200


def test_service_endpoints_are_what_there_is():
    assert call(services(), "PUT", "/environments/e", CREATE | {"EndpointManagement": "SERVICE"}).status == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PluginsS3Path": "a/../../b"}, "PluginsS3Path must be a relative path"),
        ({"StartupScriptS3Path": "../startup.sh"}, "StartupScriptS3Path must be a relative path"),
        ({"DagS3Path": "/"}, "DagS3Path must name a folder"),
        ({"DagS3Path": ""}, "DagS3Path must name a folder"),
        ({"DagS3Path": "a/../b"}, "DagS3Path must be a relative path"),
        ({"DagS3Path": "./dags"}, "DagS3Path must be a relative path"),
        ({"RequirementsS3Path": "../../etc/passwd"}, "RequirementsS3Path must be a relative path"),
        ({"Tags": {"AWS:x": "1"}}, "The tag key AWS:x is reserved"),
    ],
)
def test_values_that_the_patterns_let_through(changes, words):
    assert any(words in sentence for sentence in refusals(REQUEST | changes))


def test_all_problems_are_told_at_once():
    asked = CREATE | {"MinWorkers": 3, "MaxWorkers": 2, "KmsKey": REFUSED_VALUES["KmsKey"], "AirflowVersion": "2.9.2"}
    _, _, message = refusal(call(services(), "PUT", "/environments/e", asked))
    assert "MinWorkers (3)" in message
    assert "KmsKey" in message
    assert "Airflow version 2.9.2" in message


def test_versions_of_nothing_are_refused():
    asked = CREATE | {"PluginsS3ObjectVersion": "1", "StartupScriptS3ObjectVersion": "2"}
    _, _, message = refusal(call(services(), "PUT", "/environments/e", asked))
    assert message == (
        "PluginsS3ObjectVersion needs PluginsS3Path. StartupScriptS3ObjectVersion needs StartupScriptS3Path."
    )


# -- what is written -------------------------------------------------------------------------------------------


def test_what_is_wanted_is_written_and_nothing_made():
    working = services()
    answer = call(working, "PUT", "/environments/My_Env", CREATE | {"Tags": {"a": "1"}})
    assert (answer.status, json.loads(answer.body)) == (200, {"Arn": PLACE.environment("My_Env")})
    made = working.environments.find("My_Env")
    assert (made.target, made.phase, made.generation, made.observed_generation) == (Target.PRESENT, Phase.NEW, 1, 0)
    assert made.tags == {"a": "1"}
    assert (made.change.kind, made.change.state.value, made.change.created_at) == ("CREATE", "PENDING", made.created_at)
    assert len(set(dataclasses.astuple(made.ports))) == 3
    assert made.address is None


def test_each_environment_has_secrets_ports_and_an_id_of_its_own():
    working = services()
    for name in ("a", "b"):
        call(working, "PUT", f"/environments/{name}", CREATE)
    a, b = working.environments.find("a"), working.environments.find("b")
    assert a.id != b.id
    for member in ("fernet_key", "jwt_secret", "api_secret_key", "assertion_secret", "broker_password"):
        assert getattr(a.secrets, member) != getattr(b.secrets, member)
        assert len(getattr(a.secrets, member)) >= 32
    assert len({*dataclasses.astuple(a.ports), *dataclasses.astuple(b.ports)}) == 6


def test_a_name_that_is_taken_is_refused():
    working = services(environment(name="e"))
    assert refusal(call(working, "PUT", "/environments/e", CREATE)) == (
        400, "ValidationException", "An environment with the name e already exists.",
    )  # fmt: skip


def test_a_name_that_was_taken_a_moment_ago_is_refused(monkeypatch):
    working = services(environment(name="e"))
    monkeypatch.setattr(working.environments, "find", lambda _name: None)
    assert refusal(call(working, "PUT", "/environments/e", CREATE))[1] == "ValidationException"


def test_an_address_that_was_taken_a_moment_ago_is_drawn_again(monkeypatch):
    working = services(names_resolve=False)
    attempts = []

    def create(environment):
        attempts.append(environment)
        if len(attempts) < 3:
            raise AddressTaken(environment.address)

    monkeypatch.setattr(working.environments, "create", create)
    assert call(working, "PUT", "/environments/e", CREATE).status == 200
    assert len({made.id for made in attempts}) == 3
    assert all(made.address.startswith("127.") for made in attempts)


def test_addresses_that_never_stay_free_end_as_internal(monkeypatch):
    working = services(names_resolve=False)

    def create(environment):
        raise AddressTaken(environment.address)

    monkeypatch.setattr(working.environments, "create", create)
    assert refusal(call(working, "PUT", "/environments/e", CREATE))[:2] == (500, "InternalServerException")
