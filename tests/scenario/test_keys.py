"""Keys of a real service are replaced while it works: what Airflow keeps stays readable, what is old opens nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tests.conftest import Service, bring_up, eventually, moto_server, tradewind
from tests.scenario.insight import announced_process, environment_id, row_of, running, superuser
from tradewind.domain.identifiers import EnvironmentId

NAME = "keyed"

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto's own libraries
]
ASKING = """
from airflow.sdk import BaseHook, Variable, dag, task

@dag(schedule=None)
def asking():
    @task
    def ask():
        found = BaseHook.get_connection("from_aws")
        kept = BaseHook.get_connection("db")
        return [Variable.get("from_aws"), found.password, found.host, Variable.get("kept"), kept.password]
    ask()

asking()
"""


@pytest.fixture(scope="module")
def secrets_manager() -> Iterator[str]:
    """The endpoint of moto's Secrets Manager, with a variable and a connection in it."""
    with moto_server() as url:
        client = boto3.client(
            "secretsmanager", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="a",
            aws_secret_access_key="b",
        )  # fmt: skip
        client.create_secret(Name="team/variables/from_aws", SecretString="a variable of AWS")
        client.create_secret(Name="team/connections/from_aws", SecretString="postgres://me:aws-pass@db.example/x")
        yield url


@pytest.fixture(scope="module")
def own(data_root: Path, secrets_manager: str) -> Iterator[Service]:
    """A service of this module's own, since it is stopped in between, with one environment."""
    data = data_root / "keys"
    made = bring_up(data)
    backend = {
        "connections_prefix": "team/connections", "variables_prefix": "team/variables", "config_prefix": None,
        "endpoint_url": secrets_manager, "region_name": "eu-west-1", "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
    }  # fmt: skip
    options = {
        "secrets.backend": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
        "secrets.backend_kwargs": json.dumps(backend),
    }
    try:
        (made.bucket(NAME) / "dags" / "asking.py").write_text(ASKING)
        made.create(NAME, NAME, AirflowConfigurationOptions=options)
        assert made.wait(NAME)["Status"] == "AVAILABLE"
        connection = {"connection_id": "db", "conn_type": "postgres", "password": "s3cret", "extra": '{"a": "b3hind"}'}
        made.rest(NAME, "POST", "/connections", Body=connection)
        made.rest(NAME, "POST", "/variables", Body={"key": "kept", "value": "a secret value"})
        yield made
    finally:
        done = tradewind("down", data=data)
        assert done.returncode == 0, done.stderr


def encrypted(service: Service) -> list[str]:
    """What Airflow has encrypted, as it is stored; the service may be down."""
    with psycopg.connect(superuser(service)) as connection:
        row = connection.execute("SELECT id FROM environments WHERE name = %s AND gone_at IS NULL", (NAME,)).fetchone()
    assert row is not None
    with psycopg.connect(superuser(service, EnvironmentId(row[0]).database)) as connection:
        query = (
            "SELECT password FROM connection WHERE is_encrypted UNION ALL SELECT extra FROM connection"
            " WHERE is_extra_encrypted UNION ALL SELECT val FROM variable WHERE is_encrypted"
        )
        return [row[0] for row in connection.execute(query)]


def opened(service: Service, key: str) -> list[str]:
    """What of it a key opens."""
    found = []
    for value in encrypted(service):
        try:
            found.append(Fernet(key).decrypt(value.encode()).decode())
        except InvalidToken:
            continue
    return found


def is_read_by_airflow(service: Service) -> None:
    """Through the API server, and through a process that starts now."""
    assert service.rest(NAME, "GET", "/variables/kept")["value"] == "a secret value"
    assert json.loads(service.rest(NAME, "GET", "/connections/db")["extra"])["a"]


def test_a_secrets_backend_of_aws_answers_tasks_beside_the_database(own: Service) -> None:
    service = bring_back(own)
    run = service.run_dag(NAME, "asking")
    assert run["state"] == "success"
    path = f"/dags/asking/dagRuns/{run['dag_run_id']}/taskInstances/ask/xcomEntries/return_value"
    expected = ["a variable of AWS", "aws-pass", "db.example", "a secret value", "s3cret"]
    assert service.rest(NAME, "GET", path)["value"] == expected


def test_a_new_fernet_key(own: Service) -> None:
    own = bring_back(own)
    old = row_of(own, NAME)[0]["fernet_key"]
    assert sorted(opened(own, old)) == sorted(["s3cret", '{"a": "b3hind"}', "a secret value"])
    before = running(own, environment_id(own, NAME))
    done = tradewind("keys", "rotate", "--fernet", NAME, data=own.data)
    assert done.returncode == 0, done.stderr
    assert "keyed has a new Fernet key" in done.stdout
    new = row_of(own, NAME)[0]["fernet_key"]
    assert new != old
    assert "," not in new
    assert opened(own, old) == []
    assert sorted(opened(own, new)) == sorted(["s3cret", '{"a": "b3hind"}', "a secret value"])
    is_read_by_airflow(own)
    # tasks hold no Fernet key, and are not disturbed
    after = running(own, environment_id(own, NAME))
    assert after.keys() == before.keys()
    assert (after["worker-1"], after["broker"]) == (before["worker-1"], before["broker"])
    assert after["api-server"] != before["api-server"]
    own.rest(NAME, "POST", "/variables", Body={"key": "later", "value": "written later"})
    assert "written later" in opened(own, new)
    shown = json.loads(tradewind("keys", "show", "--output", "json", data=own.data).stdout)
    assert [(each["EnvironmentName"], each["State"]) for each in shown["FernetRotations"]] == [(NAME, "DONE")]
    own.rest(NAME, "DELETE", "/variables/later")


def test_a_crash_in_the_middle_loses_nothing(own: Service) -> None:
    own = bring_back(own)
    old = row_of(own, NAME)[0]["fernet_key"]
    own.own().rotate_fernet_key(Name=NAME)
    eventually(lambda: "," in row_of(own, NAME)[0]["fernet_key"], seconds=30, what="two keys", pause=0.05)
    process = announced_process(own)
    process.kill()
    process.wait(20)
    both = MultiFernet([Fernet(key) for key in row_of(own, NAME)[0]["fernet_key"].split(",")])
    found = {both.decrypt(value.encode()).decode() for value in encrypted(own)}
    bring_up(own.data)
    assert found == {"s3cret", '{"a": "b3hind"}', "a secret value"}

    def is_done() -> bool:
        (found,) = bring_back(own).own().list_keys()["FernetRotations"]
        return bool(found["State"] == "DONE")

    eventually(is_done, seconds=180, what="the rotation to end")
    service = bring_back(own)
    assert opened(service, old) == []
    is_read_by_airflow(service)


def bring_back(service: Service) -> Service:
    """The service as it answers now: after a restart at perhaps another port."""
    told = json.loads((service.data / "service.json").read_text())
    return Service(**{key: value for key, value in told.items() if key not in {"pid", "started"}})


def stored(service: Service) -> str:
    """All that the control plane's tables hold."""
    with psycopg.connect(superuser(service)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return "\n".join(str(row) for (name,) in tables for row in connection.execute(f'SELECT * FROM "{name}"'))


def test_a_new_master_key_while_it_works(own: Service) -> None:
    service = bring_back(own)
    secrets = row_of(service, NAME)[0]
    before = (service.data / "master.key").read_text()
    assert (service.data / "master.key").stat().st_mode & 0o777 == 0o600
    done = tradewind("keys", "rotate", "--master", data=service.data)
    assert done.returncode == 0, done.stderr
    kept = (service.data / "master.key").read_text()
    assert kept != before
    assert next(line for line in before.splitlines() if not line.startswith("#")) in kept
    assert row_of(service, NAME)[0] == secrets
    everything = stored(service)
    assert NAME in everything
    for secret in (*secrets.values(), service.secret_access_key):
        assert secret not in everything
    # environments' processes notice nothing
    assert service.client().get_environment(Name=NAME)["Environment"]["Status"] == "AVAILABLE"
    shown = json.loads(tradewind("keys", "show", "--output", "json", data=service.data).stdout)
    assert [each["Values"] > 0 for each in shown["Keys"]] == [True, False]
    assert not any(line and line in json.dumps(shown) for line in kept.splitlines())


def test_no_secret_is_in_logs_or_process_lists(own: Service) -> None:
    service = bring_back(own)
    keys = [line for line in (service.data / "master.key").read_text().splitlines() if not line.startswith("#")]
    secrets = [*row_of(service, NAME)[0].values(), service.secret_access_key, *keys]
    logs = [*(service.data / "logs").rglob("*.log"), *(service.data / "environments").rglob("logs/**/*.log")]
    assert any(path.name == "control-plane.log" for path in logs)
    for path in (path for path in logs if path.is_file()):
        text = path.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], path
    lines = []
    for process in psutil.process_iter():
        try:
            lines.append(" ".join([process.name(), *process.cmdline()]))
        except psutil.Error:
            continue
    assert any("tradewind" in line for line in lines)
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def test_a_restart_with_the_key_and_without_it(own: Service) -> None:
    data, master = own.data, own.data / "master.key"
    secrets = row_of(bring_back(own), NAME)[0]
    assert tradewind("down", data=data).returncode == 0
    master.rename(data / "master.away")
    refused = tradewind("up", "--detach", data=data)
    assert refused.returncode == 1
    assert "which the file" in refused.stderr
    assert "does not hold: give that key back" in refused.stderr
    assert not master.exists()
    (data / "master.away").rename(master)
    master.chmod(0o644)
    refused = tradewind("up", "--detach", data=data)
    assert "others can read it" in refused.stderr
    master.chmod(0o600)
    service = bring_up(data)
    assert row_of(service, NAME)[0] == secrets
    # the old one was used by nothing, and is gone
    assert len([line for line in master.read_text().splitlines() if not line.startswith("#")]) == 1
    eventually(
        lambda: service.client().get_environment(Name=NAME)["Environment"]["Status"] == "AVAILABLE",
        seconds=60, what="the environment", pause=0.3,
    )  # fmt: skip

    def answers() -> bool:
        try:
            is_read_by_airflow(service)
        except service.client().exceptions.ClientError:
            return False
        return True

    eventually(answers, seconds=240, what="Airflow to answer")
