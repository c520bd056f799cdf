"""Reading log files that an environment's own code may have tampered with.

The service may be root, and whatever runs in an environment may write in its log folder. So a file is opened
part by part below the folder, no link is followed, and what is no plain file (a pipe would hang us) or has a
second name (a hard link to someone else's file) is as good as absent.

A log is trimmed in place when it grows too large (`runtime/processes/logs.py`): one that has become shorter is
read again from its start. Following looks a few times a second; who waits, and how long, is the caller's.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_BLOCK = 64 * 1024
_LONGEST = 64 * 1024  # bytes of one line; what is longer is cut


@dataclass
class Cursor:
    """A place in a log that moves on as lines are read. `root` is trusted, `path` below it is not."""

    root: Path
    path: PurePosixPath
    offset: int = 0
    _identity: tuple[int, int] | None = field(default=None, repr=False)

    def read(self) -> list[str]:
        """Whole lines that were written since; none while the file is absent."""
        descriptor = opened(self.root, self.path)
        if descriptor is None:
            return []
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            identity = (found.st_dev, found.st_ino)
            if found.st_size < self.offset or (self._identity is not None and identity != self._identity):
                self.offset = 0
            self._identity = identity
            file.seek(self.offset)
            text = file.read(found.st_size - self.offset)
        whole = len(text) if len(text) > _LONGEST and b"\n" not in text else text.rfind(b"\n") + 1
        self.offset += whole
        return _lines(text[:whole])


def tail(root: Path, path: PurePosixPath, count: int) -> tuple[list[str], Cursor]:
    """The last lines of a file, and where to read on. Nothing for a file that is absent."""
    cursor = Cursor(root, path)
    descriptor = opened(root, path)
    if descriptor is None:
        return [], cursor
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        here, text = found.st_size, b""
        while here > 0 and text.count(b"\n") <= count and len(text) < _LONGEST * (count + 1):
            start = max(0, here - _BLOCK)
            file.seek(start)
            text = file.read(here - start) + text
            here = start
        cursor.offset, cursor._identity = found.st_size, (found.st_dev, found.st_ino)  # noqa: SLF001
    if here > 0 and b"\n" in text:  # the first line may be a part of one
        text = text.partition(b"\n")[2]
    lines = _lines(text)
    return lines[-count:] if count > 0 else [], cursor


def follow(cursors: Iterable[tuple[str, Cursor]], wait: Callable[[], bool]) -> Iterator[tuple[str, str]]:
    """Lines as they are written, each with its source's name, until `wait` answers False."""
    sources = list(cursors)
    while True:
        for name, cursor in sources:
            for line in cursor.read():
                yield name, line
        if not wait():
            return


def opened(root: Path, path: PurePosixPath) -> int | None:
    """A descriptor of a plain file below `root`, reached without any link; None when there is none."""
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or any("\0" in part for part in parts):
        return None
    flags = os.O_RDONLY | os.O_CLOEXEC
    try:
        here = os.open(root, flags | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    for number, part in enumerate(parts, 1):
        last = number == len(parts)
        kind = os.O_NONBLOCK if last else os.O_DIRECTORY
        try:
            below = os.open(part, flags | os.O_NOFOLLOW | kind, dir_fd=here)
        except PermissionError:
            raise
        except OSError:
            return None
        finally:
            os.close(here)
        here = below
    found = os.fstat(here)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(here)
        return None
    return here


def _lines(text: bytes) -> list[str]:
    # only "\n" ends a line: a task may print anything else, form feeds and line separators included
    lines = text.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line[:_LONGEST].decode(errors="replace").rstrip("\r") for line in lines]
