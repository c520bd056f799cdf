"""Overlays: what a start-up script installed, copied to where the environment's user can change it no more.

The script's folder belongs to the environment's user, whose tasks run at the same time, and the copy is made by the
service, perhaps as root, for processes that hold secrets. So nothing there is trusted: every file is opened below the
folder that holds it, without following links, and is copied only if it is a plain file of that very user (a hard link
may lead to somebody else's). Links and special files are refused, set-user-id bits do not come along, and size and
number are limited. An overlay is named by its content and is complete or not there.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.domain.errors import CannotProvide
from tradewind.runtime.users import UnixUser

SIZE_LIMIT = 4 * 1024**3  # bytes of all files together
ENTRY_LIMIT = 100_000  # files and folders
_DEPTH_LIMIT = 64
_CHUNK = 1 << 20
_BUILDING = ".new"
_COMPILED = "__pycache__"


@dataclass(frozen=True)
class Limits:
    """How much a script may install."""

    size: int = SIZE_LIMIT
    entries: int = ENTRY_LIMIT


def take_over(made: Path, overlays: Path, what: str, user: UnixUser | None, limits: Limits | None = None) -> str | None:
    """Copy `made`, which is `user`'s, to `overlays/<digest>` and answer the digest; None where it holds no file.

    `what` names it in errors. The compiled files do not count for the digest: they follow from the others. Raises
    CannotProvide for what may not be handed over. A crash leaves `overlays/.new`, which the next call clears away.
    """
    building = overlays / _BUILDING
    if building.exists():
        shutil.rmtree(building)
    copy = _Copy(
        what, os.geteuid() if user is None else user.uid, None if user is None else user.gid, limits or Limits()
    )
    try:
        with _opened(made, os.O_DIRECTORY) as source:
            copy.folder(source, building, Path())
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise copy.refused(f"it cannot be read: {error.strerror}") from error
    except CannotProvide:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if not copy.found:
        shutil.rmtree(building)
        return None
    digest = hashlib.sha256("\0".join(sorted(copy.found)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    if (overlays / digest).is_dir():
        shutil.rmtree(building)
    else:
        os.sync()  # once for thousands of files: a machine that dies must not leave half an overlay under its name
        building.rename(overlays / digest)
    return digest


@dataclass
class _Copy:
    what: str
    uid: int
    gid: int | None
    limits: Limits
    found: list[str] = field(default_factory=list)  # a line for each file
    size: int = 0
    entries: int = 0

    def folder(self, source: int, target: Path, place: Path) -> None:
        """Copy the folder that is open as `source`."""
        if len(place.parts) > _DEPTH_LIMIT:
            raise self.refused(f"its folders lie more than {_DEPTH_LIMIT} deep")
        target.mkdir()
        target.chmod(0o750)
        if self.gid is not None:
            os.chown(target, 0, self.gid)
        for name in sorted(os.listdir(source)):
            self.entries += 1
            if self.entries > self.limits.entries:
                raise self.refused(f"it holds more than {self.limits.entries:,} files")
            kind = os.stat(name, dir_fd=source, follow_symlinks=False).st_mode
            if stat.S_ISDIR(kind):
                with _opened(name, os.O_DIRECTORY, source) as opened:
                    self.folder(opened, target / name, place / name)
            elif stat.S_ISREG(kind):
                with _opened(name, os.O_NONBLOCK, source) as opened:  # it may be a pipe by now
                    self.file(opened, target / name, place / name)
            else:
                raise self.refused(f"{str(place / name)!r} in it is a link or a special file")

    def file(self, source: int, target: Path, place: Path) -> None:
        """Copy the file that is open as `source`."""
        seen = os.fstat(source)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid != self.uid:
            raise self.refused(f"{str(place)!r} in it is not a file of the environment's own")
        digest = hashlib.sha256()
        with target.open("xb") as file:
            while chunk := os.read(source, _CHUNK):
                self.size += len(chunk)
                if self.size > self.limits.size:
                    raise self.refused(f"it holds more than {self.limits.size:,} bytes")
                digest.update(chunk)
                file.write(chunk)
        mode = 0o550 if seen.st_mode & stat.S_IXUSR else 0o440
        if self.gid is not None:
            os.chown(target, 0, self.gid)
        target.chmod(mode)
        if _COMPILED not in place.parts:
            self.found.append(f"{mode:o} {digest.hexdigest()} {place}")

    def refused(self, reason: str) -> CannotProvide:
        return CannotProvide(f"cannot use what {self.what} installed: {reason}", "INCORRECT_CONFIGURATION")


@contextmanager
def _opened(name: str | Path, flags: int, within: int | None = None) -> Iterator[int]:
    number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=within)
    try:
        yield number
    finally:
        os.close(number)
