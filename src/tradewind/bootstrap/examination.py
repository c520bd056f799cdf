"""What is wrong on this machine, for `tradewind doctor`: looks at everything, changes nothing.

Each check answers findings: ok, a warning (something will be different or may fail later) or an error (something
does not work), each as a sentence, with a remedy where there is one. Deciding what a measurement means is pure;
measuring is small functions around it. A check that fails itself is a finding too, so that one broken part of a
machine does not hide the others. Whose processes are left over is known from the supervisors' own records, with
start times, never from names.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import uv

from tradewind.bootstrap import software
from tradewind.bootstrap.directory import NEEDED_BYTES, ROOM_TO_RESUME_BYTES
from tradewind.bootstrap.entrances import problem
from tradewind.bootstrap.findings import Check, Finding, Severity, error, joined, ok, warning
from tradewind.bootstrap.leftovers import observe, processes, recall_state, service
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.domain.errors import TradewindError
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST, ProcessState
from tradewind.routes.door import find_caddy
from tradewind.routes.hosts import HTTPS, allocate_address, can_bind, explain_obstacle, probe_resolution
from tradewind.runtime import users
from tradewind.runtime.virtualenvs import choose_interpreter
from tradewind.settings import DEFAULT_PORT, Settings
from tradewind.store.server import packaged_binaries

ENVIRONMENT_BYTES = 1_500_000_000  # an idle environment's memory
FIRST_BYTES = 5_000_000_000  # disk: one runtime (about 1 GB), the installer's cache, PostgreSQL, an environment
_FILES_NEEDED = 100_000  # a runtime has some 40,000
_TRIES_SECONDS = 10
_PLATFORMS = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
_PIDFD = (5, 4)  # Linux
_ROOT_PROGRAMS = ("useradd", "userdel", "usermod", "groupadd", "groupdel")
_FAILING = frozenset({ProcessState.FATAL, ProcessState.BACKOFF, ProcessState.EXITED, ProcessState.UNKNOWN})


def examine(settings: Settings) -> list[Finding]:
    """Look at everything. Takes some seconds at most."""
    layout = settings.layout
    checks: Mapping[str, Check] = {
        "python": _python,
        "platform": _platform,
        "memory": lambda: memory(*_memory()),
        "disk": lambda: _disk(layout),
        "data directory": lambda: _data_directory(layout),
        "master key": lambda: _master_key(settings),
        "root": _root,
        "software": _software,
        "names": lambda: _names(settings),
        "proxy settings": lambda: proxy_settings(os.environ),
        "ports": lambda: _ports(settings),
        "certificate": lambda: _certificate(settings),
        "service": lambda: service(settings),
        "processes": lambda: processes(settings),
    }
    return [finding for subject, check in checks.items() for finding in _tried(subject, check)]


def _tried(subject: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except TradewindError as error:
        return [Finding(Severity.ERROR, subject, error.sentence)]
    except Exception as error:  # noqa: BLE001  (see above: the others must still be told)
        return [Finding(Severity.WARNING, subject, f"cannot examine this: {type(error).__name__}: {error}")]


# -- the machine ---------------------------------------------------------------------------------------------


def _python() -> Iterator[Finding]:
    for_others = users.is_root()
    chosen = choose_interpreter(for_others=for_others)
    yield ok("python", f"{platform.python_version()}; environments use {chosen.version}, {chosen.path}")


def _platform() -> Iterator[Finding]:
    machine, system, release = platform.machine(), platform.system(), platform.release()
    what = f"{system} {release} on {machine}"
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
    if system != "Linux":
        yield error("platform", f"{what}: Tradewind's processes are supervised by means that only Linux has")
    elif machine.lower() not in _PLATFORMS:
        yield error("platform", f"{what}: PostgreSQL, Valkey and Caddy come as binaries for x86-64 and ARM64 only")
    elif numbers and numbers < _PIDFD:
        yield error("platform", f"{what}: processes are told apart by pidfd, which needs Linux 5.4 or newer")
    elif platform.libc_ver()[0] != "glibc":
        yield error("platform", f"{what}: the binaries need the GNU C library")
    else:
        yield ok("platform", what)


def memory(available: int, total: int) -> Iterator[Finding]:
    """Judge memory, in bytes."""
    room = available // ENVIRONMENT_BYTES
    sentence = f"{_gb(available)} of {_gb(total)} are free, and an environment needs about {_gb(ENVIRONMENT_BYTES)}"
    if room == 0:
        yield error("memory", sentence, "close something, or give this machine more memory")
    elif room == 1:
        yield warning("memory", f"{sentence}: one more will fit")
    else:
        yield ok("memory", f"{sentence}: {room} more will fit")


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
        yield error("disk", f"{place} has room for {seen.f_favail} more files, and an environment has about 40,000")
    if seen.f_flag & os.ST_NOEXEC:
        yield error("disk", f"{place} is mounted noexec: no environment could execute its Python", "use another disk")


def disk(place: Path, free: int, *, first: bool) -> Iterator[Finding]:
    """Judge free bytes. `first`: nothing is there yet."""
    need = NEEDED_BYTES if first else ROOM_TO_RESUME_BYTES
    if free < need:
        yield error("disk", f"{_gb(free)} are free at {place}, and {_gb(need)} are needed", "make room there")
    elif free < FIRST_BYTES:
        yield warning("disk", f"{_gb(free)} are free at {place}: enough to start, little for several environments")
    else:
        yield ok("disk", f"{_gb(free)} are free at {place}")


def _root() -> Iterator[Finding]:
    if not users.is_root():
        yield ok("user", "an ordinary user: environments run as this user, apart by passwords only")
        return
    path = "/usr/sbin:/sbin:/usr/bin:/bin"
    missing = [name for name in _ROOT_PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        remedy = "install it (Debian: the package passwd), or run Tradewind as an ordinary user"
        yield error(
            "user", f"root, which gives each environment a unix user, but there is no {joined(missing)}", remedy
        )
    else:
        yield ok("user", "root: each environment gets a unix user of its own")


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
        except (OSError, subprocess.TimeoutExpired, TradewindError) as problem:
            yield error(name, f"cannot run {name}: {problem}", "run make venv")
            continue
        if done.returncode:
            yield error(
                name, f"cannot run {name}: {done.stderr.strip() or f'status {done.returncode}'}", "run make venv"
            )
        else:
            versions.append(f"{name} {_version(done.stdout)}")
    if versions:
        yield ok("software", ", ".join(versions))
    yield ok("software", f"the wheel for environments is {software.packaged_wheel().name}")


# -- the data directory -------------------------------------------------------------------------------------


def _data_directory(layout: Layout) -> Iterator[Finding]:
    place = _nearest(layout.data)
    if place != layout.data:
        if os.access(place, os.W_OK | os.X_OK):
            yield ok("data directory", f"{layout.data} will be made")
        else:
            remedy = "name another with --data-dir or TRADEWIND_DATA_DIR"
            yield error("data directory", f"{layout.data} cannot be made: {place} is not writable", remedy)
    elif not layout.data.is_dir():
        yield error("data directory", f"{layout.data} is no directory")
    elif layout.data.stat().st_uid != os.geteuid():
        remedy = f"run as that user, or name another directory ({_owner(layout.data)} made this one)"
        yield error("data directory", f"{layout.data} belongs to another user", remedy)
    elif not os.access(layout.data, os.W_OK | os.X_OK):
        yield error("data directory", f"{layout.data} is not writable, or its disk is read-only")
    else:
        yield ok("data directory", f"{layout.data} is ours and writable")
    if users.is_root():
        yield from _ways(layout.data)


def _master_key(settings: Settings) -> Iterator[Finding]:
    """What is wrong with it is told by whoever reads it."""
    _, source = open_sealing(settings)
    yield ok("master key", f"secrets are sealed with that of {source.words}")


def _ways(data: Path) -> Iterator[Finding]:
    """As root: whether environments' own users can get as far as the data directory (which is 0711 itself)."""
    shut = [folder for folder in reversed(data.parents) if folder.exists() and not folder.stat().st_mode & 0o001]
    if shut:
        yield error(
            "data directory",
            f"{shut[0]} is closed to other users, so environments' own users cannot reach {data}",
            "use a directory like /var/lib/tradewind",
        )


# -- names and ports ----------------------------------------------------------------------------------------


def _certificate(settings: Settings) -> Iterator[Finding]:
    if wrong := problem(settings):
        yield error("certificate", wrong)
    else:
        yield ok("certificate", f"tls = {settings.tls.kind}")


def _names(settings: Settings) -> Iterator[Finding]:
    if settings.tls.kind != "internal":
        yield ok("names", f"environments are named below {settings.domain}, whose names must lead to the door")
        return
    state = recall_state(settings.layout)
    resolves = probe_resolution(settings.domain)
    loopback = resolves or can_bind(allocate_address((), "examination"), 0)
    yield from names(
        settings.domain, resolves=resolves, loopback=loopback, before=None if state is None else state.names_resolve
    )


def names(domain: str, *, resolves: bool, loopback: bool, before: bool | None) -> Iterator[Finding]:
    """Judge how environments can be named. `before`: how this data directory names them, None for a new one."""
    if before and not resolves:
        yield error(
            "names",
            f"*.{domain} led to this machine when environments were named so, and does not any more",
            "mend the resolver, or stop and start the service: it will give each environment an address",
        )
    elif resolves:
        yield ok("names", f"*.{domain} leads to this machine")
    elif loopback:
        yield ok("names", f"*.{domain} does not resolve here: each environment gets a loopback address of its own")
    else:
        yield error(
            "names",
            f"*.{domain} does not resolve here, and addresses of 127.0.0.0/8 beside 127.0.0.1 cannot be used",
            "set TRADEWIND_DOMAIN to a domain whose names lead to this machine",
        )


def proxy_settings(surroundings: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a web proxy would get the clients' requests for this very machine."""
    proxy = surroundings.get("HTTPS_PROXY") or surroundings.get("https_proxy") or surroundings.get("ALL_PROXY")
    spared = {part.strip() for part in (surroundings.get("NO_PROXY") or surroundings.get("no_proxy") or "").split(",")}
    if proxy and not {"localhost", "*"} & spared:
        yield warning(
            "proxy settings",
            "HTTPS_PROXY is set and NO_PROXY lacks localhost: AWS's clients would ask the proxy for this machine",
            "export NO_PROXY=localhost,127.0.0.0/8,.localhost",
        )


def _ports(settings: Settings) -> Iterator[Finding]:
    state = recall_state(settings.layout)
    running = {process.name for process in observe(settings.layout, HOST).processes if process.pid}
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
            yield ok("ports", "443 may be had: environments' addresses need no port")
        else:
            why = explain_obstacle(address, HTTPS).partition(": ")[2]
            yield ok("ports", f"443 may not be had ({why}): environments answer on the API's port")
    elif state.web_port != state.api_port:
        yield ok("ports", f"environments answer on {state.web_port}")


def port(what: str, number: int, *, ours: bool, free: bool, named: bool) -> Iterator[Finding]:
    """Judge one port."""
    if ours:
        yield ok("ports", f"{number} ({what}) is ours")
    elif free:
        yield ok("ports", f"{number} ({what}) is free")
    else:
        why = explain_obstacle("127.0.0.1", number).removeprefix("cannot listen on 127.0.0.1 ")
        if named:
            yield error("ports", f"{why}: {what}", "name another with --port, or leave it out")
        else:
            yield warning("ports", f"{why}: the {what} will get another one")


# -- words ---------------------------------------------------------------------------------------------------


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
