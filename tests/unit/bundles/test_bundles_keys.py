import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.bundles import keys
from tradewind.domain.errors import CannotProvide


@pytest.mark.parametrize(
    ("written", "meant"),
    [("dags", "dags"), ("dags/", "dags"), ("/dags", "dags"), ("a/b/", "a/b"), ("", ""), ("/", ""), ("ü x", "ü x")],
)
def test_paths_mean_the_same_with_or_without_slashes_around_them(written, meant):
    assert keys.normalise(written) == meant


@pytest.mark.parametrize(
    "written", ["..", "../x", "a/../b", "/a/..", "a//b", "./dags", "s3://bucket/dags", "a\0b", "x" * 256, "a/" * 1100]
)
def test_a_path_that_can_be_no_key_is_refused_by_name(written):
    with pytest.raises(CannotProvide, match="cannot use the path") as refused:
        keys.normalise(written)
    assert refused.value.code == "INVALID_PATH"


@given(st.text())
def test_no_accepted_path_leaves_its_folder(text):
    try:
        key = keys.normalise(text)
    except CannotProvide:
        return
    assert not key.startswith("/")
    assert ".." not in key.split("/")
    assert "\0" not in key


@pytest.mark.parametrize("name", ["new\nline.py", "with space.py", "naïve.py", "a.b", "...", "-rf"])
def test_unusual_names_can_be_files(name):
    assert keys.unsuitable(f"dags/{name}") is None


def test_a_name_that_is_not_utf8_cannot():
    assert keys.unsuitable(b"\xff.py".decode(errors="surrogateescape")) == "it is not valid UTF-8"


@pytest.mark.parametrize(
    "path",
    [
        "__pycache__/a.pyc",
        "x/__pycache__/a.py",
        ".git/config",
        "a.pyc",
        "a.py~",
        ".a.py.swp",
        ".#a.py",
        "#a.py#",
        "4913",
    ],
)
def test_litter_of_tools_is_ignored(path):
    assert keys.ignored(path)


@pytest.mark.parametrize("path", [".airflowignore", "a.py", "sql/q.sql", ".env", "git/x", "a.swp", "#a", "data.bin"])
def test_everything_else_is_kept(path):
    assert not keys.ignored(path)


def test_a_path_that_is_a_folder_of_another_is_shadowed():
    assert keys.shadowed({"a", "a/b", "ab", "a/b/c", "d/e"}) == {"a", "a/b"}
