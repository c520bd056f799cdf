"""Immutable versions of a bucket's DAG folder, so that a run keeps the code that it started with.

`take` looks at the bucket and, when something changed and has settled, makes a version of it and puts it in force.
An unchanged bucket costs its listing only. A file that is still being written, or that changes while it is read,
stays as it was (or waits, when it is new) and is taken by a later look; the others go on. The very first look does
not wait for anything to settle: an environment must start with the files that were put there a moment ago.

Times: a file keeps the source's modification time, but one whose content replaces another gets the time of the
taking, a little ahead. Airflow's DAG processor reads a file again only when its time is later than the end of the
last reading, and the last reading may be of the version before; `cp -p` and a rollback even bring old times.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tradewind.bundles import index, keys
from tradewind.bundles.buckets import OBJECT_LIMIT, Bucket, Listing, Object
from tradewind.bundles.index import UNKNOWN_TAG, Entry, InForce
from tradewind.bundles.settling import Settling
from tradewind.bundles.versions import Versions
from tradewind.domain.errors import CannotProvide

AHEAD_SECONDS = 2.0


@dataclass(frozen=True)
class Snapshot:
    """The version in force after a look. `waiting` holds paths that are newer in the bucket but not settled."""

    version: str
    path: Path
    files: tuple[str, ...]
    changed: bool
    problems: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Snapshots:
    """`folder` is `environments/<id>/bundle/`; `gid` the group that may read, where the service runs as root.

    It remembers what it saw last, so keep one object per environment between polls; callers wait for each other.
    """

    def __init__(
        self,
        folder: Path,
        gid: int | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.versions = Versions(folder, gid)
        self._monotonic = monotonic
        self._wall = wall
        self._settling = Settling()
        self._source = ""
        self._in_force = InForce()
        self._quiet: tuple[Listing, Snapshot] | None = None
        self._one = threading.Lock()

    def current(self) -> str | None:
        """The version in force, if there is one."""
        return self.versions.current()

    def take(self, bucket: Bucket, prefix: str) -> Snapshot:
        """Look at the bucket; make a version if something changed and settled.

        Raises CannotProvide when the bucket cannot be listed or the version not be written: what was in force stays.
        An absent prefix is an empty folder; whether the bucket exists is asked by `Bucket.exists`.
        """
        with self._one:
            return self._take(bucket, keys.normalise(prefix))

    def _take(self, bucket: Bucket, key: str) -> Snapshot:
        listing = bucket.list(key)
        self._recall(f"{bucket.describe()}/{key}")
        if self._quiet is not None and self._quiet[0] == listing:
            return self._quiet[1]
        found, problems = placeable(listing, key)
        try:
            snapshot = self._settle(bucket, found)
        except OSError as error:
            raise CannotProvide(
                f"cannot keep a version of {key!r} of {bucket.describe()}: {error.strerror}",
                "CANNOT_WRITE",
                (str(error),),
            ) from error
        known = all(entry.tag != UNKNOWN_TAG for entry in self._in_force.entries.values())
        done = known and not snapshot.waiting and not snapshot.problems
        snapshot = replace(snapshot, problems=(*problems, *snapshot.problems))
        self._quiet = (listing, replace(snapshot, changed=False)) if done else None
        return snapshot

    def prune(self, keep: Collection[str] = (), newest: int = 10, *, young_seconds: float = 600.0) -> tuple[str, ...]:
        """Remove versions; answers their names.

        Kept are those named, the one in force, the `newest` that were in force last, and those that were in force
        within `young_seconds`: a DAG that Airflow has not read again still starts runs of such a version.
        """
        with self._one:
            return self._prune(keep, newest, young_seconds)

    def _prune(self, keep: Collection[str], newest: int, young_seconds: float) -> tuple[str, ...]:
        known = self.versions.names()
        kept = {*keep, self.versions.current(), *known[:newest]}
        old = [
            version
            for version in known
            if version not in kept and self._wall() - self.versions.last_in_force(version) >= young_seconds
        ]
        for version in old:
            self.versions.remove(version)
        return tuple(old)

    def _recall(self, source: str) -> None:
        """Read from the disk what is in force, unless what is remembered still is."""
        if source == self._source and (self.versions.current() or "") == self._in_force.version:
            return
        self._source, self._quiet, self._settling = source, None, Settling()
        self._in_force = index.load(self.versions, source)

    def _settle(self, bucket: Bucket, found: Mapping[str, Object]) -> Snapshot:
        if not self._in_force.version:
            return self._make(bucket, found, settled=frozenset(found), moving=frozenset())
        change = self._settling.judge(
            {path: entry.tag for path, entry in self._in_force.entries.items()},
            found,
            settle=bucket.settle_seconds,
            now=self._monotonic(),
            wall=self._wall(),
        )
        if not change.due:
            return self._snapshot(waiting=change.settled | change.moving)
        return self._make(bucket, found, settled=change.settled, moving=change.moving)

    def _make(
        self, bucket: Bucket, found: Mapping[str, Object], *, settled: frozenset[str], moving: frozenset[str]
    ) -> Snapshot:
        """Read what settled, keep the rest as it was, and put the result in force."""
        before = self._in_force
        self.versions.begin()
        fetched, problems = self._fetch(bucket, {path: found[path] for path in sorted(settled & found.keys())})
        late = (settled & found.keys()) - fetched.keys()
        kept = {p: e for p, e in before.entries.items() if p not in fetched and (p in found or p not in settled)}
        for path in beside(fetched, kept):
            del kept[path]
        entries = {**kept, **fetched}
        version = index.version_of(entries)
        if version != before.version:
            self._bring_about(version, entries, fetched)
        else:
            self.versions.clear()
        self._in_force = InForce(version, entries)
        if entries != before.entries or version != before.version:
            index.save(self.versions, self._source, self._in_force)
        unread = frozenset(problems)
        return self._snapshot(version != before.version, (late - unread) | moving, tuple(problems.values()))

    def _fetch(self, bucket: Bucket, wanted: Mapping[str, Object]) -> tuple[dict[str, Entry], dict[str, str]]:
        """Read objects into the version being built. What could not be read whole is missing from the answer."""
        fetched: dict[str, Entry] = {}
        problems: dict[str, str] = {}
        for path, listed in wanted.items():
            target = self.versions.place(path)
            try:
                with target.open("xb") as file:
                    sink = _Hashing(file)
                    whole = bucket.fetch(listed, sink)
            except CannotProvide as error:
                if error.code != "ACCESS_DENIED":
                    raise
                whole, problems[path] = False, error.sentence
            if not whole:
                target.unlink()
                continue
            # a file that may change again within the tick of its clock keeps its tag: do not trust it yet
            young = not self._in_force.version and self._wall() - listed.changed_ns / 1e9 < bucket.settle_seconds
            entry = Entry(UNKNOWN_TAG if young else listed.tag, sink.digest.hexdigest())
            self.versions.finish_file(target, self._modified_ns(path, entry, listed))
            fetched[path] = entry
        return fetched, problems

    def _modified_ns(self, path: str, entry: Entry, source: Object) -> int:
        before = self._in_force.entries.get(path)
        if before is None or before.content == entry.content:
            return source.modified_ns
        return int((self._wall() + AHEAD_SECONDS) * 1e9)

    def _bring_about(self, version: str, entries: Mapping[str, Entry], fetched: Mapping[str, Entry]) -> None:
        before = self._in_force
        if self.versions.path(version).is_dir():  # a rollback: the version is there already
            self.versions.clear()
            for path, entry in entries.items():
                old = before.entries.get(path)
                if old is not None and old.content != entry.content:
                    self.versions.finish_file(
                        self.versions.path(version) / path, int((self._wall() + AHEAD_SECONDS) * 1e9)
                    )
        else:
            for path in entries.keys() - fetched.keys():
                self.versions.link_file(before.version, path)
            self.versions.complete(version, fetched)
        self.versions.put_in_force(version, self._wall())

    def _snapshot(
        self, changed: bool = False, waiting: Collection[str] = (), problems: tuple[str, ...] = ()
    ) -> Snapshot:
        version = self._in_force.version
        files = tuple(sorted(self._in_force.entries))
        return Snapshot(version, self.versions.path(version), files, changed, problems, tuple(sorted(waiting)))


def placeable(listing: Listing, key: str) -> tuple[dict[str, Object], tuple[str, ...]]:
    """Objects by their path in the DAG folder, and sentences about those that can be no file there."""
    start = len(keys.folder(key))
    found: dict[str, Object] = {}
    problems = list(listing.problems)
    for listed in listing.objects:
        path = listed.key[start:]
        if path.endswith("/") or not path:
            if listed.size:  # the empty ones are how consoles show a folder
                problems.append(f"{listed.key!r} is left out: its name ends with a slash")
        elif reason := keys.unsuitable(path):
            problems.append(f"{listed.key!r} is left out: {reason}")
        elif listed.size > OBJECT_LIMIT:
            problems.append(f"{listed.key!r} is left out: it is larger than {OBJECT_LIMIT} bytes")
        elif not keys.ignored(path):
            found[path] = listed
    twofold = sorted(keys.shadowed(found))
    problems += [f"{found.pop(path).key!r} is left out: it is a folder of other keys as well" for path in twofold]
    return found, tuple(problems)


def beside(fetched: Collection[str], kept: Collection[str]) -> Iterator[str]:
    """Kept files that cannot lie beside fetched ones: a file where there is a folder now, or the reverse."""
    files = set(fetched)
    folders = {path[:end] for path in files for end in range(len(path)) if path[end] == "/"}
    for path in tuple(kept):
        if path in folders or any(path[:end] in files for end in range(len(path)) if path[end] == "/"):
            yield path


class _Hashing:
    """Writes to a file and hashes what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        self.digest.update(chunk)
        return self.file.write(chunk)
