"""What an update that was only tried would do: the change plan of a dry run."""

from collections.abc import Iterable, Mapping
from typing import Any

from tradewind.domain.environments import Environment
from tradewind.domain.manifests import Process
from tradewind.reconcile.hands import Hands

_RUNNING = "SELECT task_id FROM task_instance WHERE state = 'running'"
_NOTHING_SECONDS = 1.0
_RESTART_SECONDS = 10.0  # where this environment has never been seen to start
_STEPS_OF_A_RESTART = frozenset({"processes", "end replaced processes", "health"})


def report(hands: Hands, environment: Environment) -> dict[str, Any]:
    """`restarts`, `starts` and `stops`: names of processes. `tasks`: how many that run now would end with them.

    `seconds`: how long the settings in force took to start, all that takes time once an update is prepared.
    """
    then, now = (hands.manifest(each, hands.lock(each) or "").processes for each in (environment.coming, environment))
    found: dict[str, Any] = compare(now, then)
    replaced = {process.name for process in now if process.drains} & {*found["restarts"]}
    graceful = environment.tried is not None and environment.tried.strategy == "GRACEFUL"
    running: Iterable[str] = ()
    if replaced and not graceful:
        running = hands.databases.strings(environment.database, hands.owner(environment), _RUNNING)
    done = dict(hands.environments.checkpoints(environment.id, environment.observed_generation))
    return {**found, "tasks": len(list(running)), "graceful": graceful, "seconds": expected(found, done)}


def compare(now: Iterable[Process], then: Iterable[Process]) -> dict[str, list[str]]:
    """Pure: names of processes that change, come and go."""
    before, after = ({process.name: process.digest() for process in each} for each in (now, then))
    return {
        "restarts": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
        "starts": sorted(after.keys() - before.keys()),
        "stops": sorted(before.keys() - after.keys()),
    }


def expected(found: Mapping[str, list[str]], done: Mapping[str, float]) -> float:
    """Pure: seconds, from those that the steps of a restart took the last time."""
    if not any(found[kind] for kind in ("restarts", "starts", "stops")):
        return _NOTHING_SECONDS
    return round(sum(done[step] for step in _STEPS_OF_A_RESTART & done.keys()) or _RESTART_SECONDS, 1)
