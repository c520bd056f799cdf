"""What commands print: results on standard output, progress on standard error, JSON where it was asked for.

A table is columns of text without frames, whole whatever the terminal's width, so that it can be piped. JSON is
one object, or one object a line where there is no end to wait for.
"""

import enum
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {
    "AVAILABLE": "green", "success": "green", "running": "green", "ok": "green",
    "CREATING": "yellow", "DELETING": "yellow", "queued": "yellow", "warning": "yellow", "up_for_retry": "yellow",
    "CREATE_FAILED": "red", "UNAVAILABLE": "red", "failed": "red", "error": "red", "upstream_failed": "red",
}  # fmt: skip


class Output(enum.StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


def document(value: Any) -> None:
    """Print one JSON value, readable for people on a terminal."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(value, indent=indent, default=_plain, ensure_ascii=False), flush=True)


def line(text: str = "") -> None:
    """Print one line of the result."""
    print(text, flush=True)


def note(text: str) -> None:
    """Say something that is not the result."""
    print(text, file=sys.stderr, flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows below their columns' names."""
    for text in aligned(columns, rows):
        print(text)
    sys.stdout.flush()


def aligned(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table; states have their colours on a terminal."""
    cells = [[_cell(value) for value in row] for row in [columns, *rows]]
    widths = [max(len(row[n]) for row in cells) for n in range(len(columns))]
    for number, row in enumerate(cells):
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        padded[-1] = row[-1]
        shown = [paint(text) for text in padded] if number else padded
        yield "  ".join(shown).rstrip()


def paint(text: str) -> str:
    """A state's word in its colour, on a terminal."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    code = {"green": 32, "yellow": 33, "red": 31}.get(COLOURS.get(text.strip(), ""))
    return text if code is None else f"\x1b[{code}m{text}\x1b[0m"


@contextmanager
def live(*, stderr: bool = True) -> Iterator["Live"]:
    """A line that tells what is under way, on a terminal; elsewhere only the lines that stay."""
    from rich.console import Console  # noqa: PLC0415  (a third of a second that most commands need not pay)

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        yield Live(console, None)
        return
    with console.status("") as status:
        yield Live(console, status)


class Live:
    """Where progress is told."""

    def __init__(self, console: "Console", status: Any) -> None:
        self._console = console
        self._status = status

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False, soft_wrap=True)

    def show(self, text: str) -> None:
        """What is under way now."""
        if self._status is not None:
            self._status.update(text)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    return " ".join(str(_plain(value) if isinstance(value, datetime) else value).split())


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
