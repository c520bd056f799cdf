"""The preloaded parent's process: what all have in common, and no secret."""

import dataclasses
from pathlib import Path

from tradewind.domain.environments import Ports, Secrets
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import Process
from tradewind.domain.specs import Spec
from tradewind.recipe.processes import PRELOAD, environment_processes, preload_socket
from tradewind.recipe.settings import RecipeInputs

ID = EnvironmentId("abcdefghjkmn")
SECRETS = Secrets("fernet-key-0", "jwt-secret-0", "api-secret-0", "assertion-0", "broker-password", "database-password")
INPUTS = RecipeInputs(
    id=ID,
    name="env",
    spec=Spec("role", "bucket", "dags", (), (), "3.3.1", "mw1.small", 2, 10, 2, 2, 2, "PUBLIC_ONLY", "MON:00:00"),
    ports=Ports(api=8081, broker=6380),
    secrets=SECRETS,
    region="eu-west-1",
    account_id="123456789012",
    layout=Layout(Path("/data"), Path("/run/x")).environment(ID),
    runtime=Path("/data/runtimes/r1"),
    valkey_server=Path("/software/valkey-server"),
    user="tw-abcdefghjkmn",
    database_url="postgresql://role:database-password@127.0.0.1:5432/d",
    base_url="https://abcdefghjkmn.eu-west-1.example.org",
)


def processes(inputs: RecipeInputs = INPUTS) -> dict[str, Process]:
    return {process.name: process for process in environment_processes(inputs)}


def asked(process: Process) -> str:
    """Whom a component asks: the parent's generation and its socket."""
    return process.environment["TRADEWIND_PRELOAD"]


def test_the_parent_holds_no_secret():
    values = " ".join(processes()[PRELOAD].environment.values())
    for secret in dataclasses.astuple(SECRETS):
        assert secret not in values
    assert "postgresql" not in values


def test_the_secrets_are_where_they_are_needed():
    """The test above can fail: the others do hold them."""
    assert "database-password" in " ".join(processes()["scheduler-1"].environment.values())


def test_the_parent_is_configured_as_the_components_are():
    parent, scheduler = processes()[PRELOAD].environment, processes()["scheduler-1"].environment
    ours = {name for name in parent if name.startswith("TRADEWIND_")}
    assert ours == {"TRADEWIND_LISTEN", "TRADEWIND_PRELOAD_DIGEST"}
    assert {name: parent[name] for name in parent.keys() - ours} == {
        name: scheduler[name] for name in parent.keys() - ours
    }
    assert "AIRFLOW__CORE__EXECUTOR" in parent


def test_every_component_asks_the_parent_of_its_own_generation():
    found = processes()
    parent = found.pop(PRELOAD).environment
    found.pop("broker")
    assert {asked(process) for process in found.values()} == {
        f"{parent['TRADEWIND_PRELOAD_DIGEST']}:{parent['TRADEWIND_LISTEN']}"
    }


def test_another_runtime_or_another_setting_is_another_generation():
    plain = asked(processes()["scheduler-1"])
    assert asked(processes(dataclasses.replace(INPUTS, runtime=Path("/data/runtimes/r2")))["scheduler-1"]) != plain
    options = dataclasses.replace(INPUTS.spec, airflow_configuration_options={"core.default_timezone": "Europe/Berlin"})
    assert asked(processes(dataclasses.replace(INPUTS, spec=options))["scheduler-1"]) != plain


def test_no_task_can_answer_in_its_place():
    """The socket lies in the environment's folder itself, which is the service's."""
    assert preload_socket(INPUTS.layout).parent == INPUTS.layout.root


def test_the_parent_starts_first_and_stops_last():
    found = processes()
    assert all(found[PRELOAD].priority < process.priority for name, process in found.items() if name != PRELOAD)
    assert not found[PRELOAD].drains
