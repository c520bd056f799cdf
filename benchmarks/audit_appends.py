"""What a record of the audit log costs: `.venv/bin/python -m benchmarks.audit_appends --records 4000 --threads 32`.

A PostgreSQL of its own in a temporary folder, as the service runs it, with its waits for the disk. Each thread appends
one record after the other, as calls do; then the whole log is verified. Says nothing about a service under other load.
"""

import argparse
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from tradewind.audit import EventType, Record, caller, head_key
from tradewind.bootstrap import directory
from tradewind.bootstrap.host import draw_port
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST, Manifest
from tradewind.runtime import users
from tradewind.store.audit import AuditLog
from tradewind.store.migrations import upgrade
from tradewind.store.server import SUPERUSER, Cluster, Server

ACCOUNT = "123456789012"


@contextmanager
def database() -> Iterator[sa.Engine]:
    """An engine on a new server's control database; all of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tw-audit-", dir="/var/tmp"))
    folder.chmod(0o711)
    layout = Layout(folder / "data", folder / "run")
    directory.prepare(layout, as_root=users.is_root())
    runtime = runtime_of(layout)
    server = Server("127.0.0.1", draw_port(set()), SUPERUSER, directory.new_password())
    cluster = Cluster(layout, server, users.ensure(users.POSTGRES), runtime)
    cluster.ensure()
    runtime.apply(Manifest(HOST, 1, (cluster.process(),)))
    engine = server.engine()
    try:
        server.wait()
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()
        runtime.stop(HOST)
        shutil.rmtree(folder)


def typical() -> Record:
    """A CreateEnvironment, about as long as real ones."""
    parameters = {
        "Name": "etl", "DagS3Path": "dags", "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
        "NetworkConfiguration": {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]},
        "SourceBucketArn": "arn:aws:s3:::etl", "Tags": {"team": "data"},
    }  # fmt: skip
    return Record(
        moment=datetime.now(UTC), source="airflow.amazonaws.com", name="CreateEnvironment", type=EventType.API_CALL,
        identity=caller(f"arn:aws:iam::{ACCOUNT}:user/alice", access_key_id="AKIAEXAMPLEEXAMPLE12"),
        region="us-east-1", account=ACCOUNT, event_id=str(uuid.uuid4()), request_id=str(uuid.uuid4()),
        address="192.0.2.1", agent="Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux lang/python#3.11",
        parameters=parameters, response={"Arn": f"arn:aws:airflow:us-east-1:{ACCOUNT}:environment/etl"},
        host="localhost",
    )  # fmt: skip


def measure(log: AuditLog, records: int, threads: int) -> tuple[float, list[float]]:
    """Seconds for all, and of each append."""
    each = [records // threads + (number < records % threads) for number in range(threads)]

    def write(count: int) -> list[float]:
        waits = []
        for _ in range(count):
            begun = time.perf_counter()
            log.append(typical())
            waits.append(time.perf_counter() - begun)
        return waits

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        waits = [wait for some in pool.map(write, each) for wait in some]
    return time.perf_counter() - begun, waits


def main() -> int:
    """Measure, print, answer 1 when the log is not intact afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=2000, help="of each round")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 8, 32], help="one round for each number")
    asked = parser.parse_args()
    with database() as engine:
        log = AuditLog(engine, ACCOUNT, head_key(b"k" * 32))
        log.ensure()
        log.append(typical())  # the first connection is not measured
        for threads in asked.threads:
            seconds, waits = measure(log, asked.records, threads)
            slowest = sorted(waits)[int(len(waits) * 0.99)]
            print(
                f"{threads:3} threads: {seconds / len(waits) * 1000:6.2f} ms a record, "
                f"wait {statistics.median(waits) * 1000:6.2f} ms at the median, {slowest * 1000:6.2f} ms at the 99th "
                "percentile"
            )
        begun = time.perf_counter()
        verdict = log.verify()
        print(f"verified in {time.perf_counter() - begun:.2f} s: {verdict}")
    return 0 if verdict else 1


if __name__ == "__main__":
    raise SystemExit(main())
