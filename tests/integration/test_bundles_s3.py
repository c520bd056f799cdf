"""Buckets of an S3 endpoint, against moto's server."""

import io
import socket

import boto3
import pytest
from moto.s3.models import s3_backends

from tests.conftest import moto_server
from tradewind.bundles import S3Settings, Snapshots, read
from tradewind.bundles.s3 import S3Buckets
from tradewind.domain.errors import CannotProvide

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the server's own libraries
SETTINGS = {"region": "eu-central-1", "access_key_id": "AKIATEST", "secret_access_key": "secret"}


@pytest.fixture(scope="module")
def endpoint():
    with moto_server() as url:
        yield url


@pytest.fixture
def client(endpoint):
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="demo", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="demo"):
        if found := [{"Key": entry["Key"]} for entry in page.get("Contents", ())]:
            client.delete_objects(Bucket="demo", Delete={"Objects": found})
    client.delete_bucket(Bucket="demo")


@pytest.fixture
def buckets(endpoint):
    made = S3Buckets(S3Settings(endpoint_url=endpoint, **SETTINGS))
    yield made
    made.client.close()


def test_lists_every_page(client, buckets):
    for number in range(1001):  # straight into the server, which is in this process: a second instead of twenty
        s3_backends["123456789012"]["aws"].put_object("demo", f"dags/{number}.py", b"")
    client.put_object(Bucket="demo", Key="dagsother.py", Body=b"")
    found = buckets.bucket("demo").list("dags/").objects
    assert {each.key for each in found} == {f"dags/{number}.py" for number in range(1001)}


def test_reads_a_key_or_names_it(client, buckets):
    client.put_object(Bucket="demo", Key="requirements.txt", Body=b"duckdb")
    bucket = buckets.bucket("demo")
    assert bucket.exists()
    assert read(bucket, "requirements.txt") == b"duckdb"
    with pytest.raises(CannotProvide, match=r"'r\.txt' in the bucket demo .*no such key"):
        read(bucket, "r.txt")
    with pytest.raises(CannotProvide, match="larger than 5 bytes"):
        read(bucket, "requirements.txt", limit=5)


def test_reads_the_version_that_is_named(client, buckets):
    client.put_bucket_versioning(Bucket="demo", VersioningConfiguration={"Status": "Enabled"})
    first, second = (client.put_object(Bucket="demo", Key="p.zip", Body=body)["VersionId"] for body in (b"1", b"2"))
    bucket = buckets.bucket("demo")
    assert [read(bucket, "p.zip", version=version) for version in (first, second, None)] == [b"1", b"2", b"2"]
    client.delete_object(Bucket="demo", Key="p.zip", VersionId=first)
    for version in (first, "never"):
        with pytest.raises(CannotProvide, match=rf"cannot read version {version} of 'p\.zip' in the bucket demo"):
            read(bucket, "p.zip", version=version)
    client.delete_object(Bucket="demo", Key="p.zip", VersionId=second)
    client.put_bucket_versioning(Bucket="demo", VersioningConfiguration={"Status": "Suspended"})


def test_a_missing_bucket_says_so(buckets):
    bucket = buckets.bucket("absent")
    assert not bucket.exists()
    for ask in (lambda: bucket.list("dags"), lambda: read(bucket, "x")):
        with pytest.raises(CannotProvide, match=r"the bucket absent .* does not exist") as error:
            ask()
        assert error.value.code == "BUCKET_NOT_FOUND"


def test_a_name_that_no_bucket_can_have_says_so(buckets):
    with pytest.raises(CannotProvide, match="no bucket can have this name"):
        buckets.bucket("a/b c").exists()


def test_an_endpoint_that_is_down_says_so():
    with socket.socket() as held:  # bound, not listening: a connection is refused
        held.bind(("127.0.0.1", 0))
        buckets = S3Buckets(S3Settings(endpoint_url=f"http://127.0.0.1:{held.getsockname()[1]}", **SETTINGS))
        for ask in (lambda b: b.exists(), lambda b: b.list(""), lambda b: read(b, "x")):
            with pytest.raises(CannotProvide, match="the endpoint does not answer") as error:
                ask(buckets.bucket("demo"))
            assert error.value.code == "BUCKET_UNREACHABLE"
        buckets.client.close()


def test_keys_that_are_refused_say_so(client, endpoint, buckets):
    client.put_object(Bucket="demo", Key="x", Body=b"")
    import requests

    # after 0 more calls moto checks who asks; nobody has been given a key
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=5)
    try:
        for ask in (lambda b: b.exists(), lambda b: b.list(""), lambda b: read(b, "x")):
            with pytest.raises(CannotProvide, match="access is denied") as error:
                ask(buckets.bucket("demo"))
            assert error.value.code == "ACCESS_DENIED"
    finally:
        requests.post(f"{endpoint}/moto-api/reset-auth", data=b"inf", timeout=5)


def test_fetches_exactly_what_was_listed(client, buckets):
    bucket = buckets.bucket("demo")
    client.put_object(Bucket="demo", Key="a.py", Body=b"one")
    (found,) = bucket.list("").objects
    sink = io.BytesIO()
    assert bucket.fetch(found, sink)
    assert sink.getvalue() == b"one"
    client.put_object(Bucket="demo", Key="a.py", Body=b"two")
    assert not bucket.fetch(found, io.BytesIO())
    client.delete_object(Bucket="demo", Key="a.py")
    assert not bucket.fetch(found, io.BytesIO())


def test_versions_follow_the_bucket_and_odd_keys_are_named(client, buckets, tmp_path):
    bucket, snapshots = buckets.bucket("demo"), Snapshots(tmp_path / "bundle")
    assert snapshots.take(bucket, "dags").files == ()
    for key in ("dags/a.py", "dags/x/b.py", "dags/c//d", "dags/../up", "dags/e", "dags/e/f", "dags/g/"):
        client.put_object(Bucket="demo", Key=key, Body=key.encode())
    client.put_object(Bucket="demo", Key="dags/", Body=b"")
    snapshot = snapshots.take(bucket, "dags")
    assert snapshot.changed
    assert snapshot.files == ("a.py", "e/f", "x/b.py")
    assert (snapshot.path / "x/b.py").read_bytes() == b"dags/x/b.py"
    assert len(snapshot.problems) == 4
    again = snapshots.take(bucket, "dags")
    assert (again.changed, again.problems) == (False, snapshot.problems)
    client.delete_object(Bucket="demo", Key="dags/a.py")
    assert snapshots.take(bucket, "dags").files == ("e/f", "x/b.py")
