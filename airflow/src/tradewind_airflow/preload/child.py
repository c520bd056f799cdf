"""From the fork to Airflow's own command: the child of the preloaded parent becomes the process that was asked for.

Only the child reads the request: what a component's environment holds never enters the parent, of which other
components, with tasks among their descendants, are copies. The child checks that nothing that was imported answers
otherwise for it, takes its environment, directory and output, and configures Airflow anew. Until then it may refuse,
and the component starts cold. After the component's "go" it is on its own:

- it leads a session, so that it and all that it forks can be found and ended;
- when the component's process goes, however it goes, the kernel kills the child's group at once: no thread of ours
  watches (SIGKILL as the signal of a pipe, the lifeline, whose other end the component has: `F_SETSIG`). Nothing is
  ever written to it. The connection would not do: who sends "go" wakes us before the kernel has told of the data,
  so that this signal could come after we asked for one at its next news;
- the parent may die: nothing happens.
"""

import contextlib
import fcntl
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tradewind_airflow import overlays
from tradewind_airflow.engine import generators
from tradewind_airflow.preload import sessions, wire
from tradewind_airflow.preload.reads import Reads

REQUEST_SECONDS = 10
# Read at import, but of no consequence.
HARMLESS = (
    "_AIRFLOW__AS_LIBRARY",
    "AIRFLOW_HOME",  # set again below
    "AIRFLOW__CORE__PARALLELISM",  # differs with our executor only, which reads it again
    "AIRFLOW__CORE__SQL_ALCHEMY_CONN",  # only its dialect counts, and of dialects only MySQL's
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    # nobody keeps these: modules that copy the whole environment (fsspec, wsgiref) read them
    "AIRFLOW__LOGGING__CELERY_LOGGING_LEVEL",
    "AIRFLOW__LOGGING__LOGGING_LEVEL",
    "MWAA_AIRFLOW_COMPONENT",
    "PATH",  # a start-up script's overlay may have programs
    "PGAPPNAME",
    "PYTHONSAFEPATH",
    "TRADEWIND_HOLD",
)


class Refused(Exception):
    """This component must start cold. `again`: another parent, which is about to come, may do it."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True)
class Part:
    """What a child is to be: the component's name and its arguments."""

    component: str
    arguments: list[str]


def become(connection: socket.socket, reads: Reads, digest: str) -> Part | None:
    """Take on what the request asks for; None when it was refused, or when whoever asked has gone."""
    try:
        os.setsid()
        _reset_signals()
        connection.settimeout(REQUEST_SECONDS)
        request, descriptors = wire.receive(connection, wire.DESCRIPTORS)
        try:
            _check(request, descriptors, reads, digest)
            part = _take_on(request, descriptors[:2], reads)
        except Exception as error:  # noqa: BLE001  (whatever goes wrong here does not when starting cold)
            again = isinstance(error, Refused) and error.again
            wire.send(connection, {"refused": str(error) or repr(error), "again": again})
            return None
        seen = sessions.look(os.getpid())
        wire.send(connection, {"pid": os.getpid(), "started": seen.started if seen else -1})
        wire.receive(connection)  # "go": from now on the component passes signals on
        _die_with(descriptors[2], connection)
    except (OSError, wire.Broken):
        return None
    return part


@contextlib.contextmanager
def reporting(connection: socket.socket) -> Iterator[None]:
    """Tell the exit status ourselves: the parent, who could, may have died meanwhile."""
    status = 1
    try:
        yield
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        raise
    finally:
        with contextlib.suppress(OSError):
            wire.send(connection, {"exit": status})


def _check(request: dict[str, Any], descriptors: list[int], reads: Reads, digest: str) -> None:
    if request.get("digest") != digest:
        raise Refused("the preloaded parent is of another generation", again=True)
    if len(descriptors) != wire.DESCRIPTORS:
        raise Refused("no output or no lifeline was handed over")
    differing = reads.different(request["environment"], HARMLESS)
    if differing:
        raise Refused(f"was imported with other values of {', '.join(differing)}")


def _take_on(request: dict[str, Any], descriptors: list[int], reads: Reads) -> Part:
    for number, target in zip(descriptors, (1, 2), strict=True):
        os.dup2(number, target)
        os.close(number)
    os.environ.clear()
    os.environ.update({name: value for name, value in reads.written.items() if name != "_AIRFLOW__AS_LIBRARY"})
    os.environ.update(request["environment"])
    overlays.see()
    os.chdir(request["directory"])
    generators.draw_anew()
    gc.enable()
    gc.unfreeze = _keep_frozen  # type: ignore[assignment]
    _configure_airflow()
    return Part(str(request["component"]), [str(word) for word in request["arguments"]])


def _keep_frozen() -> None:
    """In place of `gc.unfreeze`.

    Celery's worker calls it when its slots are there; the next collection would then write into every page that is
    still shared.
    """


def _configure_airflow() -> None:
    """What `import airflow` does where nobody holds it back, with our own home."""
    from airflow import configuration, settings

    home = configuration.get_airflow_home()
    if home != configuration.AIRFLOW_HOME:
        _move_home(configuration, home)
    settings.initialize()


def _move_home(configuration: Any, home: str) -> None:
    """Workers have a home of their own: defaults that lie in it were written down when the configuration was made."""
    old = configuration.AIRFLOW_HOME
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get("AIRFLOW_HOME") == old:
            module.AIRFLOW_HOME = home  # type: ignore[attr-defined]
    _renew(configuration.conf, configuration.initialize_config())
    sdk = sys.modules.get("airflow.sdk.configuration")
    if sdk is not None and "conf" in vars(sdk):
        _renew(sdk.conf, sdk.initialize_config())


def _renew(held: Any, new: Any) -> None:
    """Others hold the object: it stays and becomes what the new one is."""
    vars(held).clear()
    vars(held).update(vars(new))


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def _die_with(lifeline: int, connection: socket.socket) -> None:
    """The kernel kills our group when the lifeline's other end goes: nothing else can happen there."""
    connection.settimeout(None)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    held = [lifeline]
    os.register_at_fork(after_in_child=lambda: _let_go(connection, held))
    poll = select.poll()
    poll.register(lifeline, 0)
    if poll.poll(0):
        raise wire.Broken("it ended")


def _let_go(connection: socket.socket, held: list[int]) -> None:
    """In what the component forks (slots, tasks, parsers): connection and lifeline are the component's own.

    Once on the way down: their own forks come here too, and the number may be another file's by then.
    """
    connection.close()
    while held:
        os.close(held.pop())


_F_SETSIG = getattr(fcntl, "F_SETSIG", 10)
