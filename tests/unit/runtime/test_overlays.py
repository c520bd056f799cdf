"""What a start-up script installed, copied: nothing comes along but plain files of its own."""

import os
import stat
from pathlib import Path

import pytest

from tradewind.domain.errors import CannotProvide
from tradewind.runtime.overlays import Limits, take_over
from tradewind.runtime.users import UnixUser

WHAT = "startup.sh for the worker"


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "made"
    (folder / "cow" / "__pycache__").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "cow" / "__init__.py").write_text("WORD = 'moo'\n")
    (folder / "cow" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    (folder / "bin" / "cowsay").write_text("#!/bin/sh\n")
    (folder / "bin" / "cowsay").chmod(0o4755)
    return folder


@pytest.fixture
def overlays(tmp_path):
    folder = tmp_path / "overlays"
    folder.mkdir()
    return folder


def take(made, overlays, **how):
    return take_over(made, overlays, WHAT, None, **how)


def test_files_come_along_and_can_be_written_by_nobody(made, overlays):
    digest = take(made, overlays)
    assert digest is not None
    folder = overlays / digest
    assert (folder / "cow" / "__init__.py").read_text() == "WORD = 'moo'\n"
    assert (folder / "cow" / "__pycache__" / "x.pyc").read_bytes() == b"compiled"
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes["cow/__init__.py"] == 0o440
    assert modes["bin/cowsay"] == 0o550, "no set-user-id bit"
    assert modes["cow"] == 0o750
    assert [path.name for path in overlays.iterdir()] == [digest]


def test_the_same_content_has_the_same_name_and_another_has_another(made, overlays):
    first = take(made, overlays)
    (made / "cow" / "__pycache__" / "x.pyc").write_bytes(b"compiled again")
    assert take(made, overlays) == first
    (made / "cow" / "__init__.py").write_text("WORD = 'mooo'\n")
    second = take(made, overlays)
    (made / "cow" / "__init__.py").rename(made / "cow" / "other.py")
    third = take(made, overlays)
    (made / "cow" / "other.py").chmod(0o755)
    assert len({first, second, third, take(made, overlays)}) == 4


def test_folders_alone_are_nothing(tmp_path, overlays):
    (tmp_path / "made" / "bin").mkdir(parents=True)
    assert take(tmp_path / "made", overlays) is None
    assert not list(overlays.iterdir())


def test_what_a_crash_left_is_cleared_away(made, overlays):
    (overlays / ".new" / "half").mkdir(parents=True)
    digest = take(made, overlays)
    assert not (overlays / (digest or "") / "half").exists()


@pytest.mark.parametrize("kind", ["link", "link to a folder", "fifo", "socket"])
def test_links_and_special_files_are_refused(made, overlays, kind, monkeypatch):
    path = made / "cow" / "bad"
    match kind:
        case "link":
            path.symlink_to("/etc/shadow")
        case "link to a folder":
            path.symlink_to("/etc")
        case "fifo":
            os.mkfifo(path)
        case "socket":
            os.mknod(path, stat.S_IFSOCK | 0o600)
    with pytest.raises(CannotProvide, match="'cow/bad' in it is a link or a special file"):
        take(made, overlays)
    assert not list(overlays.iterdir())


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_what_becomes_another_between_two_looks_is_not_followed(made, overlays, kind, monkeypatch):
    """As a task could do it: what was a file when it was looked at is none when it is opened."""
    bad = made / "cow" / "bad"
    if kind == "link":
        bad.symlink_to("/etc/passwd")
    else:
        os.mkfifo(bad)
    seen = (made / "cow" / "__init__.py").stat()
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **how: seen if path == "bad" else real(path, **how))
    with pytest.raises(CannotProvide, match=r"cannot use what .* installed"):
        take(made, overlays)
    assert not list(overlays.iterdir())


def test_the_folder_itself_may_be_no_link(made, overlays, tmp_path):
    (tmp_path / "link").symlink_to(made)
    with pytest.raises(CannotProvide, match="it cannot be read"):
        take(tmp_path / "link", overlays)


def test_files_of_others_are_refused(made, overlays):
    """A hard link to what the user may not read would be read by the service."""
    another = UnixUser("tw-nobody", os.geteuid() + 1, os.getegid())
    with pytest.raises(CannotProvide, match="is not a file of the environment's own"):
        take_over(made, overlays, WHAT, another)


@pytest.mark.parametrize(
    ("limits", "words"),
    [(Limits(size=20), "more than 20 bytes"), (Limits(entries=4), "more than 4 files")],
)
def test_too_much_is_refused(made, overlays, limits, words):
    with pytest.raises(CannotProvide, match=words):
        take(made, overlays, limits=limits)
    assert not list(overlays.iterdir())


def test_too_deep_is_refused(made, overlays):
    Path(made, *["d"] * 70).mkdir(parents=True)
    with pytest.raises(CannotProvide, match="deep"):
        take(made, overlays)
