"""`create`: files into the bucket, CreateEnvironment, and its progress to the end.

The role and the network that MWAA wants have no meaning on one's own machine; placeholders of the right form
stand in for them.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from tradewind.cli.deploying import ARTEFACTS, DAGS, bucket_for, check_bucket, check_dags, deploy, put_artefacts
from tradewind.cli.failures import USAGE, Failure
from tradewind.cli.following import Watch, until_created
from tradewind.cli.output import Output, document, line, live, note
from tradewind.cli.places import hint, service_of
from tradewind.cli.service import Endpoint, Seen, Service
from tradewind.domain.layout import Layout

NETWORK = {"SubnetIds": ["subnet-tradewind-a", "subnet-tradewind-b"], "SecurityGroupIds": ["sg-tradewind"]}


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    name: str
    dags: Path
    artefacts: Mapping[str, Path]  # by their members of the API
    environment_class: str
    airflow_version: str | None
    min_workers: int | None
    max_workers: int | None
    schedulers: int | None
    options: Sequence[str]
    tags: Sequence[str]
    bucket: str | None


def create_environment(wishes: Wishes, data_dir: Path | None, output: Output, *, wait: bool) -> None:
    """Create one environment. Raises Failure with the sentence of what could not be had."""
    bucket = check_bucket(wishes.bucket or bucket_for(wishes.name))
    check_dags(wishes.dags)
    service = service_of(data_dir)
    request = request_for(wishes, bucket, service.endpoint.account_id)
    if service.find(wishes.name) is not None:
        raise Failure(f"cannot create {wishes.name}: there is an environment of that name")
    buckets = _buckets(service.endpoint)
    is_new = not (buckets / bucket).exists()
    put = deploy(buckets, bucket, wishes.dags)
    put_artefacts(buckets / bucket, wishes.artefacts)
    others = f"; {put.others} more were there already and stay" if put.others else ""
    started = time.monotonic()
    try:
        service.create(request)
    except botocore.exceptions.ClientError:
        if is_new:  # a request that was refused leaves nothing behind
            shutil.rmtree(buckets / bucket, ignore_errors=True)
        raise
    note(f"Put {put.files} file{'s' if put.files != 1 else ''} into {put.folder}{others}.")
    if not wait:
        _tell_begun(service, wishes.name, data_dir, output)
        return
    note(f"Creating {wishes.name}:")
    try:
        with live() as telling:
            seen = until_created(Watch(lambda: service.find(wishes.name), telling), wishes.name)
    except KeyboardInterrupt:
        note(f"The creation goes on; follow it with: tradewind show {wishes.name}{hint(data_dir)}")
        raise
    except Failure:
        note(f"Its logs: tradewind logs {wishes.name}{hint(data_dir)}")
        raise
    _tell_made(seen, round(time.monotonic() - started, 1), put.folder, data_dir, output)


def request_for(wishes: Wishes, bucket: str, account: str) -> dict[str, Any]:
    """The members of CreateEnvironment; what was not asked for is left to the service's defaults. Raises Failure."""
    asked: Mapping[str, Any] = {
        "AirflowVersion": wishes.airflow_version,
        "MinWorkers": wishes.min_workers,
        "MaxWorkers": wishes.max_workers,
        "Schedulers": wishes.schedulers,
        **{member: ARTEFACTS[member] for member in wishes.artefacts},
        "AirflowConfigurationOptions": pairs(wishes.options, "--option", "section.key=value"),
        "Tags": pairs(wishes.tags, "--tag", "key=value"),
    }
    return {
        "Name": wishes.name,
        "ExecutionRoleArn": f"arn:aws:iam::{account}:role/tradewind-execution",
        "SourceBucketArn": f"arn:aws:s3:::{bucket}",
        "DagS3Path": DAGS,
        "NetworkConfiguration": NETWORK,
        "EnvironmentClass": wishes.environment_class,
        "WebserverAccessMode": "PUBLIC_ONLY",
    } | {member: value for member, value in asked.items() if value not in (None, {})}


def pairs(words: Sequence[str], flag: str, form: str) -> dict[str, str]:
    """`key=value` words as a mapping. Raises Failure for one that is none, or a key that is given twice."""
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Failure(f"cannot read {flag} {word}: it must have the form {form}", USAGE)
        if key in found:
            raise Failure(f"cannot read {flag} {word}: {key} is given twice", USAGE)
        found[key] = value
    return found


def _buckets(endpoint: Endpoint) -> Path:
    if endpoint.data_dir is None:
        raise Failure(
            f"cannot put the DAGs into a bucket: the data directory of the service at {endpoint.url} is not known "
            "here; name it with --data-dir"
        )
    return Layout(endpoint.data_dir, endpoint.data_dir).buckets


def _tell_begun(service: Service, name: str, data_dir: Path | None, output: Output) -> None:
    if output is Output.JSON:
        document(service.get(name).environment)
    else:
        line(f"{name} is being created. See: tradewind show {name}{hint(data_dir)}")


def _tell_made(seen: Seen, seconds: float, folder: Path, data_dir: Path | None, output: Output) -> None:
    if output is Output.JSON:
        document(seen.environment)
        return
    name, where = seen.environment["Name"], hint(data_dir)
    line(f"{name} is AVAILABLE, after {seconds} s.")
    line()
    line(f"  Airflow            {seen.url}")
    line(f"  sign in            tradewind open {name}{where}")
    line(f"  its DAGs           tradewind dags {name}{where}")
    line(f"  deploy a DAG       cp FILE {folder}/")
