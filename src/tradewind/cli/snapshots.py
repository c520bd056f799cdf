"""`snapshot` and `fork`: our own operations, followed to their end."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradewind.cli.failures import Failure
from tradewind.cli.following import Watch, until_created, until_updated
from tradewind.cli.output import Output, document, line, live, note, table
from tradewind.cli.places import hint, service_of
from tradewind.cli.progress import Progress
from tradewind.cli.service import Service

_POLL_SECONDS = 0.3
_UNIT = 1024


def take(name: str, data_dir: Path | None, output: Output, *, wait: bool) -> None:
    """Take one. Raises Failure with the reason why it could not be taken."""
    service = service_of(data_dir)
    id_ = service.own.create_snapshot(Name=name)["SnapshotId"]
    seen = _until_taken(service, id_) if wait else service.own.get_snapshot(SnapshotId=id_)["Snapshot"]
    if output is Output.JSON:
        document(seen)
    elif wait:
        line(f"{id_} holds {name} as it is now: {_size(seen)}.")
    else:
        line(f"{id_} is being taken. See: tradewind snapshot list {name}{hint(data_dir)}")


def _until_taken(service: Service, id_: str) -> Mapping[str, Any]:
    while True:
        seen: Mapping[str, Any] = service.own.get_snapshot(SnapshotId=id_)["Snapshot"]
        if seen["State"] == "AVAILABLE":
            return seen
        if seen["State"] == "FAILED":
            raise Failure(f"cannot take a snapshot of {seen['EnvironmentName']}: {seen.get('Reason', 'it failed')}")
        time.sleep(_POLL_SECONDS)


def show_all(name: str | None, data_dir: Path | None, output: Output) -> None:
    """List them."""
    asked = {} if name is None else {"EnvironmentName": name}
    found = service_of(data_dir).own.list_snapshots(**asked)["Snapshots"]
    if output is Output.JSON:
        document(found)
        return
    columns = ("SNAPSHOT", "ENVIRONMENT", "KIND", "STATE", "TAKEN", "AIRFLOW", "SIZE")
    rows = [
        (
            each["SnapshotId"], each["EnvironmentName"], each["Kind"], each["State"], each["CreatedAt"],
            each.get("AirflowVersion"), _size(each),
        )
        for each in found
    ]  # fmt: skip
    table(columns, rows)


def bring_back(
    id_: str, new: str | None, connections: str | None, data_dir: Path | None, output: Output, *, wait: bool
) -> None:
    """Restore one. Raises Failure with the sentence of what could not be had."""
    service = service_of(data_dir)
    name = new or service.own.get_snapshot(SnapshotId=id_)["Snapshot"]["EnvironmentName"]
    asked = {"SnapshotId": id_, "Name": new, "Connections": connections}
    service.own.restore_snapshot(**{member: value for member, value in asked.items() if value is not None})
    _follow(service, name, data_dir, output, is_new=new is not None, wait=wait)


def remove(id_: str, data_dir: Path | None, output: Output) -> None:
    """Remove one."""
    service_of(data_dir).own.delete_snapshot(SnapshotId=id_)
    if output is Output.TEXT:
        line(f"{id_} is gone.")


def copy(name: str, new: str, connections: str, data_dir: Path | None, output: Output, *, wait: bool) -> None:
    """Fork one. Raises Failure with the sentence of what could not be had."""
    service = service_of(data_dir)
    service.own.fork_environment(Name=name, NewName=new, Connections=connections)
    _follow(service, new, data_dir, output, is_new=True, wait=wait)


def _follow(service: Service, name: str, data_dir: Path | None, output: Output, *, is_new: bool, wait: bool) -> None:
    started = time.monotonic()
    if wait:
        note(f"{'Copying to' if is_new else 'Restoring'} {name}:")
        with live() as telling:
            watch = Watch(lambda: service.find(name), telling)
            seen = until_created(watch, name) if is_new else until_updated(watch, name, Progress())
    else:
        seen = service.get(name)
    if output is Output.JSON:
        document(seen.environment)
    elif wait:
        line(f"{name} is AVAILABLE, after {round(time.monotonic() - started, 1)} s.")
        if is_new:
            line(f"Its schedules are paused: tradewind dags {name} unpause DAG{hint(data_dir)}")
    else:
        line(f"{name} is on its way. See: tradewind show {name}{hint(data_dir)}")


def _size(snapshot: Mapping[str, Any]) -> str:
    size = float(snapshot.get("Bytes", 0))
    for unit in ("bytes", "KiB", "MiB"):
        if size < _UNIT:
            return f"{size:.0f} {unit}"
        size /= _UNIT
    return f"{size:.1f} GiB"
