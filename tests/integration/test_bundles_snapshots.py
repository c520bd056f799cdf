"""Versions on a real file system: what a look makes, and keeps."""

import os
import shutil
import stat
import time
from pathlib import Path

import pytest

from tests.integration.settling import Place, contents
from tradewind.bundles.directories import DirectoryBucket
from tradewind.bundles.settling import Change, Settling
from tradewind.domain.errors import CannotProvide


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


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
    place.clock.wall_skipped = -60  # only the clock that is skipped counts, however slow the machine is
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
    place.clock.wall_skipped = -60
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


def test_another_prefix_is_another_source(place):
    place.put("a.py", "one")
    place.settled()
    (place.root / "other").mkdir()
    (place.root / "other" / "z.py").write_text("z")
    for _ in range(2):
        place.clock.skipped += 2.0
        snapshot = place.snapshots.take(place.bucket, "other")
    assert snapshot.files == ("z.py",)


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
