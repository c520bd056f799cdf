from tradewind.bundles.buckets import OBJECT_LIMIT, Listing, Object
from tradewind.bundles.index import Entry, version_of
from tradewind.bundles.snapshots import beside, placeable


def listing(*names: str, size: int = 1) -> Listing:
    return Listing(tuple(Object(name, size, "t", 0, 0) for name in names), ("a problem of the bucket",))


def test_paths_are_relative_to_the_prefix():
    found, problems = placeable(listing("dags/a.py", "dags/x/b.py"), "dags")
    assert set(found) == {"a.py", "x/b.py"}
    assert problems == ("a problem of the bucket",)


def test_keys_that_cannot_be_files_are_left_out_and_named():
    found, problems = placeable(listing("d/ok.py", "d/a//b", "d/../x", "d//etc/passwd", "d/c", "d/c/e", "d/f/"), "d")
    assert set(found) == {"ok.py", "c/e"}
    for name in ("d/a//b", "d/../x", "d//etc/passwd", "d/c", "d/f/"):
        assert any(f"'{name}' is left out" in problem for problem in problems)


def test_an_empty_object_that_shows_a_folder_is_no_problem():
    assert placeable(Listing((Object("d/", 0, "t", 0, 0), Object("d/x/", 0, "t", 0, 0))), "d") == ({}, ())


def test_a_file_too_large_for_a_version_is_named():
    found, problems = placeable(Listing((Object("big.bin", OBJECT_LIMIT + 1, "t", 0, 0),)), "")
    assert not found
    assert "larger than" in problems[0]


def test_files_kept_from_before_give_way_to_folders_and_the_reverse():
    assert set(beside({"a/b", "c"}, {"a", "a/x", "c/d/e", "f"})) == {"a", "c/d/e"}


def test_a_version_is_named_by_paths_and_contents_only():
    entries = {"a": Entry("tag", "1"), "b": Entry("tag", "2")}
    assert version_of(entries) == version_of({"b": Entry("other", "2"), "a": Entry("", "1")})
    assert version_of(entries) != version_of({"a": Entry("tag", "2"), "b": Entry("tag", "1")})
    assert version_of(entries) != version_of({"a": Entry("tag", "1"), "c": Entry("tag", "2")})
    assert len(version_of({})) == 32
