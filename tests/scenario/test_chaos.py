"""kill -9 of anything at random while hundreds of tasks run: none is lost, none runs twice.

Victims: task processes, slots, the worker, scheduler, API server, DAG processor, triggerer, broker, PostgreSQL, the
environment's supervisor. After the killing every task instance must come to a final state by itself. Airflow's own time
limits decide how long that takes, so they are shorter here than anybody would set them in earnest.

`TRADEWIND_CHAOS_TASKS`, `TRADEWIND_CHAOS_SECONDS` (of killing), `TRADEWIND_CHAOS_SEED` and, to compare,
`TRADEWIND_CHAOS_ENGINE=stock` change what is done; what was done is printed.
"""

import itertools
import json
import os
import random
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT, Service, eventually
from tests.scenario.engines import Engine, end, gone, know
from tests.scenario.killing import Killer, Watch

# 500 tasks and 180 s are the full measure; the default is what a machine of two cores ends in some minutes
TASKS = int(os.environ.get("TRADEWIND_CHAOS_TASKS", "200"))
SECONDS = float(os.environ.get("TRADEWIND_CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("TRADEWIND_CHAOS_SEED", str(random.randrange(10**6))))
ENGINE = os.environ.get("TRADEWIND_CHAOS_ENGINE", "tradewind")
DAGS = ("chaos_mapped", "chaos_fan", "chaos_chains")
NAME = "chaos"
SETTLE = 420  # seconds until every run must be final
KEEP = "TRADEWIND_CHAOS_KEEP" in os.environ  # leave the environment, to look at what went wrong
FINAL = {"success", "failed", "skipped", "upstream_failed", "removed"}
OPTIONS = {
    "tradewind.engine": ENGINE,
    "celery.worker_autoscale": "6,6",
    "scheduler.orphaned_tasks_check_interval": "10",
    "scheduler.scheduler_health_check_threshold": "15",
    "scheduler.scheduler_heartbeat_sec": "2",
    "scheduler.task_instance_heartbeat_timeout": "20",
    "scheduler.task_instance_heartbeat_timeout_detection_interval": "5",
    # also how long the token in a message is good: a message that waits longer costs its task a try
    "scheduler.task_queued_timeout": "60",
    "scheduler.task_queued_timeout_check_interval": "5",
    "scheduler.num_stuck_in_queued_retries": "10",
    "workers.min_heartbeat_interval": "2",
    "workers.socket_cleanup_timeout": "3",
    "core.task_success_overtime": "3",
}

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Aftermath:
    """What is left when the dust has settled."""

    runs: dict[str, str]  # DAG -> state of its run
    instances: list[dict[str, Any]]
    tries: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    lives: dict[str, dict[int, tuple[float, float]]]  # id of a try -> pid -> first and last time seen
    kills: list[tuple[float, str, int, str]]


def key_of(entry: dict[str, Any]) -> tuple[str, str, int]:
    """Which task instance a note or a row is about."""
    if "dag" in entry:
        return entry["dag"], entry["task"], entry["map"]
    return entry["dag_id"], entry["task_id"], entry["map_index"]


@pytest.fixture(scope="module")
def engine(service: Service) -> Iterator[Engine]:
    bucket = service.bucket(NAME) / "dags"
    source = ROOT / "tests" / "semantics_dags"
    shutil.copy(source / "semantics_notes.py", bucket)
    load = (source / "chaos_load.py").read_text().replace("TASKS = 500", f"TASKS = {TASKS}")
    (bucket / "chaos_load.py").write_text(load)
    service.create(NAME, NAME, AirflowConfigurationOptions=OPTIONS)
    try:
        assert service.wait(NAME)["Status"] == "AVAILABLE"
        engine = Engine(service, ENGINE, NAME)
        know(engine, {*DAGS, "chaos_long"}, "chaos")
        yield engine
    finally:
        if not KEEP:
            service.client().delete_environment(Name=NAME)
            service.wait_gone(NAME)


@pytest.fixture(scope="module")
def aftermath(engine: Engine) -> Aftermath:
    """Start the runs, kill for a while, wait until all is final, gather what is left."""
    for dag in DAGS:
        engine.start(dag)
    watch, killer = Watch(), Killer(engine.service, NAME, SEED)
    watch.start()
    started = time.monotonic()
    killer.start()

    def all_final() -> bool:
        return all(state in {"success", "failed"} for state in states(engine).values())

    # killing ends early when there is nothing left to hit
    while time.monotonic() - started < SECONDS and not all_final():
        time.sleep(1)
    killer.stop()
    stopped = time.monotonic()
    print(f"{ENGINE}, {TASKS} tasks, {killer.summary()} in {stopped - started:.0f} s", flush=True)
    try:
        eventually(all_final, seconds=SETTLE, what="every run to be final", pause=1)
    finally:
        print(f"settled (or not) {time.monotonic() - stopped:.0f} s after the last kill", flush=True)
        watch.stop()
        for kill in killer.kills:
            print("  killed", time.strftime("%H:%M:%S", time.gmtime(kill[0])), *kill[1:], flush=True)
    return gather(engine, killer, watch)


def states(engine: Engine) -> dict[str, str]:
    """The runs' states; "unknown" while nobody can tell."""
    client = engine.service.client()
    found = {}
    for dag in DAGS:
        try:
            answer = client.invoke_rest_api(Name=NAME, Method="GET", Path=engine.path(dag))
            found[dag] = answer["RestApiResponse"]["state"]
        except Exception:  # noqa: BLE001  (refused, reset, 502: the API server or the database has just been killed)
            found[dag] = "unknown"
    return found


def gather(engine: Engine, killer: Killer, watch: Watch) -> Aftermath:
    instances: list[dict[str, Any]] = []
    tries: list[dict[str, Any]] = []
    for dag in DAGS:
        found = engine.pages(f"{engine.path(dag)}/taskInstances", "task_instances")
        instances += found
        for one in found:
            if one["try_number"] <= 1:
                tries.append(one)
                continue
            path = f"{engine.path(dag)}/taskInstances/{one['task_id']}"
            path += f"/{one['map_index']}/tries" if one["map_index"] >= 0 else "/tries"
            tries += engine.rest("GET", path)["task_instances"]
    print(sorted(Counter((str(one["state"]), one["try_number"]) for one in instances).items()), flush=True)
    notes = [json.loads(line) for line in (engine.root / "home" / "semantics-notes.jsonl").read_text().splitlines()]
    # the machine may have other environments
    mine = {one["ti"] for one in notes} | {one["id"] for one in instances}
    lives = {id_: seen for id_, seen in watch.seen.items() if id_ in mine}
    return Aftermath({dag: engine.state(dag) for dag in DAGS}, instances, tries, notes, lives, killer.kills)


def words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_no_task_is_lost(aftermath: Aftermath) -> None:
    assert len(aftermath.instances) == TASKS
    assert [key_of(i) for i in aftermath.instances if i["state"] not in FINAL] == []
    assert set(aftermath.runs.values()) <= {"success", "failed"}
    assert len(aftermath.kills) >= 3, "nothing was proven"


def test_no_try_starts_twice(aftermath: Aftermath) -> None:
    starts = Counter((*key_of(n), n["try"]) for n in aftermath.notes if n["what"] == "start")
    assert {try_: times for try_, times in starts.items() if times > 1} == {}


def test_no_try_has_two_processes(aftermath: Aftermath) -> None:
    assert aftermath.lives, "the watch saw nothing"
    assert {ti: pids for ti, pids in aftermath.lives.items() if len(pids) > 1} == {}


def test_a_task_instances_tries_do_not_overlap(aftermath: Aftermath) -> None:
    """The process of one try is gone before the next one starts to work."""
    begun: dict[tuple[str, str, int], list[tuple[int, float, float]]] = defaultdict(list)
    for note in aftermath.notes:
        if note["what"] == "start":
            last = max((end for _, end in aftermath.lives.get(note["ti"], {}).values()), default=note["at"])
            begun[key_of(note)].append((note["try"], note["at"], last))
    overlaps = []
    for key, tries in begun.items():
        tries.sort()
        for (_, _, last_seen), (number, start, _) in itertools.pairwise(tries):
            if start < last_seen:
                overlaps.append((key, number, last_seen - start))
    assert overlaps == []


def test_no_success_without_an_end(aftermath: Aftermath) -> None:
    """What was killed before its end is a failed try, or was tried again: never a success."""
    ended = {(*key_of(n), n["try"]) for n in aftermath.notes if n["what"] == "end"}
    successes = [(*key_of(t), t["try_number"]) for t in aftermath.tries if t["state"] == "success"]
    assert successes, "nothing succeeded"
    assert [one for one in successes if one not in ended] == []


def test_a_started_try_that_did_not_succeed_counts_as_a_failed_one(aftermath: Aftermath) -> None:
    """Every try that began has a row of its own: none was started, lost and started anew under the same number."""
    rows = {(*key_of(t), t["try_number"]): t["state"] for t in aftermath.tries}
    started = {(*key_of(n), n["try"]) for n in aftermath.notes if n["what"] == "start"}
    assert started - rows.keys() == set()
    final = {key_of(i): i["try_number"] for i in aftermath.instances}
    dead = {one: rows[one] for one in started if rows[one] != "success" and one[3] < final[one[:3]]}
    assert set(dead.values()) <= {"failed", "up_for_retry"}


def test_nearly_all_succeed_in_the_end(aftermath: Aftermath) -> None:
    """With four retries a task fails for good only if it was hit five times."""
    good = sum(i["state"] == "success" for i in aftermath.instances)
    assert good >= TASKS * 0.9


def test_a_slot_that_dies_takes_its_task_with_it(engine: Engine, aftermath: Aftermath) -> None:
    """Nobody is left to tell how it ends, so it must not go on. Stock's does, beside its own next try."""
    engine.start("chaos_long")
    start = engine.note("chaos_long", "lasts", "start")
    title = f"airflow supervisor: {start['ti']}"  # the parent, or, of a zygote's child, the one that it serves
    (supervisor,) = [each for each in psutil.process_iter() if title in " ".join(words(each))]
    supervisor.kill()
    try:
        assert gone(start["pid"], start["at"], seconds=5 if engine.is_stock else 30) is not engine.is_stock
    finally:
        end(start["pid"], start["at"])
    assert engine.state("chaos_long", seconds=120) == "success"
    assert engine.task("chaos_long", "lasts") == ("success", 2)
    tries = engine.rest("GET", f"{engine.path('chaos_long')}/taskInstances/lasts/tries")["task_instances"]
    assert [one["state"] for one in tries] == ["failed", "success"]
