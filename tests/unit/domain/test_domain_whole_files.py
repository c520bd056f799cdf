"""A file is replaced whole or stays as it was, and nothing is left beside it."""

import stat

import pytest

from tradewind.domain import whole_files
from tradewind.domain.whole_files import replace_whole


@pytest.mark.parametrize("content", ["é\n", "é\n".encode()])
def test_a_file_is_made_and_replaced_with_its_mode(tmp_path, content):
    path = tmp_path / "a.json"
    replace_whole(path, "before", 0o644)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("before", 0o644)
    replace_whole(path, content)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == ("é\n".encode(), 0o600)
    assert [*tmp_path.iterdir()] == [path]


def test_what_cannot_be_written_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    replace_whole(path, "before")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_whole(path, "after")
    assert path.read_text() == "before"
    assert [*tmp_path.iterdir()] == [path]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("kept")
    path = tmp_path / "a.json"
    path.symlink_to(tmp_path / "elsewhere")
    replace_whole(path, "new")
    assert (path.read_text(), path.is_symlink()) == ("new", False)
    assert (tmp_path / "elsewhere").read_text() == "kept"
