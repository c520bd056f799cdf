"""Files into a directory bucket, on a real disk."""

import pytest

from tradewind.cli.deploying import artefacts, deploy, put_artefacts
from tradewind.cli.failures import Failure


@pytest.fixture
def dags(tmp_path):
    folder = tmp_path / "my dags"
    (folder / "team").mkdir(parents=True)
    (folder / "etl.py").write_text("one")
    (folder / "team" / "more.py").write_text("two")
    for litter in ("__pycache__", ".git"):
        (folder / litter).mkdir()
        (folder / litter / "x.py").write_text("litter")
    (folder / "etl.py~").write_text("litter")
    (folder / ".airflowignore").write_text("team")
    return folder


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder(tmp_path, dags):
    (tmp_path / "r.txt").write_text("duckdb")
    put = deploy(tmp_path / "buckets", "b", dags)
    put_artefacts(tmp_path / "buckets" / "b", artefacts(tmp_path / "r.txt", None, None))
    assert files(tmp_path / "buckets" / "b") == [
        "dags/.airflowignore", "dags/etl.py", "dags/team/more.py", "requirements.txt"
    ]  # fmt: skip
    assert (put.files, put.others) == (3, 0)


def test_one_file(tmp_path, dags):
    assert deploy(tmp_path, "b", dags / "etl.py").files == 1
    assert files(tmp_path / "b") == ["dags/etl.py"]


def test_what_lies_there_stays_and_what_is_newer_wins(tmp_path, dags):
    deploy(tmp_path, "b", dags)
    (tmp_path / "b" / "dags" / "by_hand.py").write_text("mine")
    (dags / "etl.py").write_text("changed")
    put = deploy(tmp_path, "b", dags)
    assert put.others == 1
    assert (tmp_path / "b" / "dags" / "by_hand.py").read_text() == "mine"
    assert (tmp_path / "b" / "dags" / "etl.py").read_text() == "changed"


def test_the_buckets_own_folder(tmp_path, dags):
    deploy(tmp_path, "b", dags)
    put = deploy(tmp_path, "b", tmp_path / "b" / "dags")
    assert (put.files, put.others) == (3, 0)
    deploy(tmp_path, "b", tmp_path / "b" / "dags" / "etl.py")
    assert (tmp_path / "b" / "dags" / "etl.py").read_text() == "one"


def test_a_folder_that_holds_the_bucket(tmp_path, dags):
    with pytest.raises(Failure, match="the bucket itself lies in that folder"):
        deploy(dags / "buckets", "b", dags)


def test_a_bucket_that_cannot_be_written(tmp_path, dags):
    (tmp_path / "b").write_text("a file where the bucket should be")
    with pytest.raises(Failure, match="cannot put files into the bucket b"):
        deploy(tmp_path, "b", dags)


def test_an_artefact_that_is_not_there(tmp_path):
    with pytest.raises(Failure, match=r"cannot use .*plugins\.zip: there is no such file"):
        artefacts(None, tmp_path / "plugins.zip", None)


def test_artefacts_have_names_of_their_own_in_the_bucket(tmp_path):
    for name in ("r", "p", "s"):
        (tmp_path / name).write_text(name)
    put_artefacts(tmp_path / "b", artefacts(tmp_path / "r", tmp_path / "p", tmp_path / "s"))
    assert files(tmp_path / "b") == ["plugins.zip", "requirements.txt", "startup.sh"]
