"""Proof that an environment works: its API is healthy, every heartbeat is fresh, a worker answers.

The API server's own health page tells of the metadata database, scheduler, DAG processor and triggerer.
Workers are heard directly: Celery workers send a heartbeat event every two seconds over the environment's
Valkey, which is listened to here (kombu's fanout channel) without Celery. Only what is said now counts.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import httpx
import valkey

from tradewind.domain.environments import Environment

FRESH = timedelta(seconds=30)
_CHANNEL = "/0.celeryev/worker.*"
_SIGNS_OF_LIFE = {"worker-online", "worker-heartbeat"}  # worker-offline is a farewell


@dataclass(frozen=True)
class Health:
    """`missing` names what has not been proven yet, in a person's words; empty means healthy."""

    missing: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.missing


def judge(
    document: object, now: datetime, *, triggerer: bool, began: Mapping[str, datetime] | None = None
) -> tuple[str, ...]:
    """Pure: what Airflow's health page leaves unproven.

    `began`: since when each process runs; beats before are those of its old copy.
    """
    if not isinstance(document, dict):
        return ("API server",)
    missing = [] if _member(document, "metadatabase", "status") == "healthy" else ["metadata database"]
    parts = [("scheduler", "latest_scheduler_heartbeat"), ("dag_processor", "latest_dag_processor_heartbeat")]
    if triggerer:
        parts.append(("triggerer", "latest_triggerer_heartbeat"))
    for part, heartbeat in parts:
        beat = _moment(_member(document, part, heartbeat))
        since = max((at for name, at in (began or {}).items() if _part_of(name) == part), default=now - FRESH)
        if _member(document, part, "status") != "healthy" or beat is None or beat < max(since, now - FRESH):
            missing.append(part.replace("_", " "))
    return tuple(missing)


def _part_of(process: str) -> str:
    """The health page's word for a process: schedulers are several."""
    return re.sub(r"-\d+$", "", process).replace("-", "_")


def prove(
    environment: Environment,
    http: httpx.Client,
    *,
    began: Callable[[], Mapping[str, datetime] | None],
    door: Callable[[], bool],
    workers: Iterable[str],
    triggerer: bool,
    seconds: float,
    go_on: Callable[[], None],
) -> Health:
    """Ask until everything has answered or time is up.

    `began` tells since when each process runs, None while one has not begun. `door` tells whether the environment's
    host answers as people reach it. `go_on` is called between looks and
    may raise to end it.
    """
    deadline = time.monotonic() + seconds
    silent = set(workers)
    missing: tuple[str, ...] = ("API server",)
    with Ear(environment) as ear:
        while time.monotonic() < deadline:
            go_on()
            heard, since = ear.heard(), began()
            if since is None:
                missing = ("old processes, to end",)
                time.sleep(0.2)
                continue
            silent -= heard
            missing = ask(environment, http, triggerer=triggerer, began=since)
            if not missing and not silent:
                if door():
                    return Health(())
                missing = ("host at the door",)
            time.sleep(0.2)
    return Health((*missing, *sorted(name.partition("@")[0] for name in silent)))


def ask(
    environment: Environment, http: httpx.Client, *, triggerer: bool, began: Mapping[str, datetime] | None = None
) -> tuple[str, ...]:
    """One look at the health page."""
    try:
        answer = http.get(f"http://127.0.0.1:{environment.ports.api}/api/v2/monitor/health", timeout=5)
        document = answer.json() if answer.is_success else None
    except (httpx.HTTPError, ValueError):
        return ("API server",)
    return judge(document, datetime.now(UTC), triggerer=triggerer, began=began)


class Ear:
    """Listens to an environment's worker heartbeats; a broker that is not up yet is tried again at the next look."""

    def __init__(self, environment: Environment) -> None:
        self._client = valkey.Valkey(
            host="127.0.0.1",
            port=environment.ports.broker,
            password=environment.secrets.broker_password,
            socket_timeout=2,
            socket_connect_timeout=2,
        )
        self._listener: valkey.client.PubSub | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._client.close()  # type: ignore[no-untyped-call]

    def heard(self) -> set[str]:
        """Host names of workers that have spoken since the last call."""
        names: set[str] = set()
        try:
            if self._listener is None:
                self._listener = self._client.pubsub()  # type: ignore[no-untyped-call]
                self._listener.psubscribe(_CHANNEL)
            while (message := self._listener.get_message(timeout=0.01)) is not None:
                names |= hostnames(message)
        except (valkey.ValkeyError, OSError):
            self._close()
        return names

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def hostnames(message: object) -> set[str]:
    """Pure: the worker that gives a sign of life in one pub/sub message.

    It is kombu's envelope, with the event as base64 or plain JSON inside.
    """
    data = message.get("data") if isinstance(message, dict) else None
    if not isinstance(data, bytes):
        return set()
    try:
        envelope = json.loads(data)
        body = envelope["body"]
        event = (
            base64.b64decode(body) if envelope.get("properties", {}).get("body_encoding") == "base64" else body.encode()
        )
        said = json.loads(event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
    if (
        not isinstance(said, dict)
        or said.get("type") not in _SIGNS_OF_LIFE
        or not isinstance(said.get("hostname"), str)
    ):
        return set()
    return {said["hostname"]}


def _member(document: dict[str, object], part: str, member: str) -> object:
    value = document.get(part)
    return value.get(member) if isinstance(value, dict) else None


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
