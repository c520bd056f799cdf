"""The process list: who runs, as whom, how it stops."""

import dataclasses
from pathlib import Path

from tradewind.domain.environments import Ports, Secrets
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import Process
from tradewind.domain.specs import Spec
from tradewind.recipe.processes import (
    broker_configuration,
    environment_processes,
    preload_process,
    worker_name,
    worker_process,
)
from tradewind.recipe.settings import RecipeInputs, trusted_home

ID = EnvironmentId("abcdefghjkmn")
SPEC = Spec(
    "role", "bucket", "dags", (), (), "3.3.1", "mw1.small", 2, 10, 3, 2, 2, "PUBLIC_ONLY", "MON:00:00"
)  # fmt: skip
INPUTS = RecipeInputs(
    id=ID,
    name="env",
    spec=SPEC,
    ports=Ports(api=8081, broker=6380),
    secrets=Secrets("f", "j", "a", "s", "BROKERPW", "d"),
    region="eu-west-1",
    account_id="123456789012",
    layout=Layout(Path("/data"), Path("/run/x")).environment(ID),
    runtime=Path("/data/runtimes/r1"),
    valkey_server=Path("/software/valkey-server"),
    user="tw-abcdefghjkmn",
    database_url="postgresql://r:p@127.0.0.1:5432/d",
    base_url="https://abcdefghjkmn.eu-west-1.example.org",
)


def processes(**changes: object) -> dict[str, Process]:
    inputs = dataclasses.replace(INPUTS, spec=dataclasses.replace(SPEC, **changes))
    return {process.name: process for process in environment_processes(inputs)}


def test_the_spec_says_how_many():
    assert set(processes()) == {
        "broker", "preload", "api-server", "scheduler-1", "scheduler-2", "scheduler-3", "dag-processor", "triggerer",
        "worker-1", "worker-2",
    }  # fmt: skip


def test_no_triggerer_where_the_user_turned_it_off():
    assert "triggerer" not in processes(airflow_configuration_options={"mwaa.triggerer_enabled": "false"})


def test_all_run_as_the_environments_user_and_log_to_their_own_file():
    found = processes()
    assert {process.user for process in found.values()} == {"tw-abcdefghjkmn"}
    assert len({process.log for process in found.values()}) == len(found)


def test_only_workers_drain_and_they_get_twelve_hours():
    found = processes()
    assert {name for name, process in found.items() if process.drains} == {"worker-1", "worker-2"}
    assert found["worker-1"].stop_seconds == 12 * 3600
    assert max(p.stop_seconds for p in found.values() if not p.drains) <= 60


def test_the_broker_starts_before_who_needs_it_and_stops_after():
    found = processes()
    others = found.keys() - {"broker", "preload"}
    assert all(found["broker"].priority < found[name].priority for name in others)


def test_workers_keep_heartbeats_and_names_of_their_own():
    command = worker_process(INPUTS, 7).command
    assert command[command.index("--celery-hostname") + 1] == "worker-7@abcdefghjkmn"
    assert "--skip-serve-logs" in command
    assert "--without-heartbeat" not in command


def test_a_series_of_workers_has_names_of_its_own():
    assert worker_name("", 2) == "worker-2"
    assert worker_name("7r", 2) == "worker-2.7r"


def test_trusted_processes_import_nothing_from_where_they_stand():
    for name in ("api-server", "scheduler-1", "dag-processor", "triggerer"):
        process = processes()[name]
        assert process.command[:4] == ("/data/runtimes/r1/bin/python", "-P", "-m", "tradewind_airflow.component")
        assert process.directory == trusted_home(INPUTS.layout)


def test_no_secret_is_on_a_command_line():
    assert not [p.name for p in processes().values() if any("BROKERPW" in word for word in p.command)]


def test_a_worker_more_changes_no_other_process():
    more = processes(min_workers=3)
    assert {name: p.digest() for name, p in processes().items()} == {
        name: p.digest() for name, p in more.items() if name != "worker-3"
    }


def test_the_parent_sees_an_overlay_only_where_all_have_it():
    """Otherwise a component could inherit what was imported from another's."""
    one, two = Path("/o/1"), Path("/o/2")
    none = dataclasses.replace(INPUTS, secrets=Secrets(*(f"a secret {n}" for n in range(6))))
    alike = dataclasses.replace(none, overlays=dict.fromkeys(("scheduler", "worker", "webserver"), one))
    others = dataclasses.replace(none, overlays={"scheduler": one, "worker": two, "webserver": one})
    assert preload_process(alike).environment["TRADEWIND_OVERLAY"] == str(one)
    assert f"{one}/bin" in preload_process(alike).environment["PATH"]
    assert "TRADEWIND_OVERLAY" not in preload_process(others).environment
    assert preload_process(others) == preload_process(none)
    assert preload_process(alike).environment != preload_process(none).environment


def test_the_broker_is_closed_durable_and_never_forgets_for_memory():
    lines = broker_configuration(INPUTS).splitlines()
    for line in (
        "bind 127.0.0.1", "port 6380", "requirepass BROKERPW", "appendonly yes", "maxmemory-policy noeviction",
    ):  # fmt: skip
        assert line in lines
