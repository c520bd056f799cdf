"""Whether the service answers, and what runs or lies about that should not: for `tradewind doctor`.

Whose processes are left over is known from the supervisors' own records, with start times, never from names.
"""

import os
import ssl
from collections.abc import Iterator, Sequence

import httpx
import psycopg

from tradewind.bootstrap import announcement, directory
from tradewind.bootstrap.directory import HostState
from tradewind.bootstrap.findings import Finding, error, joined, ok, warning
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST, ObservedManifest, ProcessState
from tradewind.runtime.processes.folders import Folder, has_family, lives
from tradewind.runtime.processes.supervisors import Keeper
from tradewind.settings import Settings
from tradewind.store.server import CONTROL_DATABASE, SUPERUSER, Server

_TRIES_SECONDS = 10
_FAILING = frozenset({ProcessState.FATAL, ProcessState.BACKOFF, ProcessState.EXITED, ProcessState.UNKNOWN})


def service(settings: Settings) -> Iterator[Finding]:
    """The control plane: whether it runs, holds its directory and answers."""
    layout = settings.layout
    told = announcement.recall(layout)
    held = (layout.data / ".lock").exists() and directory.is_held(layout)
    if told is None or told.process() is None:
        if held:
            yield warning("service", "it is just starting or stopping: examine again in some seconds")
        elif told is not None:
            remedy = "tradewind up takes over what still runs; tradewind down stops it"
            yield warning("service", f"service.json is stale: process {told.pid} was killed without stopping", remedy)
        else:
            yield ok("service", "it does not run")
        return
    if not held:
        yield error("service", f"process {told.pid} runs, but does not hold {layout.data}", "tradewind down")
        return
    problem = _ask(told)
    if problem:
        yield error(
            "service", f"it runs (process {told.pid}) but {told.endpoint_url} does not answer: {problem}",
            f"see {layout.logs}/control-plane.log and caddy.log",
        )  # fmt: skip
    else:
        yield ok("service", f"it runs (process {told.pid}) and answers at {told.endpoint_url}")


def _ask(told: announcement.Announcement) -> str:
    """Why the API does not answer; nothing when it does."""
    try:
        context = ssl.create_default_context(cafile=told.ca_bundle)
        with httpx.Client(verify=context, trust_env=False, timeout=_TRIES_SECONDS) as client:
            answer = client.get(f"{told.endpoint_url}/healthz")
    except (httpx.HTTPError, OSError) as problem:
        return str(problem) or type(problem).__name__
    return "" if answer.is_success else f"status {answer.status_code}"


def processes(settings: Settings) -> Iterator[Finding]:
    """Every owner's supervisor and processes, and folders that nobody knows."""
    layout = settings.layout
    if not layout.data.is_dir() or not os.access(layout.supervisor, os.R_OK | os.X_OK):
        return
    told = announcement.recall(layout)
    running = told is not None and told.process() is not None
    known = _known(settings)
    healthy = 0
    for owner in runtime_of(layout).owners():
        found = list(_owner_of_processes(layout, owner, running=running, known=known))
        healthy += not found
        yield from found
    if healthy:
        yield ok("processes", f"{healthy} supervisor{'s run' if healthy != 1 else ' runs'} what is wanted")
    yield from _folders(layout, known)


def _owner_of_processes(
    layout: Layout, owner: str, *, running: bool, known: frozenset[str] | None
) -> Iterator[Finding]:
    """What is wrong with one owner's processes; nothing when all is well."""
    name = "the host's part" if owner == HOST else f"environment {owner}"
    folder = layout.supervisor if owner == HOST else layout.environment(EnvironmentId(owner)).supervisor
    seen = observe(layout, owner)
    alive = [f"{process.name} ({process.pid})" for process in seen.processes if process.pid]
    if owner != HOST and known is not None and owner not in known:
        yield error(
            "processes", f"{name} is not known to the service any more, but may run: {joined(alive)}", "tradewind down"
        )
        return
    if not seen.supervised:
        yield from _without_supervisor(Keeper(owner, Folder(folder), layout.run), name, alive, running=running)
    elif not running:
        yield warning(
            "processes", f"{name} runs although the service does not: {joined(alive)}",
            "tradewind up takes it over; tradewind down stops it",
        )  # fmt: skip
    yield from failing(name, seen)
    for copy in Folder(folder).copies():
        if not lives(copy) and has_family(copy):
            yield warning("processes", f"{copy.name} of {name} has ended, but processes that it started have not")


def _without_supervisor(keeper: Keeper, name: str, alive: Sequence[str], *, running: bool) -> Iterator[Finding]:
    seen = keeper.itself()
    if seen is not None:
        yield error("processes", f"the supervisor of {name} (process {seen.pid}) does not answer", _mends(running))
    elif alive:
        yield error("processes", f"the supervisor of {name} has gone; left over: {joined(alive)}", _mends(running))
    elif running:
        yield error("processes", f"the supervisor of {name} has gone, and nothing of it runs", _mends(running))


def failing(name: str, seen: ObservedManifest) -> Iterator[Finding]:
    """Processes that a living supervisor cannot keep up."""
    for process in seen.processes if seen.supervised else ():
        if process.state in _FAILING:
            remedy = f"its log, {process.name}.log, says why: tradewind logs, or logs/ in the data directory"
            yield error("processes", f"{process.name} of {name} is {process.state.value}", remedy)


def _folders(layout: Layout, known: frozenset[str] | None) -> Iterator[Finding]:
    if known is None or not os.access(layout.environments, os.R_OK | os.X_OK):
        return
    left = sorted(path.name for path in layout.environments.iterdir() if path.name not in known)
    if left:
        yield warning("data directory", f"folders of environments that the service does not know: {joined(left)}")


def _known(settings: Settings) -> frozenset[str] | None:
    """Ids in the store; None when it cannot be asked."""
    state = recall_state(settings.layout)
    if settings.database_url is not None:
        server = Server.from_url(settings.database_url)
    elif state is not None:
        server = Server("127.0.0.1", state.postgres_port, SUPERUSER, state.postgres_password)
    else:
        return None
    try:
        with psycopg.connect(server.url(CONTROL_DATABASE), connect_timeout=3) as connection:
            connection.read_only = True
            rows = connection.execute("SELECT id FROM environments WHERE phase <> 'GONE'").fetchall()
    except psycopg.Error:
        return None
    return frozenset(str(row[0]) for row in rows)


def observe(layout: Layout, owner: str) -> ObservedManifest:
    """What runs for an owner; nothing that we may see counts as nothing."""
    try:
        return runtime_of(layout).observe(owner)
    except PermissionError:
        return ObservedManifest(owner)


def _mends(running: bool) -> str:
    return "the service mends this within seconds" if running else "tradewind up, or tradewind down, ends them"


def recall_state(layout: Layout) -> HostState | None:
    """What the host decided once, where we may look."""
    return directory.recall(layout) if layout.data.is_dir() and os.access(layout.data, os.R_OK | os.X_OK) else None
