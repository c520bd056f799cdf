"""Runs one command line to its exit status, whatever happens in between."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from tradewind.cli.app import app
from tradewind.cli.failures import INTERRUPTED, PIPE_CLOSED, USAGE, explain

_COMPLETION = "_TRADEWIND_COMPLETE"


def main() -> None:
    """The program `tradewind`."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """One command line. Answers the status; the sentence has been written."""
    try:
        status = app(list(arguments), prog_name="tradewind", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit:
        if _COMPLETION in os.environ:  # the shell's completion has answered
            raise
        return PIPE_CLOSED  # typer has seen a broken pipe first, and has let go of the output
    except BaseException as error:  # noqa: BLE001  (here, and only here, everything ends as a sentence)
        return _ended(error)
    return _say("interrupted", INTERRUPTED) if status == INTERRUPTED else status if isinstance(status, int) else 0


def _ended(error: BaseException) -> int:
    match error:
        case KeyboardInterrupt() | typer.Abort():
            return _say("interrupted", INTERRUPTED)
        case BrokenPipeError():
            _let_go_of_output()
            return PIPE_CLOSED
        case TyperException():
            return _usage(error)
        case _:
            return _failure(error)


def _usage(error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    message = error.format_message().strip()
    if not message or message.startswith("Usage:"):  # no command at all: the help is the answer
        print(message, file=sys.stderr)
        return USAGE
    where = f"; see {context.command_path} --help" if context is not None else ""
    return _say(f"cannot read the command line: {message.rstrip('.')}{where}", USAGE)


def _failure(error: BaseException) -> int:
    if os.environ.get("TRADEWIND_DEBUG"):
        traceback.print_exception(error)
    failure = explain(error)
    status = _say(failure.sentence, failure.status)
    for line in failure.evidence:
        if line not in failure.sentence:
            _say_line(f"  | {line}")
    return status


def _say(sentence: str, status: int) -> int:
    _say_line(f"tradewind: {sentence}")
    return status


def _say_line(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _let_go_of_output() -> None:
    """Keep the interpreter from writing what is still buffered, and complaining, when it ends."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(null, sys.stdout.fileno())
