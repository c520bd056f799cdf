"""plugins.zip: unpacked whole, or refused in words."""

import stat
import zipfile

import pytest

from tradewind.bundles import archives, unpack
from tradewind.domain.errors import CannotProvide


def archive(tmp_path, *entries):
    """A zip of (name or ZipInfo, bytes)."""
    path = tmp_path / "plugins.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries:
            opened.writestr(name, content)
    return path


def special(name, mode):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def refusal(path, tmp_path):
    with pytest.raises(CannotProvide) as raised:
        unpack(path, tmp_path / "out", "plugins.zip")
    assert not (tmp_path / "out").exists()
    assert raised.value.code == "INCORRECT_CONFIGURATION"
    return raised.value.sentence


def test_files_folders_and_rights(tmp_path):
    path = archive(
        tmp_path, ("mine/", b""), ("mine/__init__.py", b""), ("mine/a.py", b"A = 1\n"),
        (special("run.sh", stat.S_IFREG | 0o755), b"#!/bin/sh\n"),
    )  # fmt: skip
    unpack(path, tmp_path / "out", "plugins.zip")
    assert (tmp_path / "out/mine/a.py").read_bytes() == b"A = 1\n"
    assert stat.S_IMODE((tmp_path / "out/mine/a.py").stat().st_mode) == 0o440
    assert stat.S_IMODE((tmp_path / "out/run.sh").stat().st_mode) == 0o550
    assert stat.S_IMODE((tmp_path / "out/mine").stat().st_mode) == 0o750


def test_an_empty_archive_is_an_empty_folder(tmp_path):
    unpack(archive(tmp_path), tmp_path / "out", "plugins.zip")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py", "/etc/cron.d/evil", "a//b.py", "./a.py"])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    assert "it holds" in refusal(archive(tmp_path, ("good.py", b""), (name, b"x")), tmp_path)
    assert not (tmp_path.parent / "evil.py").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_special_files_are_refused(tmp_path, kind):
    path = archive(tmp_path, (special("link", kind | 0o777), b"/etc/passwd"))
    assert "a link or a special file" in refusal(path, tmp_path)


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 1000)
    assert "unpacks to more than 1,000 bytes" in refusal(archive(tmp_path, ("zeros", b"\0" * 1001)), tmp_path)


def test_an_archive_that_lies_about_its_sizes_is_refused(tmp_path, monkeypatch):
    path = archive(tmp_path, ("zeros", b"\0" * 5000))
    content = path.read_bytes()
    lie = content.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lie != content
    path.write_bytes(lie)
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 1000)
    refusal(path, tmp_path)


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ENTRY_LIMIT", 2)
    assert "more than 2 files" in refusal(archive(tmp_path, *((str(n), b"") for n in range(3))), tmp_path)


def test_an_endless_list_of_files_is_refused_unread(tmp_path, monkeypatch):
    path = archive(tmp_path, ("a", b""))
    content = path.read_bytes()
    at = content.index(b"PK\x05\x06")
    path.write_bytes(content[: at + 10] + b"\xff\xff" + content[at + 12 :])
    monkeypatch.setattr(archives.zipfile, "ZipFile", None)
    assert "more than 50,000 files" in refusal(path, tmp_path)


def test_a_file_twice_and_a_file_that_is_a_folder_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path, ("a.py", b"1"), ("a.py", b"2"))
    assert "twice" in refusal(path, tmp_path)
    assert "as a file and as a folder" in refusal(archive(tmp_path, ("a", b"1"), ("a/b", b"2")), tmp_path)


@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 cut off", b"PK\x05\x06" + b"\1" * 10])
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "plugins.zip"
    path.write_bytes(content)
    assert "no archive that can be read" in refusal(path, tmp_path)


def test_an_archive_that_is_damaged_inside_is_refused(tmp_path):
    path = archive(tmp_path, ("a.py", b"A = 1\n" * 100))
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(bytes(content))
    refusal(path, tmp_path)


def test_an_encrypted_archive_is_refused(tmp_path):
    path = archive(tmp_path, ("a.py", b"A = 1\n"))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    assert "encrypted" in refusal(path, tmp_path)


def test_what_a_crash_left_is_cleared_away(tmp_path):
    (tmp_path / "out.new").mkdir()
    (tmp_path / "out.new" / "half").write_bytes(b"")
    unpack(archive(tmp_path, ("a.py", b"")), tmp_path / "out", "plugins.zip")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.py"]
    assert not (tmp_path / "out.new").exists()
