"""The file: what was kept comes back, and nothing else does."""

import json
import stat

import pytest

from tradewind_airflow.credentials.keeping import Place
from tradewind_airflow.credentials.role import Credentials

ROLE = "arn:aws:iam::111111111111:role/execution"
MADE = Credentials("ASIAX", "secret", "token", 1_000_000.5, 1_043_200.0)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, ROLE, b"key")


def test_what_was_kept_comes_back_and_the_file_is_its_owners_alone(place, tmp_path):
    place.keep(MADE)
    place.keep(MADE)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert place.load() == MADE


def test_nothing_is_taken_of_another_role_or_with_another_key(place, tmp_path):
    place.keep(MADE)
    assert Place(tmp_path, ROLE + "2", b"key").load() is None
    assert Place(tmp_path, ROLE, b"other").load() is None


def test_what_a_task_writes_is_not_believed(place, tmp_path):
    place.keep(MADE)
    (file,) = tmp_path.iterdir()
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"content": document["content"].replace("ASIAX", "ASIAY")}))
    assert place.load() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"content": 1, "mark": "x"}', "[" * 60_000])
def test_rubbish_is_as_good_as_nothing(place, tmp_path, text):
    (tmp_path / "credentials.json").write_text(text)
    assert place.load() is None


def test_a_link_is_not_followed(place, tmp_path):
    place.keep(MADE)
    file = tmp_path / "credentials.json"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert place.load() is None


def test_a_try_that_fails_leaves_nothing_behind(place, tmp_path):
    """A task may put a folder where the file belongs."""
    (tmp_path / "credentials.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        place.keep(MADE)
    assert [entry.name for entry in tmp_path.iterdir()] == ["credentials.json"]
