"""DAGs and requirements from an S3 endpoint, seen as a user sees them."""

import time
from typing import Any

import pytest

from tests.conftest import Service, eventually

SOURCE = b"""
from airflow.sdk import dag, task

@dag(schedule=None)
def from_s3():
    @task
    def say():
        import cowsay
        return cowsay.__version__
    say()

from_s3()
"""
PROMISED = 15.0
ALLOWED = 90.0  # a busy machine's hiccups are not what this proves

pytestmark = pytest.mark.timeout(900)


def test_an_environment_from_an_s3_bucket(service: Service, s3: Any) -> None:
    s3.create_bucket(Bucket="far-away")
    s3.put_object(Bucket="far-away", Key="requirements.txt", Body=b"cowsay==6.1\n")
    service.create("far", "far-away", RequirementsS3Path="requirements.txt")
    found = service.wait("far")
    assert found["Status"] == "AVAILABLE", found["LastUpdate"]
    try:
        started = time.monotonic()
        s3.put_object(Bucket="far-away", Key="dags/from_s3.py", Body=SOURCE)

        def known() -> bool:
            found = service.rest("far", "GET", "/dags")["dags"]
            return [dag["dag_id"] for dag in found] == ["from_s3"]

        eventually(known, seconds=ALLOWED, what="the new object", pause=0.2)
        print(f"new object known after {time.monotonic() - started:.1f} s (promised: {PROMISED} s)")
        assert service.run_dag("far", "from_s3")["state"] == "success"
        s3.delete_object(Bucket="far-away", Key="dags/from_s3.py")
        eventually(lambda: not known(), seconds=ALLOWED, what="the DAG to go")
    finally:
        service.client().delete_environment(Name="far")
        service.wait_gone("far")
