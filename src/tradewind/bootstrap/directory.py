"""The data directory: made, checked, and held by one service at a time.

A disk that is full or read-only is told before anything else is tried. As root the directory is 0711 so
that environments' users reach what is theirs; as an ordinary user 0700. What the host decided once (ports,
the superuser's password, how hosts are named) is kept in `host.json`, so that a restart changes nothing.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tradewind.domain.errors import CannotStart
from tradewind.domain.layout import Layout

_MARKS = frozenset({".lock", "host.json"})  # one of ours
# what people may put there before the first `up`
_MAY_BE_THERE = frozenset({"buckets", "settings.toml", "lost+found", "master.key"})
NEEDED_BYTES = 1_500_000_000  # PostgreSQL, one runtime and one environment
ROOM_TO_RESUME_BYTES = 50_000_000


@dataclass(frozen=True)
class HostState:
    """Decided once for a data directory. `web_port`: where environments answer; `names_resolve`: how they are named."""

    postgres_port: int
    postgres_password: str = field(repr=False)
    api_port: int = 0
    web_port: int = 0
    names_resolve: bool = False

    def write(self, layout: Layout) -> None:
        """Keep it, 0600."""
        path = layout.data / "host.json"
        descriptor = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".new").rename(path)


def recall(layout: Layout) -> HostState | None:
    """What was decided before, if this is not the first `up`."""
    path = layout.data / "host.json"
    try:
        return HostState(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise CannotStart(f"cannot read {path}: {error}") from error


def new_password() -> str:
    """A password for PostgreSQL's superuser."""
    return secrets.token_urlsafe(32)


def prepare(layout: Layout, *, as_root: bool) -> None:
    """Make the folders. Raises CannotStart when the disk is full or read-only, or the directory not ours."""
    mode = 0o711 if as_root else 0o700
    try:
        layout.data.mkdir(parents=True, exist_ok=True)
        if layout.data.stat().st_uid != os.geteuid():
            raise CannotStart(f"cannot use the data directory {layout.data}: it belongs to another user")
        _refuse_foreign(layout.data)
        _close_settings(layout.data / "settings.toml")
        layout.data.chmod(mode)
        for folder in (layout.buckets, layout.runtimes, layout.software, layout.environments):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755 if as_root and folder in {layout.runtimes, layout.software} else mode)
        for folder in (layout.logs, layout.supervisor):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711 if as_root and folder == layout.logs else 0o700)
        layout.run.mkdir(exist_ok=True)
        if layout.run.stat().st_uid != os.geteuid() or layout.run.is_symlink():
            raise CannotStart(f"cannot use {layout.run} for sockets: it belongs to another user")
        layout.run.chmod(0o700)
        _try_to_write(layout.data)
    except OSError as error:
        raise CannotStart(f"cannot use the data directory {layout.data}: {error.strerror}") from error
    _check_room(layout)


def _refuse_foreign(folder: Path) -> None:
    """A folder that holds somebody's other things must not become ours: its mode would change, and `/tmp`'s with it."""
    found = {entry.name for entry in folder.iterdir()}
    if not found & _MARKS and found - _MAY_BE_THERE:
        raise CannotStart(
            f"cannot use {folder} as a data directory: it holds other things, and no Tradewind service made it; "
            "name a new or an empty folder"
        )


def _close_settings(file: Path) -> None:
    """They may hold passwords and keys, and as root environments' tasks can pass through the folder."""
    if file.is_file() and not file.is_symlink() and (mode := file.stat().st_mode) & 0o077:
        file.chmod(mode & 0o700)


@contextmanager
def held(layout: Layout) -> Iterator[None]:
    """Hold the directory. Raises CannotStart when another service has it."""
    try:
        file = (layout.data / ".lock").open("a+")
    except OSError as error:
        raise CannotStart(f"cannot use the data directory {layout.data}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip()
            raise CannotStart(
                f"cannot use the data directory {layout.data}: a Tradewind service is running on it"
                + (f" (process {holder})" if holder else "")
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_held(layout: Layout) -> bool:
    """Whether a service has the directory now."""
    try:
        with (layout.data / ".lock").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _try_to_write(folder: Path) -> None:
    probe = folder / ".probe"
    try:
        with probe.open("wb") as file:
            file.write(b"\0" * 65_536)
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def _check_room(layout: Layout) -> None:
    first = not (layout.postgres / "PG_VERSION").exists()
    needed = NEEDED_BYTES if first else ROOM_TO_RESUME_BYTES
    free = shutil.disk_usage(layout.data).free
    if free < needed:
        raise CannotStart(
            f"cannot use the data directory {layout.data}: {free // 1_000_000} MB are free there, "
            f"and {needed // 1_000_000} MB are needed"
        )
