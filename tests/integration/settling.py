"""A bucket, its versions and a clock, for tests that let a bucket come to rest."""

import time
from pathlib import Path

from tradewind.bundles import Directories, Snapshots


class Clock:
    """Skips only our own clock: the file system's cannot be set, so a file does not age by it."""

    def __init__(self):
        self.skipped = 0.0
        self.wall_skipped = 0.0

    def monotonic(self):
        return time.monotonic() + self.skipped

    def wall(self):
        return time.time() + self.wall_skipped


class Place:
    """A bucket, its versions and a clock."""

    def __init__(self, top: Path, gid: int | None = None):
        self.root = top / "buckets" / "demo"
        self.root.mkdir(parents=True)
        self.folder = top / "bundle"
        self.bucket = Directories(top / "buckets").bucket("demo")
        self.clock = Clock()
        self.gid = gid
        self.snapshots = self.restarted()

    def restarted(self):
        return Snapshots(self.folder, self.gid, monotonic=self.clock.monotonic, wall=self.clock.wall)

    def put(self, key, content="x"):
        path = self.root / "dags" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def look(self, after=0.0):
        self.clock.skipped += after
        return self.snapshots.take(self.bucket, "dags")

    def settled(self):
        """What is in force once the bucket has been still for long."""
        seen = [self.look(after=2.0) for _ in range(3)]
        assert not seen[-1].waiting
        assert not seen[-1].changed
        return seen[-1]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
