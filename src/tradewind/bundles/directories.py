"""A directory of this machine as a bucket, so that `cp` deploys a DAG: `<buckets>/<bucket name>/<key>`.

A task may write into its environment's bucket, and the service may run as root. So nothing outside the bucket is
ever read: a symbolic link is followed only while it stays inside, and a file is opened part by part without
following links, on the path that was checked. Pipes, sockets and devices are never opened.

A file is not whole the moment it appears. It must have been still for a while, no process may have it open for
writing (Linux tells: a read lease is refused), and its identity must be the same before and after it was copied.
A writer that closes the file half-way and comes back later than `settle_seconds` is beyond what can be seen.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tradewind.bundles.buckets import (
    COUNT_LIMIT,
    READ_LIMIT,
    Listing,
    Object,
    Sink,
    no_bucket,
    no_key,
    no_version,
    too_large,
    too_many,
)
from tradewind.bundles.keys import folder, ignored_name, normalise
from tradewind.domain.errors import CannotProvide

_NAME = re.compile(
    r"(?!.*\.\.)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]"
)  # S3's rules; "..", which the ARN's pattern allows, is none
_CHUNK = 1 << 20
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV})


@dataclass(frozen=True)
class Directories:
    """The folder that holds one folder a bucket.

    A bucket may be a symbolic link to a folder elsewhere: only the service's own user can make one here.
    """

    root: Path

    def bucket(self, name: str) -> "DirectoryBucket":
        """The bucket of that name, which need not exist. Raises CannotProvide for a name that no bucket can have."""
        if not _NAME.fullmatch(name):
            raise CannotProvide(f"cannot use the bucket {name!r}: no bucket can have this name", "INVALID_BUCKET")
        return DirectoryBucket(name, self.root / name)


@dataclass(frozen=True)
class DirectoryBucket:
    """One bucket that is a directory."""

    name: str
    root: Path
    settle_seconds: float = 0.5
    poll_seconds: float = 1.0

    def describe(self) -> str:
        """Names the folder, since that is where a person looks."""
        return f"the bucket {self.name} ({self.root})"

    def exists(self) -> bool:
        """Whether the directory is there."""
        return self.root.is_dir()

    def list(self, prefix: str) -> Listing:
        """Walk the folder: one stat a file."""
        key = normalise(prefix)
        if not self.exists():
            raise no_bucket(self.describe())
        walk = _Walk(self, os.path.realpath(self.root))
        top = self.root / key
        if not _inside(walk.real_root, os.path.realpath(top)):
            return Listing(problems=(f"{key!r} leads out of {self.describe()} and is not followed",))
        if top.is_dir():
            walk.enter(str(top), folder(key), (_identity(top.stat()),))
        elif top.exists():
            walk.problems.append(f"{key!r} in {self.describe()} is a file, not a folder")
        return Listing(tuple(walk.objects), tuple(walk.problems))

    def copy(self, key: str, into: Sink, *, version: str | None = None, limit: int = READ_LIMIT) -> None:
        """One file, whole. Its version is the digest of its content."""
        if not self.exists():
            raise no_bucket(self.describe())
        wanted, digest, size = normalise(key), hashlib.sha256(), 0
        with self._opened(wanted) as descriptor:
            if descriptor is None:
                raise no_key(self.describe(), wanted)
            before = os.fstat(descriptor)
            while size <= limit and (chunk := os.read(descriptor, _CHUNK)):
                size += len(chunk)
                digest.update(chunk)
                into.write(chunk)
            if is_being_written(descriptor) or _tag(os.fstat(descriptor)) != _tag(before):
                raise CannotProvide(
                    f"cannot read {wanted!r} in {self.describe()}: it is being written; try again when it is whole",
                    "KEY_NOT_FOUND",
                )
        if size > limit:
            raise too_large(self.describe(), wanted, limit)
        if version is not None and version != digest.hexdigest():
            raise no_version(self.describe(), wanted, version)

    def fetch(self, found: Object, into: Sink) -> bool:
        """Copy a file if it is the one that was listed, before and after."""
        with self._opened(found.key) as descriptor:
            if descriptor is None or _tag(os.fstat(descriptor)) != found.tag or is_being_written(descriptor):
                return False
            while chunk := os.read(descriptor, _CHUNK):
                into.write(chunk)
            return _tag(os.fstat(descriptor)) == found.tag

    @contextlib.contextmanager
    def _opened(self, key: str) -> Iterator[int | None]:
        """A descriptor of a regular file inside the bucket, or None when there is none."""
        try:
            descriptor = open_inside(os.path.realpath(self.root), os.path.realpath(self.root / key))
        except OSError as error:
            if error.errno in _NOT_THERE:
                descriptor = None
            else:
                raise CannotProvide(
                    f"cannot read {key!r} in {self.describe()}: {error.strerror}", "ACCESS_DENIED"
                ) from error
        try:
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)


class _Walk:
    """One walk through a folder: what was found and what was refused."""

    def __init__(self, bucket: DirectoryBucket, real_root: str) -> None:
        self.bucket = bucket
        self.real_root = real_root
        self.objects: list[Object] = []
        self.problems: list[str] = []

    def enter(self, path: str, prefix: str, above: tuple[tuple[int, int], ...]) -> None:
        """One directory. `above` holds the identities of those around it: a link to one of them is a circle."""
        try:
            with os.scandir(path) as entries:
                found = [entry for entry in entries if not ignored_name(entry.name)]
        except OSError as error:
            self._refuse(prefix.rstrip("/"), f"cannot be listed: {error.strerror}")
            return
        for entry in found:
            key = prefix + entry.name
            try:
                self._take(entry, key, above)
            except FileNotFoundError:
                continue  # went away while the folder was walked, or a link to nothing
            except OSError as error:
                self._refuse(key, f"cannot be looked at: {error.strerror}")

    def _take(self, entry: os.DirEntry[str], key: str, above: tuple[tuple[int, int], ...]) -> None:
        if entry.is_symlink() and not _inside(self.real_root, os.path.realpath(entry.path)):
            self._refuse(key, "is a link that leads out of the bucket and is not followed")
            return
        seen = entry.stat()
        if stat.S_ISDIR(seen.st_mode):
            if _identity(seen) in above:
                self._refuse(key, "is a link to a folder around it and is not followed")
            else:
                self.enter(entry.path, f"{key}/", (*above, _identity(seen)))
        elif stat.S_ISREG(seen.st_mode):
            if len(self.objects) >= COUNT_LIMIT:
                raise too_many(self.bucket.describe(), "")
            self.objects.append(Object(key, seen.st_size, _tag(seen), seen.st_mtime_ns, seen.st_ctime_ns))
        else:
            self._refuse(key, "is neither a file nor a folder")

    def _refuse(self, key: str, reason: str) -> None:
        self.problems.append(f"{key!r} in {self.bucket.describe()} {reason}")


def open_inside(real_root: str, real_path: str) -> int:
    """Open a regular file whose links are all resolved, following none: what was swapped since then is refused.

    Raises OSError: EXDEV for a path outside or no regular file, ELOOP or ENOTDIR for a link on the way.
    """
    if not _inside(real_root, real_path):
        raise OSError(errno.EXDEV, "it leads out of the bucket")
    *folders, name = Path(real_path).relative_to(real_root).parts or (".",)
    at = os.open(real_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = deeper
        # O_NONBLOCK: a pipe put in a file's place must not hold the service
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EXDEV, "it is not a regular file")
    return descriptor


def is_being_written(descriptor: int) -> bool:
    """Whether some process has this file open for writing; False where file system or rights cannot tell.

    A read lease is granted only when nobody has; it is given back at once. Whoever opens the file in between waits
    for that moment, and the kernel sends us the signal chosen here, which does nothing unless handled (SIGIO kills).
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def _inside(real_root: str, real_path: str) -> bool:
    return real_path == real_root or real_path.startswith(real_root.rstrip("/") + "/")


def _identity(seen: os.stat_result) -> tuple[int, int]:
    return seen.st_dev, seen.st_ino


def _tag(seen: os.stat_result) -> str:
    return f"{seen.st_dev}.{seen.st_ino}.{seen.st_size}.{seen.st_mtime_ns}.{seen.st_ctime_ns}"
