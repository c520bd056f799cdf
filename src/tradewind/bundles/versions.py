"""Versions on disk: `versions/<version>/`, and `current`, a symbolic link to one of them.

    bundle/current -> versions/0f3c…   bundle/versions/0f3c…/…   bundle/index.json

A version is built in `building`, flushed to the disk, and only then renamed to its name; the link is replaced by a
rename too. A crash leaves the old state or the new one, and litter (`building`, `removing-…`, `current.new`) that the
next build clears away. Files are 0440 and folders 0750, of the group given: the environment's user reads, nobody else.
Unchanged files are hard links to the version before, so a version costs what changed.
"""

import contextlib
import os
import re
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_VERSION = re.compile(r"[0-9a-f]{32}")
_BUILDING = "building"
_NEXT_LINK = "current.new"
_REMOVING = "removing-"
_FLUSHERS = 16
FILE_MODE = 0o440
FOLDER_MODE = 0o750


class Versions:
    """The versions of one environment. One caller at a time: whoever holds the environment's lease."""

    def __init__(self, folder: Path, gid: int | None) -> None:
        self.folder = folder
        self.gid = gid
        self.all = folder / "versions"
        self.link = folder / "current"
        self.building = folder / _BUILDING

    def path(self, version: str) -> Path:
        """Where a version lies or would lie."""
        return self.all / version

    def current(self) -> str | None:
        """The version in force, if there is one and it is whole."""
        try:
            version = self.link.readlink().name
        except OSError:
            return None
        return version if _VERSION.fullmatch(version) and self.path(version).is_dir() else None

    def names(self) -> tuple[str, ...]:
        """All whole versions, the one put in force last first."""
        try:
            found = [entry for entry in os.scandir(self.all) if _VERSION.fullmatch(entry.name)]
        except FileNotFoundError:
            return ()
        return tuple(e.name for e in sorted(found, key=lambda e: e.stat().st_mtime_ns, reverse=True))

    def last_in_force(self, version: str) -> float:
        """When a version was last known to be in force, in seconds since 1970."""
        return self.path(version).stat().st_mtime

    def begin(self) -> None:
        """An empty `building`, and no litter of a crash."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._own(self.folder)
        self.clear()
        for fresh in (self.all, self.building):
            fresh.mkdir(exist_ok=True)
            self._own(fresh)

    def clear(self) -> None:
        """Remove what an interrupted build or removal left."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / _NEXT_LINK).unlink()
        for path in self.folder.glob(_REMOVING + "*"):
            shutil.rmtree(path)
        if self.building.exists():
            shutil.rmtree(self.building)

    def place(self, path: str) -> Path:
        """Where a file of the version being built belongs; its folders are made."""
        target = self.building / path
        self._make_folder(target.parent)
        return target

    def finish_file(self, file: Path, modified_ns: int) -> None:
        """Give a written file its rights and its time."""
        if self.gid is not None:
            os.chown(file, -1, self.gid)
        file.chmod(FILE_MODE)
        os.utime(file, ns=(modified_ns, modified_ns))

    def link_file(self, version: str, path: str) -> None:
        """Take a file over from another version: a hard link, or a copy where no more links can be had."""
        old, new = self.path(version) / path, self.place(path)
        try:
            os.link(old, new)
        except OSError:
            shutil.copyfile(old, new)
            self.finish_file(new, old.stat().st_mtime_ns)

    def complete(self, version: str, written: Iterable[str]) -> None:
        """Flush what was written and give the version its name."""
        files = [self.building / path for path in written]
        folders = [Path(folder) for folder, _, _ in os.walk(self.building)]
        with ThreadPoolExecutor(_FLUSHERS) as pool:  # the journal takes many in one go: 300 files in 0.1 s, not 0.5
            deque(pool.map(_flush, [*files, *folders]), maxlen=0)
        self.building.rename(self.path(version))
        _flush(self.all)

    def put_in_force(self, version: str, at: float) -> None:
        """Make `current` name this version, in one step. `at` is seconds since 1970."""
        for turned in {version, self.current() or version}:  # the one that leaves was in force until now
            os.utime(self.path(turned), (at, at))
        fresh = self.folder / _NEXT_LINK
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        fresh.symlink_to(Path("versions") / version)
        fresh.rename(self.link)
        _flush(self.folder)

    def remove(self, version: str) -> None:
        """Take a version away: first its name, so that half of it is never taken for the whole."""
        gone = self.folder / (_REMOVING + version)
        self.path(version).rename(gone)
        shutil.rmtree(gone)

    def files(self, version: str) -> Iterator[str]:
        """Paths of a version's files, bytecode that Python left beside them not among them."""
        top = self.path(version)
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                yield str((Path(folder) / name).relative_to(top))

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir()
            self._own(folder)

    def _own(self, folder: Path) -> None:
        if self.gid is not None:
            os.chown(folder, -1, self.gid)
        folder.chmod(FOLDER_MODE)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
