"""Snapshots after any history: crashes at every step, full disks, random changes, and what may be pruned."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.settling import Place, contents
from tradewind.bundles.versions import Versions
from tradewind.domain.errors import CannotProvide


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Killed(BaseException):
    """The process ends here: nothing after this line runs."""


def test_current_names_a_version_at_every_moment(place, monkeypatch):
    place.put("a.py", "one")
    old = place.settled().version
    place.put("a.py", "two")
    place.clock.wall_skipped = -60  # only the clock that is skipped counts
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

    place.clock.wall_skipped = -60  # only the clock that is skipped counts
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

    place.clock.wall_skipped = -60  # only the clock that is skipped counts
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
