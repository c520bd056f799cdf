"""Turn one of supervisord's children into the program that was asked for.

Stand-alone: standard library only, run by path. `python -I -S launcher.py PROGRAM` reads `programs/PROGRAM.json` in
the current directory (the owner's folder: no secret ever stands on a command line), waits until every older copy of
that process has gone, writes down who it is (`records/PROGRAM.json`), becomes the user, and executes the program in
the same pid. So supervisord's child *is* the program.

Three facts of Linux decide the order. setuid clears the parent-death signal, so privileges go first. The signal is
not sent for a parent that died before it was set, so the parent is checked after. And the service's interpreter may
lie in a home that the user cannot enter, so everything is imported, and every file of the service opened, before.

A process is told by boot, pid and start time, never by pid alone; its family is the session that it leads. The same
names are used by the rest of this room, which imports them from here.

A program with a path in `TRADEWIND_LISTEN` gets a socket that listens there (`TRADEWIND_LISTEN_FD`), made with our
rights: in a folder of ours its user cannot put another in its place.
`launcher.py --run FD PARENT` executes a command described in an open file instead: no waiting, no record, no log of
its own.
"""

# ruff: noqa: PTH103, PTH105, PTH108, PTH116, PTH119, PTH120, PTH123, PTH208
# pathlib would make the start of every program a fifth longer

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import select
import signal
import socket
import stat
import sys
import time
import warnings  # noqa: F401  os.execvpe imports it late: when this interpreter's own files can no longer be read
from typing import Any, NamedTuple, NoReturn

CANNOT_PREPARE = 126
CANNOT_EXECUTE = 127
PARENT_GONE = 125

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Seen(NamedTuple):
    """One line of the process table. `started` is in clock ticks since boot and never changes, not even by exec."""

    pid: int
    parent: int
    session: int
    started: int


def boot() -> str:
    """Name this boot: pids and start times mean nothing in another one."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def look(pid: int) -> Seen | None:
    """Find a living process; one that is dead but not reaped is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if not fields or fields[0] in (b"Z", b"X"):
        return None
    return Seen(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def everyone() -> list[Seen]:
    """Everything that lives on this machine, as far as we may see it."""
    return [seen for name in os.listdir("/proc") if name.isdigit() and (seen := look(int(name)))]


def identify(pid: int) -> dict[str, Any]:
    """Describe a living process so that it can be found again and mistaken for no other."""
    seen = look(pid)
    return {"pid": pid, "started": seen.started if seen else -1, "boot": boot()}


def find(identity: dict[str, Any]) -> Seen | None:
    """The very process of that identity, if it lives."""
    seen = look(identity["pid"])
    return seen if seen and seen.started == identity["started"] and boot() == identity["boot"] else None


def is_there(seen: Seen) -> bool:
    """Whether this very process still lives, whatever its parent and session are by now."""
    now = look(seen.pid)
    return now is not None and now.started == seen.started


def signal_exactly(seen: Seen, number: int) -> bool:
    """Signal this process and no later one with its pid. False when it has gone or is not ours to signal."""
    try:
        handle = os.pidfd_open(seen.pid)
    except OSError:
        return False
    try:
        if not is_there(seen):  # the handle holds whoever has the pid now
            return False
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def family(identity: dict[str, Any]) -> list[Seen]:
    """Whoever lives in the session that this process leads or led, itself included.

    A pid is not given out again while it names a session. So when another process has it, the session ended long ago.
    """
    leader = look(identity["pid"])
    if boot() != identity["boot"] or (leader and leader.started != identity["started"]):
        return []
    return [seen for seen in everyone() if seen.session == identity["pid"] and seen.started >= identity["started"]]


def end_family(identity: dict[str, Any]) -> bool:
    """Kill the whole session. Repeated, since a member may fork while we look; True when nobody is left."""
    for _ in range(40):
        members = family(identity)
        if not members:
            return True
        for seen in members:
            signal_exactly(seen, signal.SIGKILL)
        time.sleep(0.025)
    return False


def read_json(path: str) -> dict[str, Any] | None:
    """Read a file of ours; one that is absent, or that a crash cut short, is None."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: str, value: dict[str, Any]) -> None:
    """Replace a file as a whole, readable by ourselves only."""
    draft = f"{path}.{os.getpid()}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(draft, path)


def tell(record: dict[str, Any], told: str) -> float:
    """Give a program its stop signal once, whoever tries: two may mean "at once" to it.

    Answers when it got it, on the monotonic clock.
    """
    earlier = read_json(told)
    if earlier and earlier.get("pid") == record["pid"] and earlier.get("started") == record["started"]:
        return float(earlier["at"])
    now = time.monotonic()
    write_json(told, {"pid": record["pid"], "started": record["started"], "at": now})
    if seen := find(record):
        signal_exactly(seen, signal.Signals[f"SIG{record['stop_signal']}"])
    return now


def _say(sentence: str) -> None:
    os.write(2, f"tradewind: {sentence}\n".encode(errors="replace"))


def _fail(sentence: str, status: int) -> NoReturn:
    _say(sentence)
    os._exit(status)


def _because(error: OSError) -> str:
    return error.strerror or str(error)


def _die_with_parent(number: int, parent: int) -> None:
    """Ask for `number` when the parent dies (0: for nothing), and end here when it is dead already."""
    if _LIBC.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        _fail(f"cannot watch the supervisor: {os.strerror(ctypes.get_errno())}", CANNOT_PREPARE)
    _check_parent(parent)


def _check_parent(parent: int) -> None:
    if os.getppid() != parent:
        _fail("cannot start: the supervisor that asked for it has gone", PARENT_GONE)


def _lead_a_session() -> None:
    # supervisord made us the leader of a group, and such a one may not call setsid: step back into its group first.
    os.setpgid(0, os.getpgid(os.getppid()))
    os.setsid()


def _outlive(name: str, program: str, parent: int) -> None:
    """Return when no older copy of this process lives, nor anything that one left behind."""
    for file in sorted(os.listdir("records")):
        older, dot, kind = file.rpartition(".")
        record = read_json(f"records/{file}") if dot and kind == "json" and older.rpartition("@")[0] == name else None
        if record is None:
            continue
        _wait_for(record, f"records/{older}.told", parent)
        if not end_family(record):
            _fail(
                f"cannot start: what an older copy (session {record['pid']}) left behind cannot be ended",
                CANNOT_PREPARE,
            )
        if older != program:
            os.unlink(f"records/{file}")
        _forget(f"records/{older}.told")


def _wait_for(record: dict[str, Any], told: str, parent: int) -> None:
    """Wait until an older copy has gone, or until its time is over.

    Under our own supervisor it is being stopped, in its time. Otherwise its supervisor was killed: one that drains
    is told so now, any other has been told by its parent's death.
    """
    began = time.monotonic()
    said = False
    while seen := find(record):
        if seen.parent != parent:
            since = tell(record, told) if record["drains"] else began
            if time.monotonic() >= since + record["stop_seconds"]:
                return
        if not said and time.monotonic() >= began + 1:
            said = True
            _say(f"waiting for an older copy, pid {record['pid']}, to end")
        _check_parent(parent)
        _sleep_until_gone(seen, 0.5)


def _sleep_until_gone(seen: Seen, seconds: float) -> None:
    try:
        handle = os.pidfd_open(seen.pid)
    except OSError:
        return
    try:
        select.select([handle], [], [], seconds if is_there(seen) else 0)
    finally:
        os.close(handle)


def _forget(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def only_ours(path: str) -> bool:
    """No directory on the way, as spelt and as it really is, can be changed by anyone but root."""
    for start in (path, os.path.realpath(path)):
        here = os.path.dirname(start)
        while True:
            with contextlib.suppress(FileNotFoundError):  # what we are about to make is ours
                found = os.stat(here)
                if found.st_uid != 0 or (found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX):
                    return False
            if here == "/":
                break
            here = os.path.dirname(here)
    return True


def _open_log(path: str, user: int) -> int:
    """Open the log to append, owned by the user.

    First with the user's own rights, so that no link in a directory of theirs can lead us astray. Where they may not
    write, with ours, and only if the way there is ours alone.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    ourselves = os.geteuid()
    try:
        os.seteuid(user)
        try:
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
            descriptor = os.open(path, flags, 0o600)
        finally:
            os.seteuid(ourselves)
    except PermissionError:
        if ourselves == user or not only_ours(path):
            raise
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise OSError(0, "it is not a plain file")
    if found.st_uid != user:
        os.fchown(descriptor, user, -1)
    os.set_blocking(descriptor, True)
    return descriptor


def _account(spec: dict[str, Any]) -> "pwd.struct_passwd | None":
    """Whom to become; None to stay who we are, which is all that an ordinary user can."""
    if spec["user"] is None or os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(spec["user"])
    except KeyError:
        _fail(f"cannot start: there is no user {spec['user']!r}", CANNOT_PREPARE)


def _write_to_log(spec: dict[str, Any], user: int) -> None:
    try:
        log = _open_log(spec["log"], user)
    except OSError as error:
        _fail(f"cannot open the log {spec['log']}: {_because(error)}", CANNOT_PREPARE)
    os.dup2(log, 1)
    os.dup2(log, 2)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)


def _listen(path: str, user: int) -> int:
    """Make the user's socket at this path anew, from within its folder: such a path holds 107 bytes only."""
    os.chdir(os.path.dirname(path))
    _forget(name := os.path.basename(path))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)  # nobody else's, by our umask
    os.chown(name, user, -1, follow_symlinks=False)
    listener.listen(64)
    return fcntl.fcntl(listener.detach(), fcntl.F_DUPFD, 3)  # exec keeps it


def _execute(spec: dict[str, Any]) -> NoReturn:
    """Become the program. Python ignores SIGPIPE and SIGXFSZ, and exec would hand that on."""
    try:
        os.chdir(spec["directory"])
    except OSError as error:
        _fail(f"cannot enter {spec['directory']}: {_because(error)}", CANNOT_PREPARE)
    os.umask(0o077)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    command = spec["command"]
    try:
        os.execvpe(command[0], command, spec["environment"])  # noqa: S606
    except (OSError, ValueError) as error:
        reason = _because(error) if isinstance(error, OSError) else str(error)
        _fail(f"cannot execute {command[0]}: {reason}", CANNOT_EXECUTE)


def _begin(spec: dict[str, Any], parent: int, *, logged: bool) -> NoReturn:
    """User, then parent-death signal, then parent, then program."""
    account = _account(spec)
    if account:
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
    user = account.pw_uid if account else os.geteuid()
    if logged:
        _write_to_log(spec, user)
    if path := spec["environment"].get("TRADEWIND_LISTEN"):
        spec["environment"]["TRADEWIND_LISTEN_FD"] = str(_listen(path, user))
    if account:
        os.setuid(user)
    word = spec["parent_death_signal"]
    _die_with_parent(0 if spec["drains"] else signal.Signals[f"SIG{word}"], parent)
    _execute(spec)


def launch(program: str) -> NoReturn:
    """Start one program of the owner whose folder is the current directory."""
    parent = int(os.environ["TRADEWIND_SUPERVISOR"])
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _die_with_parent(signal.SIGKILL, parent)
    _lead_a_session()
    os.umask(0o077)
    spec = read_json(f"programs/{program}.json")
    if spec is None:
        _fail(f"cannot start {program}: programs/{program}.json cannot be read", CANNOT_PREPARE)
    # One launcher of a name at a time. The lock goes with exec: from then on the record says who runs, and a grandchild
    # that outlives the program holds nothing.
    lock = os.open(f"locks/{spec['name']}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _check_parent(parent)
    _outlive(spec["name"], program, parent)
    kept = {key: spec[key] for key in ("name", "digest", "stop_signal", "stop_seconds", "drains")}
    write_json(f"records/{program}.json", identify(os.getpid()) | kept)
    _begin(spec, parent, logged=True)


def main() -> NoReturn:
    """Run as a program."""
    if sys.argv[1] == "--run":
        with open(int(sys.argv[2]), encoding="utf-8") as file:
            spec = json.load(file)
        _begin(spec, int(sys.argv[3]), logged=False)
    launch(sys.argv[1])


if __name__ == "__main__":
    main()
