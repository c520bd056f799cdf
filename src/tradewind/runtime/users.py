"""Unix users, where the service runs as root: one per environment, one for PostgreSQL, one that builds.

An ordinary user cannot become another, so there every process runs as the service's own user and
these functions do nothing: isolation between environments then rests on their passwords alone, which
docs/supervision.md says plainly. Names are ours (`tw-...`): nothing else is ever created or removed.
"""

import grp
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tradewind.domain.errors import CannotProvide

POSTGRES = "tw-postgres"
BUILDER = "tw-build"
_PREFIX = "tw-"


@dataclass(frozen=True)
class UnixUser:
    """A user and its own group."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    """Whether this process can become other users."""
    return os.geteuid() == 0


def find(name: str) -> UnixUser | None:
    """The user, if there is one."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return UnixUser(name, entry.pw_uid, entry.pw_gid)


def ensure(name: str) -> UnixUser | None:
    """Make a system user with a group of its own and no way to log in. None when not root."""
    _ours(name)
    if not is_root():
        return None
    if find(name) is None:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        _run([*command, "--shell", "/usr/sbin/nologin", name], f"create the unix user {name}", accept=(0, 9))
    user = find(name)
    if user is None:
        raise CannotProvide(f"cannot create the unix user {name}: it does not exist after it was created")
    return user


def remove(name: str) -> None:
    """Remove a user that `ensure` made. Absent is fine."""
    _ours(name)
    if not is_root():
        return
    if find(name) is not None:
        _run(["userdel", name], f"remove the unix user {name}", accept=(0, 6))
    try:
        grp.getgrnam(name)
    except KeyError:
        return
    _run(["groupdel", name], f"remove the unix group {name}", accept=(0, 6))


def _ours(name: str) -> None:
    if not name.startswith(_PREFIX):
        raise ValueError(f"not a user of this service: {name!r}")


def _run(command: list[str], purpose: str, accept: tuple[int, ...]) -> None:
    program = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        raise CannotProvide(f"cannot {purpose}: the program {command[0]} is not on this machine")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode not in accept:
        raise CannotProvide(f"cannot {purpose}: {done.stderr.strip() or f'status {done.returncode}'}")


def ensure_group(name: str) -> int | None:
    """Make a group and answer its id. None when not root."""
    _ours(name)
    if not is_root():
        return None
    _run(["groupadd", "--system", "--force", name], f"create the unix group {name}", accept=(0, 9))
    return grp.getgrnam(name).gr_gid


def join(user: str, group: str) -> None:
    """Make a user a member of a group. A process that runs already gets it when it is started again."""
    _ours(user)
    _ours(group)
    if is_root() and user not in grp.getgrnam(group).gr_mem:
        _run(["usermod", "--append", "--groups", group, user], f"add the unix user {user} to {group}", accept=(0,))


def bucket_group(folder: Path) -> str:
    """The group of a directory bucket: a short name that follows from its folder."""
    return f"{_PREFIX}b-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
