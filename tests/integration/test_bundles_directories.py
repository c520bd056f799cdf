"""A directory as a bucket: what is followed, what is refused, and what a half-written file looks like."""

import hashlib
import io
import os
import time

import pytest

from tradewind.bundles import read
from tradewind.bundles.directories import Directories, is_being_written, open_inside
from tradewind.domain.errors import CannotProvide


@pytest.fixture
def root(tmp_path):
    (tmp_path / "buckets" / "demo").mkdir(parents=True)
    return tmp_path / "buckets" / "demo"


@pytest.fixture
def bucket(root):
    return Directories(root.parent).bucket("demo")


def put(root, key, content="x"):
    (root / key).parent.mkdir(parents=True, exist_ok=True)
    (root / key).write_text(content)


def keys(bucket, prefix=""):
    return sorted(found.key for found in bucket.list(prefix).objects)


def test_lists_what_lies_below_a_prefix_however_it_is_written(root, bucket):
    for key in ("dags/a.py", "dags/x/b c\n.py", "dags/.airflowignore", "dagsother.py", "dags/__pycache__/a.pyc"):
        put(root, key)
    for prefix in ("dags", "dags/", "/dags"):
        assert keys(bucket, prefix) == ["dags/.airflowignore", "dags/a.py", "dags/x/b c\n.py"]
    assert "dagsother.py" in keys(bucket)


def test_an_absent_prefix_is_empty_and_an_absent_bucket_an_error(bucket, root):
    assert bucket.list("nothing").objects == ()
    root.rmdir()
    assert not bucket.exists()
    for ask in (lambda: bucket.list("dags"), lambda: read(bucket, "requirements.txt")):
        with pytest.raises(CannotProvide, match=r"the bucket demo .* does not exist") as error:
            ask()
        assert error.value.code == "BUCKET_NOT_FOUND"


def test_a_prefix_that_is_a_file_is_a_problem(root, bucket):
    put(root, "dags")
    assert "is a file" in bucket.list("dags").problems[0]


def test_the_version_of_a_file_is_its_content(root, bucket):
    put(root, "p.zip", "1")
    version = hashlib.sha256(b"1").hexdigest()
    assert read(bucket, "p.zip", version=version) == b"1"
    put(root, "p.zip", "2")
    with pytest.raises(CannotProvide, match=rf"cannot read version {version} of 'p\.zip' in the bucket demo"):
        read(bucket, "p.zip", version=version)


def test_a_file_that_is_being_written_is_not_half_read(root, bucket):
    with (root / "p.zip").open("wb") as file:
        file.write(b"half")
        file.flush()
        with pytest.raises(CannotProvide, match="is being written"):
            read(bucket, "p.zip")
    assert read(bucket, "p.zip") == b"half"


@pytest.mark.parametrize("name", ["..", "a..b", "Upper", "a/b", "", "-x-", "ab"])
def test_a_name_that_no_bucket_can_have_is_refused(root, name):
    with pytest.raises(CannotProvide, match="no bucket can have this name"):
        Directories(root.parent).bucket(name)


def test_reads_a_key_or_names_it(root, bucket):
    put(root, "requirements.txt", "duckdb")
    assert read(bucket, "/requirements.txt") == b"duckdb"
    with pytest.raises(CannotProvide, match=r"'r\.txt' in the bucket demo .*no such key"):
        read(bucket, "r.txt")
    with pytest.raises(CannotProvide, match="no such key"):
        read(bucket, "requirements.txt/x")
    with pytest.raises(CannotProvide, match="larger than 5 bytes"):
        read(bucket, "requirements.txt", limit=5)
    (root / "folder").mkdir()
    with pytest.raises(CannotProvide, match="no such key"):
        read(bucket, "folder")


def test_links_inside_are_followed_and_links_outside_are_not(root, bucket, tmp_path):
    put(root, "shared/a.py", "inside")
    (root / "dags").mkdir()
    (root / "dags" / "file.py").symlink_to("../shared/a.py")
    (root / "dags" / "folder").symlink_to("../shared")
    (root / "dags" / "circle").symlink_to("..")
    (root / "dags" / "nothing").symlink_to("absent")
    (tmp_path / "secret.py").write_text("secret")
    (root / "dags" / "secret.py").symlink_to(tmp_path / "secret.py")
    (root / "dags" / "out").symlink_to(tmp_path)
    listing = bucket.list("dags")
    assert sorted(found.key for found in listing.objects if "circle" not in found.key) == [
        "dags/file.py", "dags/folder/a.py",
    ]  # fmt: skip
    problems = "\n".join(listing.problems)
    assert "'dags/secret.py'" in problems
    assert "'dags/out'" in problems
    assert "a link to a folder around it" in problems
    assert read(bucket, "dags/folder/a.py") == b"inside"
    with pytest.raises(CannotProvide, match="no such key"):
        read(bucket, "dags/secret.py")
    assert not bucket.list("dags/out").objects


def test_a_folder_swapped_for_a_link_after_the_check_is_not_entered(root, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("secret")
    (root / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match=r"directory|symbolic"):
        open_inside(str(root), str(root / "sub" / "f"))
    (root / "f").symlink_to(tmp_path / "outside" / "f")
    with pytest.raises(OSError, match="symbolic"):
        open_inside(str(root), str(root / "f"))


def test_special_files_are_named_and_never_opened(root, bucket):
    os.mkfifo(root / "pipe.py")
    listing = bucket.list("")
    assert not listing.objects
    assert "neither a file nor a folder" in listing.problems[0]
    with pytest.raises(CannotProvide, match="no such key"):
        read(bucket, "pipe.py")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(root, bucket):
    put(root, "closed.py")
    (root / "closed.py").chmod(0)
    with pytest.raises(CannotProvide, match=r"cannot read 'closed\.py' .*Permission denied"):
        read(bucket, "closed.py")


def test_fetches_exactly_what_was_listed(root, bucket):
    put(root, "a.py", "one")
    (found,) = bucket.list("").objects
    sink = io.BytesIO()
    assert bucket.fetch(found, sink)
    assert sink.getvalue() == b"one"
    time.sleep(0.02)  # a coarse clock may give two writes at once the same time
    put(root, "a.py", "two")
    assert not bucket.fetch(found, io.BytesIO())
    (root / "a.py").unlink()
    assert not bucket.fetch(found, io.BytesIO())


def test_a_file_that_changes_while_it_is_read_is_not_taken(root, bucket):
    put(root, "a.py", "one")
    (found,) = bucket.list("").objects

    class WritesMeanwhile(io.BytesIO):
        def write(self, chunk):
            time.sleep(0.02)
            put(root, "a.py", "two")
            return super().write(chunk)

    assert not bucket.fetch(found, WritesMeanwhile())


def test_a_file_that_is_open_for_writing_is_not_taken(root, bucket):
    with (root / "a.py").open("w") as writer:
        writer.write("half")
        writer.flush()
        with (root / "a.py").open() as probe:
            if not is_being_written(probe.fileno()):
                pytest.skip("this file system has no leases")
        (found,) = bucket.list("").objects
        assert not bucket.fetch(found, io.BytesIO())
    assert bucket.fetch(found, io.BytesIO())
