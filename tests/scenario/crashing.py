"""Killing the service while it works on an environment: after steps that are noted, and at moments that a seed draws.

`TRADEWIND_CHAOS=all` has every step be the last one of a control plane; otherwise a seeded sample of them.
"""

import contextlib
import os
import random
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.conftest import Service, bring_up
from tests.scenario.insight import announced_process, program_of, superuser, supervisor_of
from tradewind.domain.manifests import HOST

ALL = os.environ.get("TRADEWIND_CHAOS") == "all"
UNDER_WAY = frozenset({"CREATING", "UPDATING", "CREATING_SNAPSHOT", "MAINTENANCE", "ROLLING_BACK", "DELETING"})


def status(service: Service, name: str) -> str:
    """GONE where there is none."""
    client = service.client()
    try:
        return str(client.get_environment(Name=name)["Environment"]["Status"])
    except client.exceptions.ResourceNotFoundException:
        return "GONE"


def kill(process: psutil.Process | None) -> None:
    """At once, and wait until it is gone."""
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        psutil.wait_procs([process], timeout=10)


def die_after_steps(
    service: Service,
    variables: dict[str, str],
    name: str,
    id_: str,
    generation: int,
    *,
    deaths: Collection[int] | None = None,
    seconds: float = 600,
) -> list[str]:
    """Kill the control plane as soon as a step is noted, and start it again; answers the steps.

    `deaths`: at the how manieth steps; None: at each of them.
    """
    query = "SELECT step FROM checkpoints WHERE environment_id = %s AND generation = %s"
    seen: list[str] = []
    deadline, look = time.monotonic() + seconds, 0.0
    with psycopg.connect(superuser(service), autocommit=True) as connection:
        while time.monotonic() < deadline:
            noted = [step for (step,) in connection.execute(query, (id_, generation)) if step not in seen]
            if not noted:
                if time.monotonic() >= look:
                    if status(service, name) not in UNDER_WAY:
                        return seen
                    look = time.monotonic() + 0.3
                time.sleep(0.02)
                continue
            seen += noted
            if deaths is None or len(seen) in deaths:
                kill(announced_process(service))
                assert bring_up(service.data, **variables) == service
    pytest.fail(f"it did not end within {seconds} s, after {seen}")


def sample(seed: int, most: int, count: int) -> frozenset[int] | None:
    """Some of the steps 1 to `most`; None, which is all of them, where all are asked for."""
    return None if ALL else frozenset(random.Random(seed).sample(range(1, most + 1), count))


def disturbed(
    service: Service, name: str, id_: str, victims: Iterable[str], *, seed: int, seconds: float = 600
) -> list[str]:
    """Kill PostgreSQL or the environment's supervisor at drawn moments until what is under way has ended."""
    draw = random.Random(seed)
    find: dict[str, Callable[[], psutil.Process | None]] = {
        "postgres": lambda: program_of(service, HOST, "postgres", missing_is_fine=True),
        "supervisor": lambda: supervisor_of(service, id_, missing_is_fine=True),
    }
    killed: list[str] = []
    left = list(victims)
    deadline = time.monotonic() + seconds
    due = time.monotonic() + draw.uniform(0.5, 4)
    while time.monotonic() < deadline:
        if left and time.monotonic() >= due:
            victim = left.pop(0)
            kill(find[victim]())
            killed.append(victim)
            due = time.monotonic() + draw.uniform(2, 8)
        if _is_over(service, name):
            return killed
        time.sleep(0.1)
    pytest.fail(f"it did not end within {seconds} s; killed were {killed}")


def _is_over(service: Service, name: str) -> bool:
    try:
        return status(service, name) not in UNDER_WAY
    except ClientError:  # the store is being started again
        return False


def databases_of(service: Service, id_: str) -> list[str]:
    """Names of the databases of one environment."""
    with psycopg.connect(superuser(service, "postgres")) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY datname"
        return [str(row[0]) for row in connection.execute(query, (f"env_{id_}",))]


def last_update(service: Service, name: str) -> dict[str, Any]:
    """LastUpdate, with the status beside it."""
    found = service.client().get_environment(Name=name)["Environment"]
    return {**found["LastUpdate"], "Environment": found["Status"]}
