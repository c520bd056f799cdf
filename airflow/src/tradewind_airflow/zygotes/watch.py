"""Whether the parse of a DAG file was closed: whether another process, parsing the same version later, finds the same.

A parse is closed if it depends on nothing but the files of its bundle version, the runtime and the environment
variables of its worker, and leaves nothing behind that a fork cannot share. Watched are, while it runs:

- audit events: connections, processes, files that are written, files read from elsewhere than bundle and runtime;
- clocks, randomness, process ids, threads, questions about files (`os.stat` and its like): Python's own entry points
  are replaced by ones that tell, wherever a module has them;
- what the file and the modules of its bundle import, while they are executed: only libraries of which it is known
  that they ask nothing behind Python's back (`harmless`); a driver in C may read a database without any of the
  above;
- the two variables in which Airflow says for which task a file is parsed;
- the supervisor: whoever asks it (a Variable, a Connection) asks for something that may change.

What a library reads while it is being imported is its own affair and counts for nothing (but connections and processes
do). Afterwards nothing may be left that a fork does not inherit whole: threads, children, descriptors, handlers of
signals, numbers drawn from a common generator. Whatever cannot be watched is not closed.
"""

from __future__ import annotations

import _random
import _thread
import builtins
import ctypes
import datetime as dt
import functools
import gc
import importlib
import importlib.machinery
import logging
import os
import random
import resource
import ssl
import sys
import sysconfig
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

import structlog

from tradewind_airflow import overlays
from tradewind_airflow.engine import generators
from tradewind_airflow.zygotes.harmless import HARMLESS, PROVIDERS
from tradewind_airflow.zygotes.leavings import Leavings

if TYPE_CHECKING:
    from collections.abc import Callable

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
    (time, (
        "time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime", "monotonic", "monotonic_ns",
        "perf_counter", "perf_counter_ns", "clock_gettime", "clock_gettime_ns", "process_time", "process_time_ns",
        "thread_time", "thread_time_ns",
    )),
    (os, ("urandom", "getpid", "getppid", "stat", "lstat", "access", "getloadavg", "getrandom", "times", "statvfs",
          "readlink", "fstat", "getxattr")),
    (resource, ("getrusage",)),
    (ssl, ("RAND_bytes",)),
    (_random, ("Random",)),
    (uuid, ("uuid1", "uuid4", "uuid7")),
    (_thread, ("start_new_thread", "start_joinable_thread")),
    (importlib, ("import_module",)),
)  # fmt: skip
_ASKS_OF_TYPES = ((dt.datetime, ("now", "utcnow")), (dt.date, ("today",)))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FIXED = ("/usr/share/zoneinfo/", "/etc/localtime", "/dev/null")
_PROVIDERS = "airflow.providers."
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_LOGGING = tuple(os.path.dirname(module.__file__ or "") + "/" for module in (logging, structlog))  # noqa: PTH120
_AIRFLOWS_LOGGING = "/airflow/sdk/_shared/logging/"  # a record of a log has its time
_ONLY_FORWARD = {
    f"time.{name}"
    for name in (
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "process_time",
        "process_time_ns",
        "thread_time",
        "thread_time_ns",
    )
}
_OF_FILES = {"os.stat", "os.lstat", "os.access", "os.readlink", "os.getxattr"}
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/"  # noqa: PTH100, PTH120
_REASONS_MOST = 5

_watching: Watch | None = None  # audit hooks cannot be taken away again: one is added, and asks for this
_hooked = False


class Watch:
    """Within a `with` block: `reasons` why what was done there was not closed, none if it was."""

    def __init__(self, *bundle: str, further: tuple[tuple[Any, tuple[str, ...]], ...] = ()) -> None:
        """`bundle`: folders whose files never change while this version is in force (bundle version, plugins).

        `further`: modules with names of functions that nobody may call meanwhile.
        """
        self.reasons: list[str] = []
        self._further = further
        self._bundle = tuple(f"{root.rstrip('/')}/" for root in bundle if root)
        paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        paths.add(os.environ.get(overlays.VARIABLE) or None)
        self._libraries = (*(f"{path}/" for path in sorted(paths - {None})), _OWN)  # type: ignore[type-var]
        self._readable = (*self._bundle, *self._libraries, *_FIXED)
        self._put_back: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        global _watching  # noqa: PLW0603
        self._base = sys._getframe(1)  # noqa: SLF001  (what lies below has nothing to do with the parse)
        self._left = Leavings()
        self._modules = set(sys.modules)
        _hook()
        self._replace_all()
        for type_, names in _ASKS_OF_TYPES:
            for name in names:
                self._replace_of_type(type_, name)
        self._watch_environment()
        self._watch_imports()
        _watching = self
        return self

    def __exit__(self, *_: object) -> None:
        global _watching  # noqa: PLW0603
        _watching = None
        for put_back in reversed(self._put_back):
            put_back()
        for name in sorted(sys.modules.keys() - self._modules):
            self._look_into(name, sys.modules[name])
        for left in self._left.more():
            self.note(left)

    def note(self, reason: str) -> None:
        """Not closed, because of this."""
        if len(self.reasons) < _REASONS_MOST and reason not in self.reasons:
            self.reasons.append(reason)

    def is_user_code(self, *, or_nobodys: bool = False) -> bool:
        """Whether the file, or another module that is no library, is at work: no library that is being imported.

        `or_nobodys`: also where Airflow itself is at work, for the file.
        """
        frame = sys._getframe(1)  # noqa: SLF001
        while frame is not None and frame is not self._base:
            name = frame.f_code.co_filename
            if name.startswith((*_IMPORTING, *_LOGGING)) or _AIRFLOWS_LOGGING in name:
                return False
            if name.startswith("/") and not name.startswith(self._libraries):
                return True
            frame = frame.f_back  # type: ignore[assignment]
        return or_nobodys

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
        if (writes or not self._is_fixed(path)) and self.is_user_code(or_nobodys=not writes):
            self.note(f"it {'writes' if writes else 'reads'} {os.fsdecode(path)}")

    def _watch_imports(self) -> None:
        """Every statement that imports comes by here, also where the module is there already."""
        original = builtins.__import__

        def told(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
            if level == 0 and sys._getframe(1).f_code.co_filename.startswith(self._bundle):  # noqa: SLF001
                for each in (name, *(f"{name}.{member}" for member in fromlist or ())):
                    self._judge(each)
            return original(name, globals, locals, fromlist, level)

        builtins.__import__ = told
        self._put_back.append(lambda: setattr(builtins, "__import__", original))

    def _judge(self, name: str) -> None:
        """Of a module that the file, or one of its bundle, imports."""
        top = name.partition(".")[0]
        if name.startswith(_PROVIDERS):
            provider = name.removeprefix(_PROVIDERS).partition(".")[0]
            if provider not in PROVIDERS:
                self.note(f"it imports {_PROVIDERS}{provider}, of which it is not known what it asks")
            return
        module = sys.modules.get(top)
        origin = getattr(module, "__file__", None) or ""
        if top not in HARMLESS and not origin.startswith(self._bundle) and not _is_folder_of(module, self._bundle):
            spec = None if module is not None else importlib.machinery.PathFinder.find_spec(top)
            places = [] if spec is None else [spec.origin or "", *(spec.submodule_search_locations or ())]
            if not any(f"{place}/".startswith(self._bundle) for place in places):
                self.note(f"it imports {top}, of which it is not known what it asks")

    def _is_fixed(self, path: Any) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        return f"{os.path.abspath(os.fsdecode(path))}/".startswith(self._readable)  # noqa: PTH100

    def _leads_there(self, path: Any) -> bool:
        """Whether it is a folder above the bundle or the runtime: what is asked on the way to a file of theirs."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        above = f"{os.path.abspath(os.fsdecode(path)).rstrip('/')}/"  # noqa: PTH100
        return any(place.startswith(above) for place in self._readable)

    def asked(self, name: str, arguments: tuple[Any, ...]) -> None:
        """One of the functions that answer differently another time."""
        if name == "importlib.import_module":
            if arguments and sys._getframe(2).f_code.co_filename.startswith(self._bundle):  # noqa: SLF001
                self._judge(str(arguments[0]))
            return
        if name in _OF_FILES and arguments and (self._is_fixed(arguments[0]) or self._leads_there(arguments[0])):
            return
        if name in {"time.localtime", "time.gmtime", "time.ctime"} and arguments and arguments[0] is not None:
            return
        if name in {"time.asctime", "time.strftime"} and len(arguments) > (name == "time.strftime"):
            return
        if name in _ONLY_FORWARD and not sys._getframe(2).f_code.co_filename.startswith(self._bundle):  # noqa: SLF001
            return  # a library measures how long something takes
        if self.is_user_code(or_nobodys=name in _OF_FILES):
            self.note(f"it asks {name}")

    def made(self, generator: random.Random) -> None:
        """Without a seed. A library's, that is being imported, is seeded anew in each fork."""
        if self.is_user_code(or_nobodys=True):
            self.note("it makes a generator of random numbers")
        else:
            generators.remember(generator)

    def _replace_all(self) -> None:
        """Everywhere: a module that imported a function by its name has its own."""
        telling = {
            id(original): _Telling(f"{module.__name__}.{name}", original)
            for module, names in (*_ASKS, *self._further)
            for name in names
            if (original := getattr(module, name, None)) is not None
        }
        for module in list(sys.modules.values()):
            names = getattr(module, "__dict__", None)
            if type(names) is dict and module is not sys.modules[__name__]:
                for name, value in list(names.items()):
                    if id(value) in telling:
                        names[name] = telling[id(value)]
                        self._put_back.append(functools.partial(names.__setitem__, name, value))
        seed = random.Random.seed

        def told_seed(generator: random.Random, a: Any = None, *given: Any, **named: Any) -> None:
            if a is None and _watching is not None:
                _watching.made(generator)
            seed(generator, a, *given, **named)

        random.Random.seed = told_seed  # type: ignore[method-assign,assignment]
        self._put_back.append(lambda: setattr(random.Random, "seed", seed))

    def _replace_of_type(self, type_: type, name: str) -> None:
        """`datetime` is immutable for Python, so its dictionary is written itself. Proven at once, or not closed."""
        (members,) = gc.get_referents(type_.__dict__)
        original = members[name]

        def telling(cls: type, *given: Any, **named: Any) -> Any:
            if _watching is not None:
                _watching.asked(f"{type_.__name__}.{name}", given)
            return original.__get__(None, cls)(*given, **named)

        telling.__name__, telling.__qualname__ = name, f"{type_.__name__}.{name}"

        def put(member: Any) -> None:
            members[name] = member
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(type_))

        put(classmethod(telling))
        if getattr(getattr(type_, name), "__func__", None) is not telling:
            self.note(f"{type_.__name__}.{name} cannot be watched here")
        self._put_back.append(lambda: put(original))

    def _look_into(self, name: str, module: Any) -> None:
        """A module that was imported: what it took of ours by name is the original again."""
        file = getattr(module, "__file__", None)
        if file is not None and not file.startswith((*self._libraries, *self._bundle)):
            self.note(f"it imports {name} from outside of bundle and runtime")
        names = getattr(module, "__dict__", {})
        for key, value in list(names.items()):
            if type(value) is _Telling:
                names[key] = value.original
            elif type(value) is Unavailable:
                self.note("it keeps the connection to the supervisor")

    def _watch_environment(self) -> None:
        plain = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001
        watched = _Watched(plain)
        os.environ._data = os.environb._data = watched  # type: ignore[attr-defined]  # noqa: SLF001

        def put_back() -> None:
            plain.clear()
            plain.update(watched)
            os.environ._data = os.environb._data = plain  # type: ignore[attr-defined]  # noqa: SLF001

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
        return getattr(object.__getattribute__(self, "original"), name)

    def __copy__(self) -> Any:
        return self.original

    def __deepcopy__(self, _: Any) -> Any:
        return self.original

    def __reduce__(self) -> Any:
        module, _, name = self._name.rpartition(".")
        return _named, (module, name)

    def __eq__(self, other: object) -> bool:
        return self.original == other or self is other

    def __hash__(self) -> int:
        return hash(self.original)  # so that `os.stat in os.supports_dir_fd`


def _named(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


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


def _is_folder_of(module: Any, bundle: tuple[str, ...]) -> bool:
    """Whether a package without a file of its own lies in the bundle."""
    return any(str(path).startswith(bundle) for path in getattr(module, "__path__", ()))
