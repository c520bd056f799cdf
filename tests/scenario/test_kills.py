"""kill -9 of anything: it is back by itself, nothing runs twice, and no DAG run is lost."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.conftest import Service, bring_up, eventually, tradewind
from tests.scenario.insight import announced_process, environment_id, mains, program_of, running, supervisor_of

PROGRAMS = ("broker", "credentials", "preload", "api-server", "scheduler-1", "dag-processor", "triggerer", "worker-1")


def healthy(service: Service, name: str) -> bool:
    try:
        health = service.rest(name, "GET", "/monitor/health")
    except service.client().exceptions.ClientError:
        return False
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all(health[part]["status"] == "healthy" for part in parts)


def once_each(service: Service, name: str) -> bool:
    """Not where an old worker without a supervisor finishes what it does, and the next one waits for it."""
    found = {program: [process.pid for process in every] for program, every in mains(service, name).items()}
    known = running(service, environment_id(service, name))
    return sorted(found) == sorted(PROGRAMS) and found == {program: [pid] for program, pid in known.items()}


@pytest.fixture(autouse=True)
def _back_in_order(service: Service, environment: str) -> Iterator[None]:
    eventually(lambda: once_each(service, environment), seconds=120, what="every program to run once, before")
    yield
    eventually(lambda: once_each(service, environment), seconds=120, what="every program to run once, after")
    eventually(lambda: healthy(service, environment), seconds=120, what="the environment to be healthy again")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_comes_back_once_and_the_next_run_succeeds(service: Service, environment: str, program: str) -> None:
    id_ = environment_id(service, environment)
    victim = program_of(service, id_, program)
    victim.kill()

    def replaced() -> bool:
        now = mains(service, environment).get(program, [])
        return len(now) == 1 and now[0].pid != victim.pid

    eventually(replaced, seconds=60, what=f"another {program}")
    eventually(lambda: healthy(service, environment), seconds=120, what="health")
    assert service.run_dag(environment, "simple", seconds=180)["state"] == "success"


def start_slow_run(service: Service, environment: str) -> Callable[[], dict[str, str]]:
    """A run whose task sleeps some seconds: it is under way while something is killed."""
    run = service.start_dag(environment, "slow")
    task = f"/dags/slow/dagRuns/{run}/taskInstances/wait"
    eventually(
        lambda: service.rest(environment, "GET", task)["state"] == "running", seconds=60, pause=0.1,
        what="the task to run",
    )  # fmt: skip

    last = {"state": "unknown"}

    def look() -> dict[str, str]:
        with contextlib.suppress(service.client().exceptions.ClientError):
            last.update(service.rest(environment, "GET", f"/dags/slow/dagRuns/{run}"))
        return last

    return look


def test_the_environments_supervisor_dies_while_a_task_runs(service: Service, environment: str) -> None:
    id_ = environment_id(service, environment)
    look = start_slow_run(service, environment)
    victim = supervisor_of(service, id_)
    victim.kill()
    eventually(
        lambda: supervisor_of(service, id_, missing_is_fine=True) not in {None, victim}, seconds=60, what="a supervisor"
    )
    eventually(lambda: look()["state"] in {"success", "failed"}, seconds=240, what="the run to end")
    assert look()["state"] == "success"


@pytest.mark.timeout(900)
def test_postgresql_dies_while_a_task_runs(service: Service, environment: str) -> None:
    look = start_slow_run(service, environment)
    victim = program_of(service, "host", "postgres")
    victim.kill()
    eventually(lambda: program_of(service, "host", "postgres", missing_is_fine=True) not in {None, victim}, seconds=60,
               what="another PostgreSQL")  # fmt: skip
    # its last report may be lost with the database: then it is found by its heartbeat, after five minutes
    eventually(lambda: look()["state"] in {"success", "failed"}, seconds=700, what="the run to end")
    assert look()["state"] == "success"


def test_the_hosts_supervisor_dies(service: Service, environment: str) -> None:
    victim = supervisor_of(service, "host")
    victim.kill()
    eventually(
        lambda: supervisor_of(service, "host", missing_is_fine=True) not in {None, victim}, seconds=60, what="it"
    )

    def answers() -> bool:
        try:
            return bool(service.client().list_environments())
        except Exception:  # noqa: BLE001  (refused, reset, 502: whatever a door says while it is not there)
            return False

    eventually(answers, seconds=60, what="the API to answer")


def test_the_control_plane_dies_and_the_next_one_adopts_what_runs(
    service: Service, environment: str, service_variables: dict[str, str]
) -> None:
    before = {name: processes[0].pid for name, processes in mains(service, environment).items()}
    look = start_slow_run(service, environment)
    victim = announced_process(service)
    os.kill(victim.pid, signal.SIGKILL)
    psutil.wait_procs([victim], timeout=10)
    time.sleep(3)  # nobody is in charge; the environment does not notice
    again = bring_up(service.data, **service_variables)
    assert again == service, "the second service tells the same"
    eventually(lambda: look()["state"] in {"success", "failed"}, seconds=120, what="the run to end")
    assert look()["state"] == "success"
    time.sleep(8)  # two passes and more: adoption must not restart anything later either
    assert {name: processes[0].pid for name, processes in mains(service, environment).items()} == before


def test_a_second_up_on_the_directory_says_so(service: Service) -> None:
    done = tradewind("up", "--detach", data=service.data)
    assert done.returncode != 0
    assert "a Tradewind service is running on it" in done.stderr
    assert "Traceback" not in done.stderr
