"""A process that has parsed one DAG file, once, and that each of its tasks' processes is a fork of.

The nursery (`nursery`) hands it connections of Celery slots (SOCK_SEQPACKET, whole messages of JSON); a slot has one
task at a time. On a slot's connection:

    zygote  {"parsed": true}         the connection is this zygote's
    slot    {"task": true}           with four descriptors: requests, stdout, stderr, logs
    zygote  {"pid": 123}
    zygote  {"status": 0}            when the process has ended: its exit status, negative for a signal
    slot    {"heard": true}          and only then the process id can become another's

It ends when the nursery lets go of it and no task is left, when nobody has had a task for a while, and when it is old.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tradewind_airflow.engine.inheritance import Inheritance
from tradewind_airflow.zygotes.parsed import File, Output, Parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DESCRIPTORS = 4
MESSAGE_MOST = 1 << 12
IDLE_SECONDS = 20.0
AGE_SECONDS = 900.0
_REASONS_MOST = 1000
_TELL_SECONDS = 1.0
USED = b"used"
_NOT_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)  # a group's: its tasks decide for themselves
_F_SETSIG = getattr(fcntl, "F_SETSIG", 10)  # Python's own name for it is new


@dataclass(frozen=True)
class Task:
    """What all tasks' processes of a zygote begin with. `begin`: what each does once it is connected."""

    parsed: Parsed
    output: Output
    begin: Callable[[], None]


def serve(control: socket.socket, file: File, begin: Callable[[], None], ceiling: int) -> NoReturn:
    """The zygote's life. It tells the nursery whether it has parsed the file, or why it must not be inherited."""
    _title(file)
    atexit._clear()  # noqa: SLF001  (the worker's; the file's own are its tasks')
    output = Output()
    with _killed_with(control):
        parsed = _parsed(file, output)
        reasons = parsed if isinstance(parsed, str) else "; ".join(parsed.reasons)
        if not reasons and (resident := _resident()) > ceiling:
            reasons = f"its zygote occupies {resident} bytes, more than {ceiling}"
    if isinstance(parsed, str) or reasons:
        say(control, refused=reasons.encode("ascii", "backslashreplace")[:_REASONS_MOST].decode())
        os._exit(0)
    for number in _NOT_OURS:
        signal.signal(number, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    say(control, parsed=True)
    Zygote(control, Task(parsed, output, begin)).serve()
    os._exit(0)


@dataclass
class _Running:
    """A task's process. `ended`: it is a zombie now, until its slot has heard of that; `pidfd` is closed then."""

    pid: int
    pidfd: int
    ended: bool = False


class Zygote:
    """Its loop, once the file is parsed. A task's process leaves it by never coming back."""

    def __init__(self, control: socket.socket, task: Task) -> None:
        self._control, self._task = control, task
        self._slots: dict[socket.socket, _Running | None] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, self._join)
        self._is_wanted = True
        self._used_at = time.monotonic()
        self._told_at = float("-inf")

    def serve(self) -> None:
        """Until nobody needs it."""
        until = time.monotonic() + AGE_SECONDS
        while True:
            for key, _ in self._selector.select(1.0):
                if self._selector.get_map().get(key.fd) is key:  # not let go of by one before
                    key.data()
            now = time.monotonic()
            if any(running is not None for running in self._slots.values()):
                self._used_at = now
            if not self._is_wanted or now > until or now - self._used_at > IDLE_SECONDS:
                self._retire()
                if not self._slots:
                    return

    def _retire(self) -> None:
        """Take no further task. Slots that have none now read the end of their connection."""
        if self._is_wanted:
            self._is_wanted = False
            self._selector.unregister(self._control)
        self._control.close()  # the nursery sends nobody any more
        for slot in [slot for slot, running in self._slots.items() if running is None]:
            self._let_go(slot, None)

    def _join(self) -> None:
        """A slot's connection, from the nursery, or its end."""
        message, descriptors, *_ = socket.recv_fds(self._control, MESSAGE_MOST, 1)
        if not message:
            self._is_wanted = False
            self._selector.unregister(self._control)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
            self._welcome(socket.socket(fileno=descriptor))

    def _welcome(self, slot: socket.socket) -> None:
        self._slots[slot] = None
        self._selector.register(slot, selectors.EVENT_READ, lambda: self._hear(slot))
        self._used_at = time.monotonic()
        say(slot, parsed=True)

    def _hear(self, slot: socket.socket) -> None:
        try:
            message, descriptors, *_ = socket.recv_fds(slot, MESSAGE_MOST, DESCRIPTORS)
        except OSError:
            message, descriptors = b"", []
        running = self._slots[slot]
        if not message:
            self._let_go(slot, running)
        elif len(descriptors) == DESCRIPTORS and running is None:
            self._start(slot, descriptors)
        elif not descriptors and running is not None and running.ended:
            self._reap(slot, running)
        else:  # it is out of step: nobody follows its task
            for descriptor in descriptors:
                os.close(descriptor)
            self._let_go(slot, running)

    def _let_go(self, slot: socket.socket, running: _Running | None) -> None:
        """The slot is gone: nobody is left to tell how its task ends, so it must not go on."""
        self._selector.unregister(slot)
        if running is None:
            del self._slots[slot]
            slot.close()
        elif running.ended:
            self._reap(slot, running)
            del self._slots[slot]
            slot.close()
        else:
            with contextlib.suppress(OSError):
                os.killpg(running.pid, signal.SIGKILL)

    def _start(self, slot: socket.socket, descriptors: list[int]) -> None:
        zygote = os.getpid()
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        try:
            pid = os.fork()
        except OSError:  # no room for another process: the slot reads the end, and starts the task itself
            for descriptor in descriptors:
                os.close(descriptor)
            self._let_go(slot, None)
            return
        if pid == 0:
            try:
                os.setpgid(0, 0)
                for number in _NOT_OURS:
                    signal.signal(number, signal.SIG_DFL)
                self._forget_slots()
                Inheritance(zygote, frozenset()).refuse()
                _become_task(descriptors, self._task)
            except BaseException:  # noqa: BLE001  (it ends here, whatever it is)
                traceback.print_exc()  # into the worker's log: the task's own is not there yet
                sys.stderr.flush()
            finally:
                os._exit(124)  # Airflow's own status for this
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        for descriptor in descriptors:
            os.close(descriptor)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:  # no descriptor is left: nobody could follow it
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._let_go(slot, None)
            return
        running = self._slots[slot] = _Running(pid, pidfd)
        self._selector.register(running.pidfd, selectors.EVENT_READ, lambda: self._ended(slot, running))
        say(slot, pid=pid)
        self._tell_that_it_is_used()

    def _tell_that_it_is_used(self) -> None:
        self._used_at = time.monotonic()
        if self._is_wanted and self._used_at - self._told_at >= _TELL_SECONDS:
            self._told_at = self._used_at
            with contextlib.suppress(OSError):
                self._control.send(USED, socket.MSG_DONTWAIT)

    def _forget_slots(self) -> None:
        """In a task's process: nothing of other tasks."""
        self._control.close()
        for slot, running in self._slots.items():
            slot.close()
            if running is not None and not running.ended:
                os.close(running.pidfd)
        self._selector.close()

    def _ended(self, slot: socket.socket, running: _Running) -> None:
        self._selector.unregister(running.pidfd)
        os.close(running.pidfd)
        running.ended = True
        self._used_at = time.monotonic()
        if slot in {key.fileobj for key in self._selector.get_map().values()}:
            say(slot, status=_status(running.pid))
        else:  # it is gone: nobody has to hear
            self._reap(slot, running)
            del self._slots[slot]
            slot.close()

    def _reap(self, slot: socket.socket, running: _Running) -> None:
        os.waitpid(running.pid, 0)
        self._slots[slot] = None


def say(connection: socket.socket, **message: Any) -> None:
    """Send one message. Where the other end is gone, or does not read, the next look at it says so."""
    with contextlib.suppress(OSError):
        connection.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)


def _parsed(file: File, output: Output) -> Parsed | str:
    from airflow.sdk.execution_time import supervisor

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # as a task's process has them
    supervisor.block_orm_access()
    try:
        return Parsed(file, output)
    except BaseException as error:  # noqa: BLE001  (what a DAG file may raise)
        return f"it raises {error!r}"
    finally:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)


@contextlib.contextmanager
def _killed_with(control: socket.socket) -> Iterator[None]:
    """While a file is parsed, which may take for ever: the kernel kills this process when the nursery lets go of it."""
    flags = fcntl.fcntl(control, fcntl.F_GETFL)
    fcntl.fcntl(control, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(control, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(control, fcntl.F_SETFL, flags | os.O_ASYNC)
    yield
    fcntl.fcntl(control, fcntl.F_SETFL, flags)


def _become_task(descriptors: list[int], task: Task) -> None:
    from airflow.sdk.execution_time import supervisor

    requests, stdout, stderr = (socket.socket(fileno=number) for number in descriptors[:3])
    task.parsed.put_in_place()
    task.output.lead_to(descriptors[3])
    _keep_the_files_own_work_at_exit()
    # no channel of logs (0): it is in place, and logging is configured
    supervisor._fork_main(requests, stdout, stderr, 0, task.begin)  # noqa: SLF001


def _keep_the_files_own_work_at_exit() -> None:
    """Airflow forgets what was to be done at exit before it parses. Here the file was parsed before that."""
    original = atexit._clear  # noqa: SLF001

    def left_alone() -> None:
        atexit._clear = original  # type: ignore[attr-defined]  # noqa: SLF001

    atexit._clear = left_alone  # type: ignore[attr-defined]  # noqa: SLF001


def _status(pid: int) -> int:
    """As `os.waitstatus_to_exitcode` says it; the process stays a zombie."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if ended is None:
        raise ChildProcessError(pid)
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _title(file: File) -> None:
    with contextlib.suppress(ImportError):
        from setproctitle import setproctitle

        setproctitle(f"airflow zygote -- {file.path}")
