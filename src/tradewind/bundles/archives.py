"""plugins.zip, unpacked: a folder that is complete or not there, and holds nothing but files of the archive.

An archive comes from whoever may write to the bucket, and is unpacked by the service, perhaps as root. So every name
is checked before the first byte is written, links and special files are refused, and so is what unpacks to more than a
person would have put there. What is written belongs to the service; the environment's group may read it.
"""

import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tradewind.bundles import keys
from tradewind.domain.errors import CannotProvide

UNPACKED_LIMIT = 4 * 1024**3  # bytes of all files together
ENTRY_LIMIT = 50_000
_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_END_MARK, _END, _END_MOST = b"PK\x05\x06", struct.Struct("<4s4H2LH"), 22 + 65_535
_DIRECTORY_LIMIT = 64 * 1024**2  # bytes of the archive's own list of files; of one with 64-bit counts it is 4 GiB
_BUILDING = ".new"
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError)


def unpack(archive: Path, folder: Path, what: str, gid: int | None = None) -> None:
    """Unpack into `folder`, which must not exist; `what` names the archive in errors.

    Raises CannotProvide for what is no archive, or holds what it must not. A crash leaves `<folder>.new`, which the
    next call clears away.
    """
    building = folder.with_name(folder.name + _BUILDING)
    if building.exists():
        shutil.rmtree(building)
    _check_directory(archive, what)
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = list(_checked(opened, what))
            _make(building, gid)
            room = _Room(UNPACKED_LIMIT, what)
            for entry in entries:
                _extract(opened, entry, building, gid, room)
    except _UNREADABLE as error:
        raise _refused(what, f"it is no archive that can be read: {error}") from error
    except RuntimeError as error:  # zipfile's word for passwords and methods that it does not know
        raise _refused(what, str(error)) from error
    building.rename(folder)


def _check_directory(archive: Path, what: str) -> None:
    """Refuse by the record at its end what would take gigabytes to list; what has none is no archive."""
    with archive.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_MOST))
        end = file.read()
    at = end.rfind(_END_MARK)
    if at < 0 or len(end) - at < _END.size:
        return
    _, _, _, _, entries, directory, _, _ = _END.unpack_from(end, at)
    if entries > ENTRY_LIMIT or directory > _DIRECTORY_LIMIT:
        raise _refused(what, f"it holds more than {ENTRY_LIMIT:,} files")


def _checked(opened: zipfile.ZipFile, what: str) -> Iterator[zipfile.ZipInfo]:
    entries = opened.infolist()
    if len(entries) > ENTRY_LIMIT:
        raise _refused(what, f"it holds more than {ENTRY_LIMIT:,} files")
    if sum(entry.file_size for entry in entries) > UNPACKED_LIMIT:
        raise _too_much(what)
    files: set[str] = set()
    for entry in entries:
        name = entry.filename.rstrip("/") if entry.is_dir() else entry.filename
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if reason := keys.unsuitable(name):
            raise _refused(what, f"it holds {entry.filename!r}: {reason}")
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _refused(what, f"{entry.filename!r} in it is a link or a special file")
        if entry.flag_bits & _ENCRYPTED:
            raise _refused(what, f"{entry.filename!r} in it is encrypted")
        if entry.is_dir():
            continue
        if name in files:
            raise _refused(what, f"it holds {entry.filename!r} twice")
        files.add(name)
        yield entry
    for name in keys.shadowed(files):
        raise _refused(what, f"it holds {name!r} as a file and as a folder")


@dataclass
class _Room:
    """Bytes that may still be written, whatever the archive says of its sizes."""

    left: int
    what: str

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise _too_much(self.what)


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, building: Path, gid: int | None, room: _Room) -> None:
    target = building / entry.filename
    _make(target.parent, gid)
    with opened.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            room.take(len(chunk))
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if gid is not None:
        os.chown(target, 0, gid)
    executable = (entry.external_attr >> 16) & stat.S_IXUSR
    target.chmod(0o550 if executable else 0o440)


def _make(folder: Path, gid: int | None) -> None:
    if folder.is_dir():
        return
    _make(folder.parent, gid)
    folder.mkdir()
    folder.chmod(0o750)
    if gid is not None:
        os.chown(folder, 0, gid)


def _too_much(what: str) -> CannotProvide:
    return _refused(what, f"it unpacks to more than {UNPACKED_LIMIT:,} bytes")


def _refused(what: str, reason: str) -> CannotProvide:
    return CannotProvide(f"cannot use {what}: {reason}", "INCORRECT_CONFIGURATION")
