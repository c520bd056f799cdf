"""What a task can see and reach: its environment's own, and nothing of another environment or of the service.

docs/isolation.md names these tests beside the walls that they prove. Those that need unix users run as root only.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.conftest import ROOT, Service
from tests.contract.entering import post_login
from tests.scenario.insight import announced_process, environment_id, row_of, running
from tradewind.domain.environments import Secrets
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import EnvironmentLayout, Layout
from tradewind.recipe.execution_roles import endpoint_token
from tradewind.settings import run_directory

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's processes all run as that user")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["airflow-env.amazonaws.com", "airflow.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_a_task_sees_no_secret_of_the_control_plane_or_the_metadata_database(
    service: Service, environment: str
) -> None:
    run = service.run_dag(environment, "inward")
    assert run["state"] == "success"
    path = f"/dags/inward/dagRuns/{run['dag_run_id']}/taskInstances/surroundings/xcomEntries/return_value"
    seen = service.rest(environment, "GET", path, QueryParameters={"deserialize": False})["value"]
    text = seen if isinstance(seen, str) else repr(seen)
    secrets = dict(row_of(service, environment)[0])
    assert secrets.pop("broker_password") in text, "the probe looked nowhere"
    for name, secret in secrets.items():
        assert secret not in text, f"a task can see the {name}"
    assert service.secret_access_key not in text
    masters = [line for line in (service.data / "master.key").read_text().splitlines() if not line.startswith("#")]
    assert masters
    assert not any(master in text for master in masters)


@AS_ROOT
def test_processes_run_as_the_environments_own_user(service: Service, environment: str) -> None:
    run = service.run_dag(environment, "inward")
    path = f"/dags/inward/dagRuns/{run['dag_run_id']}/taskInstances/surroundings/xcomEntries/return_value"
    assert service.rest(environment, "GET", path)["value"]["uid"] != 0


# -- from one environment to another and to the service ----------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """An environment, as somebody knows it who may see everything."""

    name: str
    id: EnvironmentId
    layout: EnvironmentLayout
    secrets: dict[str, str]
    ports: dict[str, int]
    pids: dict[str, int]

    @property
    def token(self) -> str:
        """What its tasks show to its own endpoint of credentials."""
        return endpoint_token(Secrets(**self.secrets))


@pytest.fixture(scope="module")
def neighbour(service: Service) -> Iterator[str]:
    """The name of another AVAILABLE environment, with a role of its own."""
    bucket = service.bucket("neighbour")
    for dag in ("simple.py", "whoami.py"):
        shutil.copy(ROOT / "tests" / "dags" / dag, bucket / "dags")
    role = f"arn:aws:iam::{service.account_id}:role/neighbour"
    service.create("neighbour", "neighbour", ExecutionRoleArn=role)
    found = service.wait("neighbour")
    assert found["Status"] == "AVAILABLE", found.get("LastUpdate")
    yield "neighbour"
    service.client().delete_environment(Name="neighbour")
    service.wait_gone("neighbour")


def place(service: Service, name: str) -> Place:
    id_ = EnvironmentId(environment_id(service, name))
    layout = Layout(service.data, run_directory(service.data)).environment(id_)
    secrets, ports = row_of(service, name)
    return Place(name, id_, layout, dict(secrets), dict(ports), running(service, str(id_)))


@pytest.fixture(scope="module")
def own(service: Service, environment: str) -> Place:
    """The environment whose task looks around."""
    return place(service, environment)


@pytest.fixture(scope="module")
def other(service: Service, neighbour: str) -> Place:
    """The environment that it must not reach."""
    return place(service, neighbour)


def words(service: Service, database: str, role: str, password: str) -> str:
    """What libpq needs."""
    port = json.loads((service.data / "host.json").read_text())["postgres_port"]
    return f"host=127.0.0.1 port={port} dbname={database} user={role} password='{password}' connect_timeout=60"


def session(service: Service, name: str) -> str:
    """Airflow's token of somebody who has signed in."""
    token = service.client().create_web_login_token(Name=name)
    answer = post_login(service, token["WebServerHostname"], token["WebToken"])
    return str(answer.cookies["_token"])


@pytest.fixture(scope="module")
def trial(service: Service, own: Place, other: Place) -> "Trial":
    """Everything that a task of `own` tries, tried in one run."""
    theirs, data = other.layout, service.data
    token = session(service, own.name)
    asked: dict[str, list[Any]] = {
        "read": [
            *(theirs.root, theirs.home, theirs.bundle, theirs.bundle / "current", theirs.logs, theirs.task_logs),
            *(theirs.root / "airflow" / "airflow.cfg", theirs.broker, theirs.broker / "valkey.conf"),
            *(theirs.supervisor, theirs.credentials, data / "buckets" / "neighbour" / "dags" / "simple.py"),
            *(data, data / "environments", data / "buckets", data / "host.json", data / "service.json"),
            *(data / "master.key", data / "postgres", data / "snapshots", data / "supervisor", data / "ca"),
            *(data / "ca" / "caddy.json", data / "ca" / "storage", data / "logs", *sorted((data / "logs").iterdir())),
            *(theirs.run, own.layout.supervisor),
            *(own.layout.home, own.layout.task_logs, data / "ca" / "bundle.pem"),  # these are open
        ],
        "write": [
            *(theirs.root, theirs.home, theirs.bundle, theirs.logs, data, data / "runtimes", data / "buckets"),
            *(data / "ca" / "bundle.pem", own.layout.root, own.layout.root / "airflow", own.layout.bundle),
            *(own.layout.root / "airflow" / "airflow.cfg", own.layout.logs),
            *(own.layout.home,),  # this is open
        ],
        "sockets": [
            *(theirs.run / "api.sock", theirs.run / "caddy.sock", theirs.root / "preload.sock"),
            *sorted(theirs.run.glob("*")),
        ],
        "signals": [*other.pids.values(), *running(service, "host").values(), announced_process(service).pid],
        "processes": [*other.pids.values(), *own.pids.values(), *running(service, "host").values()],
        "web": [
            (f"http://127.0.0.1:{other.ports['api']}/api/v2/dags", ""),
            (f"http://127.0.0.1:{other.ports['api']}/api/v2/dags", f"Bearer {token}"),
            (f"http://127.0.0.1:{other.ports['api']}/execution/variables/x", f"Bearer {token}"),
            (f"http://127.0.0.1:{own.ports['api']}/api/v2/dags", f"Bearer {token}"),  # this is open
            *((f"http://127.0.0.1:{each.ports['credentials']}/v1/credentials", own.token) for each in (own, other)),
        ],
        "brokers": [
            *((other.ports["broker"], password) for password in ("", own.secrets["broker_password"])),
            (own.ports["broker"], own.secrets["broker_password"]),  # this is open
        ],
        "databases": [
            *(
                words(service, name, own.id.role, own.secrets["database_password"])
                for name in (other.id.database, "tradewind", "postgres", "template1", own.id.database)
            ),
            *(
                words(service, other.id.database, role, own.secrets["database_password"])
                for role in (other.id.role, "tradewind")
            ),
        ],
    }
    conf = json.loads(json.dumps(asked, default=str))
    run = service.run_dag(own.name, "outward", conf=conf)
    assert run["state"] == "success"
    path = f"/dags/outward/dagRuns/{run['dag_run_id']}/taskInstances/attempts/xcomEntries/return_value"
    found = service.rest(own.name, "GET", path)["value"]
    assert len(found) == sum(len(targets) for targets in conf.values())
    return Trial({(kind, target): ended for kind, target, ended in found})


@dataclass(frozen=True)
class Trial:
    """How each attempt ended."""

    ended: dict[tuple[str, str], str]

    def of(self, kind: str, target: Any) -> str:
        return self.ended[kind, str(json.loads(json.dumps(target, default=str)))]

    def reached(self, kind: str) -> set[str]:
        """What could be reached, of all that was tried in this way."""
        return {target for (of, target), how in self.ended.items() if of == kind and how.startswith("reached")}


@AS_ROOT
def test_no_file_of_another_environment_or_of_the_service_can_be_read(
    service: Service, trial: Trial, own: Place
) -> None:
    is_open = {own.layout.home, own.layout.task_logs, service.data / "ca" / "bundle.pem"}
    assert trial.reached("read") == {str(path) for path in is_open}


@AS_ROOT
def test_a_task_writes_to_its_own_home_and_not_where_trusted_processes_read(trial: Trial, own: Place) -> None:
    assert trial.reached("write") == {str(own.layout.home)}


@AS_ROOT
def test_no_socket_of_the_service_can_be_reached(trial: Trial) -> None:
    assert trial.reached("sockets") == set()


@AS_ROOT
def test_no_process_of_another_environment_or_of_the_service_can_be_signalled(trial: Trial) -> None:
    assert trial.reached("signals") == set()


def test_no_process_shows_its_variables(trial: Trial, own: Place, other: Place) -> None:
    """Of its own only the broker, which holds no secret there; for an ordinary user that is so of all environments."""
    found = trial.reached("processes") & {str(pid) for pid in (*own.pids.values(), *other.pids.values())}
    brokers = [own] if os.geteuid() == 0 else [own, other]
    assert found <= {str(each.pids["broker"]) for each in brokers}


def test_a_token_of_one_environment_opens_no_other(trial: Trial, own: Place, other: Place) -> None:
    ends = {target: how for (kind, target), how in trial.ended.items() if kind == "web"}
    theirs = [how for target, how in ends.items() if f":{other.ports['api']}/" in target]
    assert len(theirs) == 3
    assert all("401" in how or "403" in how for how in theirs), theirs
    assert [how for target, how in ends.items() if f":{own.ports['api']}/" in target] == ["reached: status 200"]


def test_the_broker_of_another_environment_wants_its_own_password(trial: Trial, own: Place, other: Place) -> None:
    for password in ("", own.secrets["broker_password"]):
        assert trial.of("brokers", (other.ports["broker"], password)).startswith("AuthenticationError")
    assert trial.of("brokers", (own.ports["broker"], own.secrets["broker_password"])).startswith("reached")


def test_a_database_role_connects_to_its_own_database_alone(
    service: Service, trial: Trial, own: Place, other: Place
) -> None:
    password = own.secrets["database_password"]
    for name in (other.id.database, "tradewind", "postgres", "template1"):
        assert "permission denied for database" in trial.of("databases", words(service, name, own.id.role, password))
    for role in (other.id.role, "tradewind"):
        tried = trial.of("databases", words(service, other.id.database, role, password))
        assert "password authentication failed" in tried
    mine = trial.of("databases", words(service, own.id.database, own.id.role, password))
    assert mine == "reached: connected"


# -- the execution role -------------------------------------------------------------------------------------------


def test_credentials_are_for_who_has_the_environments_token(trial: Trial, own: Place, other: Place) -> None:
    urls = [f"http://127.0.0.1:{each.ports['credentials']}/v1/credentials" for each in (own, other)]
    ends = [trial.of("web", (url, own.token)) for url in urls]
    assert "401" not in ends[0]  # without the role it is a 403 with its name
    assert "HTTP Error 401" in ends[1]


def test_a_task_is_the_execution_role_and_is_told_where_there_is_none(service: Service, other: Place) -> None:
    role = f"arn:aws:iam::{service.account_id}:role/neighbour"
    run = service.run_dag(other.name, "whoami")
    assert run["state"] == "failed"
    (log,) = (other.layout.task_logs / "dag_id=whoami").rglob("attempt=1.log")
    assert f"cannot give credentials: there is no role {role}" in log.read_text()

    iam = boto3.session.Session().client(
        "iam", endpoint_url=service.endpoint_url, region_name=service.region, verify=service.ca_bundle,
        aws_access_key_id=service.access_key_id, aws_secret_access_key=service.secret_access_key,
    )  # fmt: skip
    iam.create_role(RoleName="neighbour", AssumeRolePolicyDocument=json.dumps(TRUST))
    run = service.run_dag(other.name, "whoami")
    assert run["state"] == "success"
    path = f"/dags/whoami/dagRuns/{run['dag_run_id']}/taskInstances/ask/xcomEntries/return_value"
    assert service.rest(other.name, "GET", path)["value"] == {
        "Arn": f"arn:aws:sts::{service.account_id}:assumed-role/neighbour/AmazonMWAA-airflow",
        "Account": service.account_id,
        "method": "container-role",
    }
