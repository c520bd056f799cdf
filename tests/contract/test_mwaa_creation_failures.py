"""What only trying can show ends CREATE_FAILED, with a sentence that names the cause, and nothing left but logs."""

import pwd

import psycopg
import pytest

from tests.conftest import eventually
from tests.scenario.insight import environment_id, left_of, superuser

REQUIREMENTS = "requirements.txt"


def what_is_left(service, id_):
    """Everything on this machine that still knows of an environment; its logs are meant to stay."""
    folder = service.data / "environments" / id_
    found = [str(path) for path in folder.iterdir() if path.name != "logs"] if folder.exists() else []
    found += left_of(folder)
    with psycopg.connect(superuser(service, "postgres")) as connection:
        query = (
            "SELECT datname FROM pg_database WHERE datname LIKE %(id)s "
            "UNION SELECT rolname FROM pg_roles WHERE rolname LIKE %(id)s"
        )
        found += [row[0] for row in connection.execute(query, {"id": f"%{id_}%"})]
    found += ["route"] * (id_ in (service.data / "ca" / "caddy.json").read_text())
    return found + [user.pw_name for user in pwd.getpwall() if user.pw_name == f"tw-{id_}"]


@pytest.fixture
def failure(service, failed):
    """Creates what fails; the sentence and error code, once it is seen that nothing is left."""

    def fail(**members):
        found = failed(**members)
        assert found["LastUpdate"]["Status"] == "FAILED"
        assert "WebserverUrl" not in found
        id_ = environment_id(service, found["Name"])
        eventually(lambda: not what_is_left(service, id_), seconds=30, what=f"{id_} to leave nothing behind")
        return found["LastUpdate"]["Error"]

    return fail


@pytest.fixture
def bucket(service):
    """A bucket whose requirements file a test writes."""
    folder = service.bucket("contract-requirements")
    yield folder
    for path in folder.glob("*.txt"):
        path.unlink()


def with_requirements(bucket, content, failure):
    (bucket / REQUIREMENTS).write_bytes(content if isinstance(content, bytes) else content.encode())
    return failure(bucket=bucket.name, RequirementsS3Path=REQUIREMENTS)


def test_a_bucket_that_is_not_there(failure):
    error = failure(bucket="no-such-bucket.here")
    assert error["ErrorCode"] == "INCORRECT_CONFIGURATION"
    assert "no-such-bucket.here" in error["ErrorMessage"]
    assert "does not exist" in error["ErrorMessage"]


@pytest.mark.parametrize("name", ["..", ".", "-", "a..b"])
def test_a_bucket_that_cannot_be(failure, name):
    assert f"bucket {name}" in failure(bucket=name)["ErrorMessage"].replace("'", "")


def test_a_requirements_file_that_is_not_there(failure, bucket):
    error = failure(bucket=bucket.name, RequirementsS3Path="some/where.txt")
    assert "some/where.txt" in error["ErrorMessage"]
    assert bucket.name in error["ErrorMessage"]


def test_a_requirements_file_that_is_a_folder(failure, bucket):
    assert "dags" in failure(bucket=bucket.name, RequirementsS3Path="dags")["ErrorMessage"]


def test_requirements_that_do_not_resolve(failure, bucket):
    error = with_requirements(bucket, "duckdb==0.0.0.dev999\n", failure)
    assert error["ErrorCode"] == "INCORRECT_CONFIGURATION"
    assert "duckdb" in error["ErrorMessage"]


def test_requirements_that_contradict_each_other(failure, bucket):
    error = with_requirements(bucket, "idna==3.7\nidna==3.10\n", failure)
    assert "idna" in error["ErrorMessage"]


@pytest.mark.parametrize("line", ["apache-airflow==2.10.5", "apache-airflow[amazon] == 3.0.0", "Apache_Airflow==3.1.0"])
def test_requirements_that_pin_another_airflow(failure, bucket, line):
    error = with_requirements(bucket, f"# a comment\n{line}\n", failure)
    assert error["ErrorCode"] == "INCORRECT_CONFIGURATION"
    assert "3.3.1" in error["ErrorMessage"]
    assert line in error["ErrorMessage"]


def test_requirements_that_are_not_text(failure, bucket):
    error = with_requirements(bucket, b"\xff\xfe\x00pandas", failure)
    assert REQUIREMENTS in error["ErrorMessage"]
    assert "not UTF-8" in error["ErrorMessage"]


def test_requirements_that_are_no_requirements(failure, bucket):
    error = with_requirements(bucket, "pandas ==== 3\n", failure)
    assert "pandas" in error["ErrorMessage"]


def test_a_sentence_is_no_longer_than_the_model_allows(failure, bucket):
    error = with_requirements(bucket, "".join(f"no-such-thing-{n}==0.0.{n}\n" for n in range(200)), failure)
    assert 1 <= len(error["ErrorMessage"]) <= 1024
    assert "no-such-thing-" in error["ErrorMessage"]
