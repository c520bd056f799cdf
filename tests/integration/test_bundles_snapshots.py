"""Versions on a real file system: what a look makes, keeps, and leaves after a crash."""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradewind.bundles import Directories, Snapshots
from tradewind.bundles.directories import DirectoryBucket
from tradewind.bundles.settling import Change, Settling
from tradewind.bundles.versions import Versions
from tradewind.domain.errors import CannotProvide


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


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_first_look_takes_what_is_there_without_waiting(place):
    place.put("a.py", "one")
    place.put("x/b.py", "two")
    snapshot = place.look()
    assert snapshot.changed
    assert snapshot.files == ("a.py", "x/b.py")
    assert contents(place.folder / "current") == {"a.py": b"one", "x/b.py": b"two"}
    assert (place.folder / "current").readlink() == Path("versions") / snapshot.version
    assert not place.look().changed


@pytest.mark.parametrize("make", [lambda p: None, lambda p: (p.root / "dags").mkdir()])
def test_an_empty_or_absent_folder_is_an_empty_version(place, make):
    make(place)
    snapshot = place.look()
    assert (snapshot.files, snapshot.changed, snapshot.path.is_dir()) == ((), True, True)


def test_an_absent_bucket_leaves_what_was_in_force(place):
    place.put("a.py")
    version = place.look().version
    shutil.rmtree(place.root)
    with pytest.raises(CannotProvide, match="does not exist"):
        place.look()
    assert place.snapshots.current() == version


def test_a_fresh_change_waits_until_it_is_still_and_then_is_one_version(place):
    place.put("a.py", "one")
    first = place.settled()
    place.put("a.py", "two")
    place.put("b.py", "new")
    waiting = place.look()
    assert (waiting.changed, waiting.version, waiting.waiting) == (False, first.version, ("a.py", "b.py"))
    second = place.look(after=1.0)
    assert (second.changed, second.waiting) == (True, ())
    assert contents(second.path) == {"a.py": b"two", "b.py": b"new"}
    assert contents(first.path) == {"a.py": b"one"}


def test_a_file_that_never_rests_keeps_its_old_version_and_holds_nobody_up(place):
    place.put("busy.py", "old")
    place.settled()
    place.put("b.py", "new")
    for number in range(4):
        time.sleep(0.01)
        place.put("busy.py", str(number))
        snapshot = place.look(after=1.0)
    assert contents(snapshot.path) == {"busy.py": b"old", "b.py": b"new"}
    assert snapshot.waiting == ("busy.py",)


def test_a_file_still_open_for_writing_waits_and_the_others_go_on(place, monkeypatch):
    place.put("a.py", "one")
    place.settled()
    place.put("b.py", "two")
    half = place.put("half.py", "half")
    real = DirectoryBucket.fetch
    monkeypatch.setattr(
        DirectoryBucket, "fetch", lambda self, found, into: "half" not in found.key and real(self, found, into)
    )
    place.look()
    snapshot = place.look(after=2.0)
    assert snapshot.files == ("a.py", "b.py")
    assert snapshot.waiting == ("half.py",)
    monkeypatch.undo()
    half.write_text("whole")
    assert contents(place.settled().path)["half.py"] == b"whole"


def test_a_file_that_cannot_be_read_is_named_and_keeps_its_version(place, monkeypatch):
    place.put("a.py", "one")
    place.settled()

    def fetch(self, found, into):
        raise CannotProvide(f"cannot read {found.key!r}: Permission denied", "ACCESS_DENIED")

    monkeypatch.setattr(DirectoryBucket, "fetch", fetch)
    place.put("a.py", "two")
    place.look()
    snapshot = place.look(after=2.0)
    assert not snapshot.changed
    assert "Permission denied" in snapshot.problems[0]
    assert contents(snapshot.path) == {"a.py": b"one"}
    monkeypatch.undo()
    assert contents(place.settled().path) == {"a.py": b"two"}


def test_files_and_folders_change_places(place):
    place.put("a", "file")
    place.put("b/c", "in folder")
    place.settled()
    (place.root / "dags/a").unlink()
    place.put("a/x", "now a folder")
    shutil.rmtree(place.root / "dags/b")
    place.put("b", "now a file")
    assert contents(place.settled().path) == {"a/x": b"now a folder", "b": b"now a file"}


def test_times_are_kept_but_a_replacement_is_never_older_than_what_it_replaces(place):
    old = place.put("a.py", "one")
    os.utime(old, (1_000_000, 1_000_000))
    first = place.settled()
    assert (first.path / "a.py").stat().st_mtime == 1_000_000
    old.write_text("two")
    os.utime(old, (1_000_000, 1_000_000))
    before = place.clock.wall()
    second = place.settled()
    assert (second.path / "a.py").stat().st_mtime > before
    old.write_text("one")
    before = place.clock.wall()
    back = place.settled()
    assert back.version == first.version
    assert (back.path / "a.py").stat().st_mtime > before


def test_a_touch_makes_no_version(place):
    file = place.put("a.py")
    version = place.settled().version
    file.touch()
    assert place.settled().version == version
    assert len(place.snapshots.versions.names()) == 1


def test_unchanged_files_are_shared_between_versions(place):
    place.put("a.py")
    first = place.settled()
    place.put("b.py")
    second = place.settled()
    assert (first.path / "a.py").samefile(second.path / "a.py")


def test_an_unchanged_bucket_is_not_read_again_not_even_after_a_restart(place, monkeypatch):
    place.put("a.py")
    version = place.settled().version
    monkeypatch.setattr(DirectoryBucket, "fetch", lambda *_: pytest.fail("read again"))
    assert not place.look().changed
    place.snapshots = place.restarted()
    snapshot = place.look()
    assert (snapshot.version, snapshot.changed) == (version, False)


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"format": 1}', None])
def test_a_lost_index_costs_a_reading_and_nothing_else(place, broken):
    place.put("a.py")
    version = place.settled().version
    index = place.folder / "index.json"
    index.unlink()
    if broken is not None:
        index.write_bytes(broken)
    place.snapshots = place.restarted()
    assert place.settled().version == version
    place.put("a.py", "two")
    assert contents(place.settled().path) == {"a.py": b"two"}


def test_files_of_the_first_look_are_read_again_since_their_clock_may_have_stood_still(place, monkeypatch):
    place.put("a.py")
    place.look()
    read = []
    real = DirectoryBucket.fetch
    monkeypatch.setattr(DirectoryBucket, "fetch", lambda *a: read.append(a[1].key) or real(*a))
    place.settled()
    assert read == ["dags/a.py"]


def test_what_moves_is_kept_unless_it_cannot_lie_beside_what_came(place, monkeypatch):
    place.put("a", "a file")
    place.put("gone.py", "just deleted")
    place.settled()
    shutil.rmtree(place.root / "dags")
    place.put("a/x", "in a folder")
    verdict = Change(settled=frozenset({"a/x"}), moving=frozenset({"a", "gone.py"}), due=True)
    monkeypatch.setattr(Settling, "judge", lambda *_, **__: verdict)
    assert contents(place.look().path) == {"a/x": b"in a folder", "gone.py": b"just deleted"}


def test_current_names_a_version_at_every_moment(place, monkeypatch):
    place.put("a.py", "one")
    old = place.settled().version
    place.put("a.py", "two")
    place.look()
    real = Path.rename

    def dies(self, target):
        if self.name == "current.new":
            raise Killed
        return real(self, target)

    monkeypatch.setattr(Path, "rename", dies)
    with pytest.raises(Killed):
        place.look(after=2.0)
    assert place.restarted().current() == old


def test_another_prefix_is_another_source(place):
    place.put("a.py", "one")
    place.settled()
    (place.root / "other").mkdir()
    (place.root / "other" / "z.py").write_text("z")
    for _ in range(2):
        place.clock.skipped += 2.0
        snapshot = place.snapshots.take(place.bucket, "other")
    assert snapshot.files == ("z.py",)


class Killed(BaseException):
    """The process ends here: nothing after this line runs."""


@pytest.mark.parametrize("step", ["finish_file", "link_file", "complete", "put_in_force", "clear", "place"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_leaves_the_old_state_or_the_new_one(place, monkeypatch, step, after):
    place.put("a.py", "one")
    place.put("b.py", "same")
    old = place.settled()
    place.put("a.py", "two")
    real = getattr(Versions, step)

    def dies(self, *arguments):
        if after:
            real(self, *arguments)
        raise Killed

    place.look()
    monkeypatch.setattr(Versions, step, dies)
    with pytest.raises(Killed):
        place.look(after=2.0)
    monkeypatch.undo()
    found = contents(place.folder / "current")
    assert found in ({"a.py": b"one", "b.py": b"same"}, {"a.py": b"two", "b.py": b"same"})
    assert contents(old.path) == {"a.py": b"one", "b.py": b"same"}
    place.snapshots = place.restarted()
    assert contents(place.settled().path) == {"a.py": b"two", "b.py": b"same"}
    place.put("c.py")
    place.settled()
    assert sorted(p.name for p in place.folder.iterdir()) == ["current", "index.json", "versions"]


def test_a_disk_that_takes_no_more_is_a_sentence(place, monkeypatch):
    place.put("a.py", "one")
    version = place.settled().version
    place.put("a.py", "two")

    def full(self, *_):
        raise OSError(28, "No space left on device")

    place.look()
    monkeypatch.setattr(Versions, "finish_file", full)
    with pytest.raises(CannotProvide, match=r"cannot keep a version .* No space left on device"):
        place.look(after=2.0)
    assert place.snapshots.current() == version
    monkeypatch.undo()
    assert contents(place.settled().path) == {"a.py": b"two"}


def test_prune_keeps_what_is_named_the_newest_the_young_and_the_one_in_force(place):
    made = []
    for number in range(6):
        place.put("a.py", str(number))
        made.append(place.settled().version)
    assert place.snapshots.prune(newest=1) == ()
    place.put("a.py", "in force")
    made.append(place.settled().version)
    place.clock.wall_skipped += 1000
    removed = place.snapshots.prune(keep=[made[1]], newest=2)
    assert set(removed) == {made[0], *made[2:5]}
    assert set(place.snapshots.versions.names()) == {made[1], made[5], made[6]}
    assert place.snapshots.current() == made[6]
    assert place.snapshots.prune(newest=0) != ()
    assert place.snapshots.versions.names() == (made[6],)


def test_only_the_group_may_read(tmp_path):
    gid = os.getgid() if os.geteuid() else 12345
    place = Place(tmp_path, gid)
    place.put("x/a.py")
    snapshot = place.settled()
    for path in (place.folder, place.folder / "versions", snapshot.path, snapshot.path / "x"):
        assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o750, gid)
    file = (snapshot.path / "x/a.py").stat()
    assert (stat.S_IMODE(file.st_mode), file.st_gid) == (0o440, gid)
    assert stat.S_IMODE((place.folder / "index.json").stat().st_mode) == 0o600


NAMES = st.sampled_from(["a", "a/b", "a/b/c.py", "d.py", "é\n .py", "x/y", ".airflowignore"])
OPERATIONS = st.one_of(
    st.tuples(st.just("write"), NAMES, st.text(max_size=5)),
    st.tuples(st.just("remove"), NAMES, st.none()),
    st.tuples(st.just("touch"), NAMES, st.none()),
    st.tuples(st.just("look"), st.none(), st.floats(0, 3)),
    st.tuples(st.just("restart"), st.none(), st.none()),
)


def perform(place: Place, operation: str, key: str | None, more) -> None:
    match operation:
        case "look":
            place.look(after=more)
        case "restart":
            place.snapshots = place.restarted()
        case _:
            path = place.root / "dags" / key
            if path.is_dir():
                shutil.rmtree(path)
            for parent in path.relative_to(place.root).parents:
                (place.root / parent).unlink() if (place.root / parent).is_file() else None
            path.unlink(missing_ok=True) if operation != "touch" else None
            if operation == "write" or path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(more, encoding="utf-8") if operation == "write" else path.touch()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPERATIONS, max_size=15))
def test_after_any_history_the_version_is_the_bucket_and_earlier_ones_are_untouched(history):
    with tempfile.TemporaryDirectory() as top:
        place = Place(Path(top))
        earlier: dict[str, dict[str, bytes]] = {}
        for step in history:
            perform(place, *step)
            for version in place.snapshots.versions.names():
                now = contents(place.snapshots.versions.path(version))
                assert earlier.setdefault(version, now) == now
        place.look(after=2.0)
        snapshot = place.settled()
        assert contents(snapshot.path) == contents(place.root / "dags")
        assert set(snapshot.files) == set(contents(snapshot.path))
        for version, before in earlier.items():
            assert contents(place.snapshots.versions.path(version)) == before
