"""The data directory: what lies in it is not for the tasks that may pass through it."""

import pytest

from tradewind.bootstrap import directory
from tradewind.bootstrap.announcement import Announcement
from tradewind.domain.layout import Layout


@pytest.fixture
def layout(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "_check_room", lambda _layout: None)
    return Layout(tmp_path / "data", tmp_path / "data" / "run")


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o640, 0o600), (0o600, 0o600), (0o444, 0o400)])
def test_settings_are_their_owners_alone(layout, before, after):
    """As root the folder is 0711, and settings may hold the database's password and keys of S3, a KMS, a provider."""
    layout.data.mkdir()
    file = layout.data / "settings.toml"
    file.write_text('s3_secret_access_key = "hush"\n')
    file.chmod(before)
    directory.prepare(layout, as_root=True)
    assert layout.data.stat().st_mode & 0o777 == 0o711
    assert file.stat().st_mode & 0o777 == after


def test_what_a_link_leads_to_is_somebody_elses(layout, tmp_path):
    layout.data.mkdir()
    kept = tmp_path / "elsewhere.toml"
    kept.touch(0o644)
    kept.chmod(0o644)
    (layout.data / "settings.toml").symlink_to(kept)
    directory.prepare(layout, as_root=False)
    assert kept.stat().st_mode & 0o777 == 0o644


def test_what_is_announced_shows_no_secret_by_itself():
    announced = Announcement("https://a", "r", "1", "AKIA", "hush", "/ca", "/data", 1, 1.0)
    assert "hush" not in repr(announced)
    assert announced.public()["secret_access_key"] == "hush"
