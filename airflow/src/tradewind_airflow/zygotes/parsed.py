"""A DAG file that was parsed ahead, as Airflow's task runner will find it.

Parsed as a task's process would do it, under `watch`. What the parse printed and logged is kept and said again in each
task's log, where stock has it too.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tradewind_airflow.zygotes.watch import Unavailable, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTPUT_MOST = 1 << 16
_STREAMS = (1, 2)


class File(NamedTuple):
    """One DAG file of one version of a bundle. A version never changes."""

    bundle: str
    version: str
    path: str


class Parsed:
    """The result. `reasons` why it must not be inherited, none if it may."""

    def __init__(self, file: File, output: Output) -> None:
        from airflow.configuration import conf
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.sdk.execution_time import context

        bundle = DagBundlesManager().get_bundle(name=file.bundle, version=file.version)
        bundle.initialize()
        roots = str(bundle.path), conf.get("core", "plugins_folder")
        # a Connection that is found without the supervisor is for somebody who connects, maybe unheard, in C
        with output, Watch(*roots, further=((context, ("_get_connection",)),)) as watch:
            self._arguments, self._bag = _parse(bundle, file)
        self._logged, self._printed = output.logged(), output.printed()
        self.reasons = list(watch.reasons)
        if self._bag.import_errors:
            self.reasons.append("it cannot be imported")
        if not output.is_whole:
            self.reasons.append("it prints too much")

    def put_in_place(self) -> None:
        """In a task's process: the next bag that is asked for with these arguments is the one that was parsed."""
        from airflow.dag_processing import dagbag

        original = dagbag.BundleDagBag

        def inherited(**arguments: Any) -> Any:
            dagbag.BundleDagBag = original  # type: ignore[misc]
            if {name: str(value) for name, value in arguments.items()} != self._arguments:
                return original(**arguments)
            self._say_again()
            return self._bag

        dagbag.BundleDagBag = inherited  # type: ignore[misc,assignment]

    def _say_again(self) -> None:
        import structlog

        for entry in self._logged:
            named = {key: value for key, value in entry.items() if key not in {"event", "level", "logger", "timestamp"}}
            logger = structlog.get_logger(entry.get("logger"))
            getattr(logger, entry.get("level", "info"), logger.info)(entry.get("event", ""), **named)
        for stream, text in zip((sys.stdout, sys.stderr), self._printed, strict=True):
            stream.write(text)


def _parse(bundle: Any, file: File) -> tuple[dict[str, str], Any]:
    from airflow.dag_processing.dagbag import BundleDagBag

    arguments = {
        "dag_folder": os.fspath(Path(bundle.path, file.path)),
        "safe_mode": False,
        "load_op_links": False,
        "bundle_path": bundle.path,
        "bundle_name": file.bundle,
    }
    return {name: str(value) for name, value in arguments.items()}, BundleDagBag(**arguments)


class Output:
    """What is printed and logged while the file is parsed, and a stand-in for the supervisor, as in a task's process.

    Logging is configured here, once, as Airflow does it for a task's process, onto a descriptor of its own; each of
    the tasks' processes puts its channel under that number (`lead_to`). To do it anew in each of them would touch
    every logger there is: 1,200 pages, 10 ms.
    """

    def __init__(self) -> None:
        from airflow.sdk.log import configure_logging, reset_logging

        self.is_whole = True  # all of it could be kept
        self._log = os.memfd_create("log")
        sink = os.fdopen(self._log, "wb", buffering=0, closefd=False)
        reset_logging()
        # no logger may keep what it is bound to while the file is parsed: its tasks use it again
        configure_logging(json_output=True, output=sink, sending_to_supervisor=True, cache_logger_on_first_use=False)

    def lead_to(self, channel: int) -> None:
        """In a task's process: logs go to this descriptor from now on."""
        import structlog

        os.dup2(channel, self._log, inheritable=False)
        os.close(channel)
        structlog.configure(cache_logger_on_first_use=True)

    def __enter__(self) -> Self:
        from airflow.sdk.execution_time import task_runner

        self._runner = task_runner
        self._streams = [os.memfd_create("output") for _ in _STREAMS]
        self._originals = [os.dup(number) for number in _STREAMS]
        _flush()
        for number, stream in zip(_STREAMS, self._streams, strict=True):
            os.dup2(stream, number)
        task_runner.SUPERVISOR_COMMS = Unavailable()  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        del self._runner.SUPERVISOR_COMMS
        _flush()
        for number, original in zip(_STREAMS, self._originals, strict=True):
            os.dup2(original, number)
            os.close(original)
        numbers = (self._log, *self._streams)
        self.is_whole = all(os.fstat(number).st_size <= _OUTPUT_MOST for number in numbers)
        self._texts = [_whole(number) for number in numbers]
        for number in self._streams:
            os.close(number)

    def logged(self) -> list[dict[str, Any]]:
        """Events, in order."""
        return list(_entries(self._texts[0])) if self.is_whole else []

    def printed(self) -> list[str]:
        """To stdout, to stderr."""
        return self._texts[1:]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _whole(number: int) -> str:
    return os.pread(number, _OUTPUT_MOST, 0).decode(errors="replace")


def _entries(text: str) -> Iterator[dict[str, Any]]:
    for line in filter(None, text.split("\n")):  # other ends of lines may stand within one
        entry = json.loads(line)
        if isinstance(entry, dict):
            yield entry
