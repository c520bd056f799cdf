"""What is wrong on this machine, for `tradewind doctor`: looks at everything, changes nothing.

Each check answers findings: ok, a warning (something will be different or may fail later) or an error (something
does not work), each as a sentence, with a remedy where there is one. Deciding what a measurement means is pure;
measuring is small functions around it. A check that fails itself is a finding too, so that one broken part of a
machine does not hide the others. Whose processes are left over is known from the supervisors' own records, with
start times, never from names.
"""

import enum
import os
import platform
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg
import uv

from tradewind.bootstrap import announcement, directory, software
from tradewind.bootstrap.directory import HostState
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.errors import TradewindError
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST, ObservedManifest, ProcessState
from tradewind.routes.door import find_caddy
from tradewind.routes.hosts import HTTPS, allocate_address, can_bind, explain_obstacle, probe_resolution
from tradewind.runtime import users
from tradewind.runtime.processes.folders import Folder, has_family, lives
from tradewind.runtime.processes.supervisors import Keeper
from tradewind.runtime.virtualenvs import choose_interpreter
from tradewind.settings import DEFAULT_PORT, Settings
from tradewind.store.server import CONTROL_DATABASE, SUPERUSER, Server, packaged_binaries

ENVIRONMENT_BYTES = 1_500_000_000  # an idle environment's memory
NEEDED_BYTES, ROOM_TO_RESUME = 1_500_000_000, 50_000_000  # what directory.py insists on
FIRST_BYTES = 5_000_000_000  # disk: one runtime (about 1 GB), the installer's cache, PostgreSQL, an environment
_FILES_NEEDED = 100_000  # a runtime has some 40,000
_TRIES_SECONDS = 10
_PLATFORMS = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
_PIDFD = (5, 4)  # Linux
_ROOT_PROGRAMS = ("useradd", "userdel", "usermod", "groupadd", "groupdel")
_FAILING = frozenset({ProcessState.FATAL, ProcessState.BACKOFF, ProcessState.EXITED, ProcessState.UNKNOWN})


class Severity(enum.Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    severity: Severity
    subject: str
    sentence: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def examine(settings: Settings) -> list[Finding]:
    """Look at everything. Takes some seconds at most."""
    layout = settings.layout
    checks: Mapping[str, Check] = {
        "python": _python,
        "platform": _platform,
        "memory": lambda: memory(*_memory()),
        "disk": lambda: _disk(layout),
        "data directory": lambda: _data_directory(layout),
        "root": _root,
        "software": _software,
        "names": lambda: _names(settings),
        "proxy settings": lambda: proxy_settings(os.environ),
        "ports": lambda: _ports(settings),
        "service": lambda: _service(settings),
        "processes": lambda: _processes(settings),
    }
    return [finding for subject, check in checks.items() for finding in _tried(subject, check)]


def _tried(subject: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except TradewindError as error:
        return [Finding(Severity.ERROR, subject, error.sentence)]
    except Exception as error:  # noqa: BLE001  (see above: the others must still be told)
        return [Finding(Severity.WARNING, subject, f"cannot examine this: {type(error).__name__}: {error}")]


def _ok(subject: str, sentence: str) -> Finding:
    return Finding(Severity.OK, subject, sentence)


def _warning(subject: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(Severity.WARNING, subject, sentence, remedy)


def _error(subject: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(Severity.ERROR, subject, sentence, remedy)


# -- the machine ---------------------------------------------------------------------------------------------


def _python() -> Iterator[Finding]:
    for_others = users.is_root()
    chosen = choose_interpreter(for_others=for_others)
    yield _ok("python", f"{platform.python_version()}; environments use {chosen.version}, {chosen.path}")


def _platform() -> Iterator[Finding]:
    machine, system, release = platform.machine(), platform.system(), platform.release()
    what = f"{system} {release} on {machine}"
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
    if system != "Linux":
        yield _error("platform", f"{what}: Tradewind's processes are supervised by means that only Linux has")
    elif machine.lower() not in _PLATFORMS:
        yield _error("platform", f"{what}: PostgreSQL, Valkey and Caddy come as binaries for x86-64 and ARM64 only")
    elif numbers and numbers < _PIDFD:
        yield _error("platform", f"{what}: processes are told apart by pidfd, which needs Linux 5.4 or newer")
    elif platform.libc_ver()[0] != "glibc":
        yield _error("platform", f"{what}: the binaries need the GNU C library")
    else:
        yield _ok("platform", what)


def memory(available: int, total: int) -> Iterator[Finding]:
    """Judge memory, in bytes."""
    room = available // ENVIRONMENT_BYTES
    sentence = f"{_gb(available)} of {_gb(total)} are free, and an environment needs about {_gb(ENVIRONMENT_BYTES)}"
    if room == 0:
        yield _error("memory", sentence, "close something, or give this machine more memory")
    elif room == 1:
        yield _warning("memory", f"{sentence}: one more will fit")
    else:
        yield _ok("memory", f"{sentence}: {room} more will fit")


def _memory() -> tuple[int, int]:
    """Free and total: the machine's, or the control group's where that allows less."""
    seen = psutil.virtual_memory()
    available, total = int(seen.available), int(seen.total)
    for folder, limit, usage in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            most, used = (int((Path(folder) / name).read_text()) for name in (limit, usage))
        except (OSError, ValueError):  # no such group, or "max"
            continue
        if most < total:
            available, total = max(0, min(available, most - used)), most
    return available, total


def _disk(layout: Layout) -> Iterator[Finding]:
    place = _nearest(layout.data)
    first = not (layout.postgres / "PG_VERSION").exists()
    yield from disk(place, shutil.disk_usage(place).free, first=first)
    seen = os.statvfs(place)
    if seen.f_files and seen.f_favail < _FILES_NEEDED:
        yield _error("disk", f"{place} has room for {seen.f_favail} more files, and an environment has about 40,000")
    if seen.f_flag & os.ST_NOEXEC:
        yield _error("disk", f"{place} is mounted noexec: no environment could execute its Python", "use another disk")


def disk(place: Path, free: int, *, first: bool) -> Iterator[Finding]:
    """Judge free bytes. `first`: nothing is there yet."""
    need = NEEDED_BYTES if first else ROOM_TO_RESUME
    if free < need:
        yield _error("disk", f"{_gb(free)} are free at {place}, and {_gb(need)} are needed", "make room there")
    elif free < FIRST_BYTES:
        yield _warning("disk", f"{_gb(free)} are free at {place}: enough to start, little for several environments")
    else:
        yield _ok("disk", f"{_gb(free)} are free at {place}")


def _root() -> Iterator[Finding]:
    if not users.is_root():
        yield _ok("user", "an ordinary user: environments run as this user, apart by passwords only")
        return
    path = "/usr/sbin:/sbin:/usr/bin:/bin"
    missing = [name for name in _ROOT_PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        remedy = "install it (Debian: the package passwd), or run Tradewind as an ordinary user"
        yield _error("user", f"root, which gives each environment a unix user, but there is no {_and(missing)}", remedy)
    else:
        yield _ok("user", "root: each environment gets a unix user of its own")


def _software() -> Iterator[Finding]:
    layout = Layout(Path("/nonexistent"), Path("/nonexistent"))  # as an ordinary user nothing is copied there
    found: Mapping[str, Callable[[], Sequence[str | Path]]] = {
        "uv": lambda: (uv.find_uv_bin(), "--version"),
        "PostgreSQL": lambda: (packaged_binaries() / "postgres", "--version"),
        "Valkey": lambda: (software.valkey_server(layout, as_root=False), "--version"),
        "Caddy": lambda: (find_caddy(), "version"),
    }
    versions = []
    for name, command in found.items():
        try:
            done = subprocess.run(
                [*map(str, command())], capture_output=True, text=True, check=False, timeout=_TRIES_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired, TradewindError) as error:
            yield _error(name, f"cannot run {name}: {error}", "run make venv")
            continue
        if done.returncode:
            yield _error(
                name, f"cannot run {name}: {done.stderr.strip() or f'status {done.returncode}'}", "run make venv"
            )
        else:
            versions.append(f"{name} {_version(done.stdout)}")
    if versions:
        yield _ok("software", ", ".join(versions))
    yield _ok("software", f"the wheel for environments is {software.packaged_wheel().name}")


# -- the data directory -------------------------------------------------------------------------------------


def _data_directory(layout: Layout) -> Iterator[Finding]:
    place = _nearest(layout.data)
    if place != layout.data:
        if os.access(place, os.W_OK | os.X_OK):
            yield _ok("data directory", f"{layout.data} will be made")
        else:
            remedy = "name another with --data-dir or TRADEWIND_DATA_DIR"
            yield _error("data directory", f"{layout.data} cannot be made: {place} is not writable", remedy)
    elif not layout.data.is_dir():
        yield _error("data directory", f"{layout.data} is no directory")
    elif layout.data.stat().st_uid != os.geteuid():
        remedy = f"run as that user, or name another directory ({_owner(layout.data)} made this one)"
        yield _error("data directory", f"{layout.data} belongs to another user", remedy)
    elif not os.access(layout.data, os.W_OK | os.X_OK):
        yield _error("data directory", f"{layout.data} is not writable, or its disk is read-only")
    else:
        yield _ok("data directory", f"{layout.data} is ours and writable")
    if users.is_root():
        yield from _ways(layout.data)


def _ways(data: Path) -> Iterator[Finding]:
    """As root: whether environments' own users can get as far as the data directory (which is 0711 itself)."""
    shut = [folder for folder in reversed(data.parents) if folder.exists() and not folder.stat().st_mode & 0o001]
    if shut:
        yield _error(
            "data directory",
            f"{shut[0]} is closed to other users, so environments' own users cannot reach {data}",
            "use a directory like /var/lib/tradewind",
        )


def _host_state(layout: Layout) -> HostState | None:
    return directory.recall(layout) if layout.data.is_dir() and os.access(layout.data, os.R_OK | os.X_OK) else None


# -- names and ports ----------------------------------------------------------------------------------------


def _names(settings: Settings) -> Iterator[Finding]:
    state = _host_state(settings.layout)
    resolves = probe_resolution(settings.domain)
    loopback = resolves or can_bind(allocate_address((), "examination"), 0)
    yield from names(
        settings.domain, resolves=resolves, loopback=loopback, before=None if state is None else state.names_resolve
    )


def names(domain: str, *, resolves: bool, loopback: bool, before: bool | None) -> Iterator[Finding]:
    """Judge how environments can be named. `before`: how this data directory names them, None for a new one."""
    if before and not resolves:
        yield _error(
            "names",
            f"*.{domain} led to this machine when environments were named so, and does not any more",
            "mend the resolver, or stop and start the service: it will give each environment an address",
        )
    elif resolves:
        yield _ok("names", f"*.{domain} leads to this machine")
    elif loopback:
        yield _ok("names", f"*.{domain} does not resolve here: each environment gets a loopback address of its own")
    else:
        yield _error(
            "names",
            f"*.{domain} does not resolve here, and addresses of 127.0.0.0/8 beside 127.0.0.1 cannot be used",
            "set TRADEWIND_DOMAIN to a domain whose names lead to this machine",
        )


def proxy_settings(surroundings: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a web proxy would get the clients' requests for this very machine."""
    proxy = surroundings.get("HTTPS_PROXY") or surroundings.get("https_proxy") or surroundings.get("ALL_PROXY")
    spared = {part.strip() for part in (surroundings.get("NO_PROXY") or surroundings.get("no_proxy") or "").split(",")}
    if proxy and not {"localhost", "*"} & spared:
        yield _warning(
            "proxy settings",
            "HTTPS_PROXY is set and NO_PROXY lacks localhost: AWS's clients would ask the proxy for this machine",
            "export NO_PROXY=localhost,127.0.0.0/8,.localhost",
        )


def _ports(settings: Settings) -> Iterator[Finding]:
    state = _host_state(settings.layout)
    running = {process.name for process in _observe(settings.layout, HOST).processes if process.pid}
    wanted = settings.port or (state.api_port if state else DEFAULT_PORT)
    ours = "caddy" in running and state is not None and wanted == state.api_port
    yield from port("API", wanted, ours=ours, free=can_bind("127.0.0.1", wanted), named=settings.port is not None)
    if state is not None:
        free = can_bind("127.0.0.1", state.postgres_port)
        if settings.database_url is None:
            yield from port("PostgreSQL", state.postgres_port, ours="postgres" in running, free=free, named=False)
    if state is None or "caddy" not in running:
        address = "127.0.0.1" if probe_resolution(settings.domain) else allocate_address((), "examination")
        if can_bind(address, HTTPS):
            yield _ok("ports", "443 may be had: environments' addresses need no port")
        else:
            why = explain_obstacle(address, HTTPS).partition(": ")[2]
            yield _ok("ports", f"443 may not be had ({why}): environments answer on the API's port")
    elif state.web_port != state.api_port:
        yield _ok("ports", f"environments answer on {state.web_port}")


def port(what: str, number: int, *, ours: bool, free: bool, named: bool) -> Iterator[Finding]:
    """Judge one port."""
    if ours:
        yield _ok("ports", f"{number} ({what}) is ours")
    elif free:
        yield _ok("ports", f"{number} ({what}) is free")
    else:
        why = explain_obstacle("127.0.0.1", number).removeprefix("cannot listen on 127.0.0.1 ")
        if named:
            yield _error("ports", f"{why}: {what}", "name another with --port, or leave it out")
        else:
            yield _warning("ports", f"{why}: the {what} will get another one")


# -- the service and its processes ---------------------------------------------------------------------------


def _service(settings: Settings) -> Iterator[Finding]:
    layout = settings.layout
    told = announcement.recall(layout)
    held = (layout.data / ".lock").exists() and directory.is_held(layout)
    if told is None or told.process() is None:
        if held:
            yield _warning("service", "it is just starting or stopping: examine again in some seconds")
        elif told is not None:
            remedy = "tradewind up takes over what still runs; tradewind down stops it"
            yield _warning("service", f"service.json is stale: process {told.pid} was killed without stopping", remedy)
        else:
            yield _ok("service", "it does not run")
        return
    if not held:
        yield _error("service", f"process {told.pid} runs, but does not hold {layout.data}", "tradewind down")
        return
    problem = _ask(told)
    if problem:
        yield _error(
            "service", f"it runs (process {told.pid}) but {told.endpoint_url} does not answer: {problem}",
            f"see {layout.logs}/control-plane.log and caddy.log",
        )  # fmt: skip
    else:
        yield _ok("service", f"it runs (process {told.pid}) and answers at {told.endpoint_url}")


def _ask(told: announcement.Announcement) -> str:
    """Why the API does not answer; nothing when it does."""
    try:
        context = ssl.create_default_context(cafile=told.ca_bundle)
        with httpx.Client(verify=context, trust_env=False, timeout=_TRIES_SECONDS) as client:
            answer = client.get(f"{told.endpoint_url}/healthz")
    except (httpx.HTTPError, OSError) as error:
        return str(error) or type(error).__name__
    return "" if answer.is_success else f"status {answer.status_code}"


def _processes(settings: Settings) -> Iterator[Finding]:
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
        yield _ok("processes", f"{healthy} supervisor{'s run' if healthy != 1 else ' runs'} what is wanted")
    yield from _folders(layout, known)


def _owner_of_processes(
    layout: Layout, owner: str, *, running: bool, known: frozenset[str] | None
) -> Iterator[Finding]:
    """What is wrong with one owner's processes; nothing when all is well."""
    name = "the host's part" if owner == HOST else f"environment {owner}"
    folder = layout.supervisor if owner == HOST else layout.environment(EnvironmentId(owner)).supervisor
    seen = _observe(layout, owner)
    alive = [f"{process.name} ({process.pid})" for process in seen.processes if process.pid]
    if owner != HOST and known is not None and owner not in known:
        yield _error(
            "processes", f"{name} is not known to the service any more, but may run: {_and(alive)}", "tradewind down"
        )
        return
    if not seen.supervised:
        yield from _without_supervisor(Keeper(owner, Folder(folder), layout.run), name, alive, running=running)
    elif not running:
        yield _warning(
            "processes", f"{name} runs although the service does not: {_and(alive)}",
            "tradewind up takes it over; tradewind down stops it",
        )  # fmt: skip
    yield from failing(name, seen)
    for copy in Folder(folder).copies():
        if not lives(copy) and has_family(copy):
            yield _warning("processes", f"{copy.name} of {name} has ended, but processes that it started have not")


def _without_supervisor(keeper: Keeper, name: str, alive: Sequence[str], *, running: bool) -> Iterator[Finding]:
    seen = keeper.itself()
    if seen is not None:
        yield _error("processes", f"the supervisor of {name} (process {seen.pid}) does not answer", _mends(running))
    elif alive:
        yield _error("processes", f"the supervisor of {name} has gone; left over: {_and(alive)}", _mends(running))
    elif running:
        yield _error("processes", f"the supervisor of {name} has gone, and nothing of it runs", _mends(running))


def failing(name: str, seen: ObservedManifest) -> Iterator[Finding]:
    """Processes that a living supervisor cannot keep up."""
    for process in seen.processes if seen.supervised else ():
        if process.state in _FAILING:
            remedy = f"its log, {process.name}.log, says why: tradewind logs, or logs/ in the data directory"
            yield _error("processes", f"{process.name} of {name} is {process.state.value}", remedy)


def _folders(layout: Layout, known: frozenset[str] | None) -> Iterator[Finding]:
    if known is None or not os.access(layout.environments, os.R_OK | os.X_OK):
        return
    left = sorted(path.name for path in layout.environments.iterdir() if path.name not in known)
    if left:
        yield _warning("data directory", f"folders of environments that the service does not know: {_and(left)}")


def _known(settings: Settings) -> frozenset[str] | None:
    """Ids in the store; None when it cannot be asked."""
    state = _host_state(settings.layout)
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


# -- words ---------------------------------------------------------------------------------------------------


def _observe(layout: Layout, owner: str) -> ObservedManifest:
    try:
        return runtime_of(layout).observe(owner)
    except PermissionError:
        return ObservedManifest(owner)


def _mends(running: bool) -> str:
    return "the service mends this within seconds" if running else "tradewind up, or tradewind down, ends them"


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return f"user {path.stat().st_uid}"


def _version(text: str) -> str:
    words = text.replace("v=", "").split()
    return next((word.lstrip("v").rstrip(",") for word in words if word.lstrip("v")[:1].isdigit()), "?")


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def _and(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
