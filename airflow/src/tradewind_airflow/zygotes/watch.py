"""Whether the parse of a DAG file was closed: whether another process, parsing the same version later, finds the same.

A parse is closed if it depends on nothing but the files of its bundle version, the runtime and the environment
variables of its worker, and leaves nothing behind that a fork cannot share. Watched are, while it runs:

- audit events: connections, processes, files that are written, files read from elsewhere than bundle and runtime;
- the clock, the system's randomness, process ids, questions about files (`os.stat` and its like): Python's own
  entry points are replaced by ones that tell;
- the two variables in which Airflow says for which task a file is parsed;
- the supervisor: whoever asks it (a Variable, a Connection) asks for something that may change.

What a library reads while it is being imported is its own affair and counts for nothing (but connections and processes
do): asked is whether the file, or a module of its bundle, is the one that reads. Afterwards nothing may be left that
a fork does not inherit whole: threads, children, descriptors, handlers of signals, numbers drawn from a common
generator.

Whatever cannot be watched is not closed. What C code asks of the system by itself (`numpy.datetime64("now")`) is not
seen.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import logging
import os
import random
import signal
import sys
import sysconfig
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARSING_CONTEXT = "_AIRFLOW_PARSING_CONTEXT_"
_ALWAYS = (
    "socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto", "socket.sendmsg", "sqlite3.connect",
    "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty", "os.kill",
    "_thread.start_new_thread", "sys.addaudithook", "sys.settrace", "sys.setprofile",
)  # fmt: skip
_BY_THE_FILE = (
    "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
    "os.truncate", "shutil.", "tempfile.", "fcntl.", "socket.bind", "socket.gethostname",
)  # fmt: skip
_ASKS = (
    (time, ("time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime")),
    (os, ("urandom", "getpid", "getppid", "stat", "lstat", "access", "getloadavg")),
    (random, ("_urandom",)),
    (uuid, ("uuid1", "uuid4")),
)
_ASKS_OF_TYPES = ((dt.datetime, ("now", "utcnow")), (dt.date, ("today",)))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FIXED = ("/usr/share/zoneinfo/", "/etc/localtime", "/dev/null")
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_LOGGING = logging.__file__  # a record of a log has its time
_REASONS_MOST = 5

_watching: Watch | None = None  # audit hooks cannot be taken away again: one is added, and asks for this
_hooked = False


class Watch:
    """Within a `with` block: `reasons` why what was done there was not closed, none if it was."""

    def __init__(self, *user_roots: str) -> None:
        """`user_roots`: folders of the user's own modules (bundle version, plugins)."""
        self.reasons: list[str] = []
        self._roots = tuple(f"{root.rstrip('/')}/" for root in user_roots if root)
        libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        self._readable = (*self._roots, *(f"{path}/" for path in libraries if path), *_FIXED)
        self._put_back: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        global _watching  # noqa: PLW0603
        self._left = _Leavings()
        self._modules = set(sys.modules)
        _hook()
        for module, names in _ASKS:
            for name in names:
                self._replace(module, name)
        for type_, names in _ASKS_OF_TYPES:
            for name in names:
                self._replace_of_type(type_, name)
        self._watch_environment()
        _watching = self
        return self

    def __exit__(self, *_: object) -> None:
        global _watching  # noqa: PLW0603
        _watching = None
        for put_back in reversed(self._put_back):
            put_back()
        for name in sys.modules.keys() - self._modules:
            _give_back(sys.modules[name])
        for left in self._left.more():
            self.note(left)

    def note(self, reason: str) -> None:
        """Not closed, because of this."""
        if len(self.reasons) < _REASONS_MOST and reason not in self.reasons:
            self.reasons.append(reason)

    def is_user_code(self) -> bool:
        """Whether the file or a module of its bundle is at work, and not a library that is being imported."""
        frame = sys._getframe(1)  # noqa: SLF001
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(_IMPORTING) or name == _LOGGING:
                return False
            if name.startswith(self._roots):
                return True
            frame = frame.f_back  # type: ignore[assignment]
        return False

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit event."""
        if event == "open":
            self._opened(*arguments[:3])
        elif event.startswith(_ALWAYS) or (event.startswith(_BY_THE_FILE) and self.is_user_code()):
            if event in {"os.listdir", "os.scandir"} and self._is_fixed(arguments[0]):
                return
            self.note(f"it does {event}")

    def _opened(self, path: Any, mode: str | None, flags: int) -> None:
        if isinstance(path, int):
            return
        writes = bool(flags & _WRITING) if mode is None else any(letter in mode for letter in "wax+")
        if (writes or not self._is_fixed(path)) and self.is_user_code():
            self.note(f"it {'writes' if writes else 'reads'} {os.fsdecode(path)}")

    def _is_fixed(self, path: Any) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        return f"{os.path.abspath(os.fsdecode(path))}/".startswith(self._readable)  # noqa: PTH100

    def asked(self, name: str, arguments: tuple[Any, ...]) -> None:
        """One of the functions that answer differently another time."""
        if name.startswith("os.") and arguments and self._is_fixed(arguments[0]):
            return
        if name in {"time.localtime", "time.gmtime", "time.ctime"} and arguments and arguments[0] is not None:
            return
        if name in {"time.asctime", "time.strftime"} and len(arguments) > (name == "time.strftime"):
            return
        if self.is_user_code():
            self.note(f"it asks {name}")

    def _replace(self, module: Any, name: str) -> None:
        original = getattr(module, name, None)
        if original is not None:
            setattr(module, name, _Telling(f"{module.__name__}.{name}", original))
            self._put_back.append(lambda: setattr(module, name, original))

    def _replace_of_type(self, type_: type, name: str) -> None:
        """`datetime` is immutable for Python, so its dictionary is written itself. Proven at once, or not closed."""
        (members,) = gc.get_referents(type_.__dict__)
        original = members[name]

        def telling(cls: type, *given: Any, **named: Any) -> Any:
            if _watching is not None:
                _watching.asked(f"{type_.__name__}.{name}", given)
            return original.__get__(None, cls)(*given, **named)

        def put(member: Any) -> None:
            members[name] = member
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(type_))

        put(classmethod(telling))
        if getattr(getattr(type_, name), "__func__", None) is not telling:
            self.note(f"{type_.__name__}.{name} cannot be watched here")
        self._put_back.append(lambda: put(original))

    def _watch_environment(self) -> None:
        plain = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001
        os.environ._data = watched = _Watched(plain)  # type: ignore[attr-defined]  # noqa: SLF001

        def put_back() -> None:
            plain.clear()
            plain.update(watched)
            os.environ._data = plain  # type: ignore[attr-defined]  # noqa: SLF001

        self._put_back.append(put_back)


class Unavailable:
    """In the place of the connection to the supervisor: whoever uses it asks for what may change."""

    def __getattr__(self, name: str) -> Any:
        if _watching is not None and not name.startswith("__"):
            _watching.note("it asks the supervisor (a Variable, a Connection or an XCom)")
        raise AttributeError(name)


def _hook() -> None:
    global _hooked  # noqa: PLW0603
    if not _hooked:
        sys.addaudithook(_heard)
        _hooked = True


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching is not None:
        _watching.heard(event, arguments)


class _Telling:
    """A function of a module that says when it is asked. It is no function: as a class's member it stays unbound."""

    def __init__(self, name: str, original: Callable[..., Any]) -> None:
        self._name, self.original = name, original

    def __call__(self, *given: Any, **named: Any) -> Any:
        if _watching is not None:
            _watching.asked(self._name, given)
        return self.original(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def __eq__(self, other: object) -> bool:
        return self.original == other or self is other

    def __hash__(self) -> int:
        return hash(self.original)  # so that `os.stat in os.supports_dir_fd`


def _give_back(module: Any) -> None:
    """What a module imported by name is the original again."""
    for name, value in list(getattr(module, "__dict__", {}).items()):
        if type(value) is _Telling:
            setattr(module, name, value.original)


class _Watched(dict[bytes, bytes]):
    """The mapping below `os.environ`."""

    def _read(self, name: object) -> None:
        if _watching is not None and isinstance(name, bytes) and name.startswith(PARSING_CONTEXT.encode()):
            _watching.note("it asks for which task it is parsed")

    def __getitem__(self, name: bytes) -> bytes:
        self._read(name)
        return super().__getitem__(name)

    def get(self, name: bytes, default: Any = None) -> Any:
        self._read(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._read(name)
        return super().__contains__(name)


class _Leavings:
    """What there was before, to be compared with what there is now."""

    def __init__(self) -> None:
        self._descriptors = set(_descriptors())
        self._handlers = _handlers()
        self._drawn = random.getstate()
        self._had_numpy = "numpy.random" in sys.modules
        self._logging = _logging()

    def more(self) -> Iterator[str]:
        """What was left behind, a sentence each."""
        if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
            yield "it leaves a thread"
        if set(_descriptors()) - self._descriptors:
            yield "it leaves something open"
        if _handled_anew(self._handlers):
            yield "it handles a signal"
        if _logging() != self._logging:  # Airflow resets it before a task begins, so it has to be done after that
            yield "it configures logging"
        if random.getstate() != self._drawn:
            yield "it draws random numbers"
        if "numpy.random" in sys.modules and not self._had_numpy:  # seeded, drawn from or neither: it cannot be told
            yield "it imports numpy.random"
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        yield "it leaves a process"


def _descriptors() -> list[tuple[str, str]]:
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            found.append((name, os.readlink(f"/proc/self/fd/{name}")))  # noqa: PTH115
        except OSError:  # the one that lists
            continue
    return found


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _handled_anew(before: dict[int, Any]) -> bool:
    # Airflow's parser leaves two handlers behind: its time limit's, and the one of SIGSEGV, which is put back
    changed = [handler for number, handler in _handlers().items() if handler != before[number]]
    return any(not str(getattr(handler, "__module__", "")).startswith("airflow.") for handler in changed)


def _logging() -> list[Any]:
    named = logging.root.manager.loggerDict.items()
    loggers = [(name, logger) for name, logger in sorted(named) if isinstance(logger, logging.Logger)]
    handlers = [(name, each) for name, logger in loggers for each in logger.handlers]
    return [
        logging.root.level,
        *logging.root.handlers,
        *((name, each) for name, each in handlers if not isinstance(each, logging.NullHandler)),
    ]
