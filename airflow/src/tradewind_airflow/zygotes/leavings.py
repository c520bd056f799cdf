"""What a parse has left behind in its process that a fork does not inherit whole, or that would be the same in each."""

from __future__ import annotations

import logging
import os
import random
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Leavings:
    """What there was before, to be compared with what there is now."""

    def __init__(self) -> None:
        self._descriptors = set(_descriptors())
        self._handlers = _handlers()
        self._drawn = random.getstate()
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
