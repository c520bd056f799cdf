"""Logs of programs: their last lines, and keeping them from filling the disk.

Programs append to their log themselves, so nobody stands between who could rotate it. `trim` copies a log that has
grown past its limit to `<log>.1` and empties it in place; a program that appends goes on at the new end. What is
written between the copy's end and the emptying (microseconds) is lost. As root both are done with the rights of the
log's owner and by a program of their own, since a user may put links into a directory of theirs.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_TRIMMER = "tradewind.runtime.processes.trimmer"
_BLOCK = 64 * 1024
_LONGEST = 4000  # characters of a line that are worth showing


def tail(path: Path, count: int, owner: int | None = None) -> tuple[str, ...]:
    """Read the last lines of a file, undecodable bytes replaced.

    Nothing when it is absent, no plain file, or not the `owner`'s (a user id): whoever may change the directory could
    otherwise show us, and through us themselves, a file of someone else.
    """
    if count <= 0:
        return ()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ()
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or owner not in (None, found.st_uid):
        os.close(descriptor)
        return ()
    with os.fdopen(descriptor, "rb") as file:
        text = b""
        here = found.st_size
        while here > 0 and text.count(b"\n") <= count and len(text) < _LONGEST * (count + 1):
            start = max(0, here - _BLOCK)
            file.seek(start)
            text = file.read(here - start) + text
            here = start
    lines = text.decode(errors="replace").splitlines()
    return tuple(line[:_LONGEST] for line in lines[-count:])


def trim(logs: Mapping[Path, int], limit: int) -> Sequence[Path]:
    """Empty the logs (with their users' ids) that hold more than `limit` bytes, their text kept as `<log>.1`.

    Answers those that were too large.
    """
    large = [path for path in logs if _size(path) > limit]
    if large:
        subprocess.run(
            [sys.executable, "-I", "-m", _TRIMMER],
            input=json.dumps([(str(path), logs[path]) for path in large]).encode(),
            env={},
            timeout=300,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return large


def changed(path: Path) -> float:
    """When a file was written last; 0 when it is absent."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
