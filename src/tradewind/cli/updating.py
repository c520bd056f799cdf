"""`update`: what shall be otherwise, UpdateEnvironment, and its progress to the end."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewind.cli.creating import pairs
from tradewind.cli.deploying import ARTEFACTS, put_artefacts
from tradewind.cli.failures import USAGE, Failure
from tradewind.cli.following import Watch, until_tried, until_updated
from tradewind.cli.output import Output, document, line, live, note
from tradewind.cli.places import hint, service_of
from tradewind.cli.progress import Progress
from tradewind.cli.service import Seen, Service
from tradewind.domain.arns import bucket_name
from tradewind.domain.layout import Layout

TRIED = "tradewind-dry-run"  # where artefacts of a dry run lie meanwhile


@dataclass(frozen=True)
class Changes:
    """What the command line asks for; what is None stays. Options that are named are added, or taken away."""

    name: str
    artefacts: Mapping[str, Path]  # by their members of the API
    environment_class: str | None
    min_workers: int | None
    max_workers: int | None
    schedulers: int | None
    options: Sequence[str]
    without: Sequence[str]
    airflow_version: str | None = None
    is_graceful: bool = False
    is_dry_run: bool = False


def update_environment(changes: Changes, data_dir: Path | None, output: Output, *, wait: bool) -> None:
    """Change one environment. Raises Failure with the sentence of what could not be had, or is not in force."""
    service = service_of(data_dir)
    before = service.get(changes.name)
    request = request_for(changes, before.environment)
    if changes.is_dry_run:
        folder = _put(service, before, changes.artefacts, TRIED) if changes.artefacts else None
        try:
            _try(service, changes.name, request, before, output)
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        return
    if changes.artefacts:
        _put(service, before, changes.artefacts)
    started = time.monotonic()
    service.update(request)
    if not wait:
        _tell_begun(service, changes.name, data_dir, output)
        return
    note(f"Updating {changes.name}:")
    try:
        with live() as telling:
            watch = Watch(lambda: service.find(changes.name), telling)
            seen = until_updated(watch, changes.name, Progress())
    except KeyboardInterrupt:
        note(f"The update goes on; follow it with: tradewind show {changes.name}{hint(data_dir)}")
        raise
    if output is Output.JSON:
        document(seen.environment)
    else:
        line(f"{changes.name} is AVAILABLE with its new settings, after {round(time.monotonic() - started, 1)} s.")


def _try(service: Service, name: str, request: Mapping[str, Any], before: Seen, output: Output) -> None:
    number = service.try_update(request)
    note(f"Trying the update of {name}; nothing is put in force:")
    with live() as telling:
        report = until_tried(Watch(lambda: service.find(name), telling), name, number, before.progress)
    if output is Output.JSON:
        document(report)
    else:
        for sentence in told(report):
            line(sentence)


def told(report: Mapping[str, Any]) -> list[str]:
    """A change plan in words."""
    kinds = {"restarts": "would restart", "starts": "would start", "stops": "would stop"}
    found = [f"  {words:<14} {', '.join(report[kind])}" for kind, words in kinds.items() if report[kind]]
    if not found:
        return ["It would work. No process would restart."]
    tasks = report["tasks"]
    if report["graceful"]:
        end = "running tasks go on on the workers that they run on"
    elif tasks:
        end = f"{tasks} running task{'s' if tasks != 1 else ''} would end; --graceful would let them finish"
    else:
        end = "no running task would end"
    return ["It would work.", *found, f"  {'tasks':<14} {end}", f"  {'seconds':<14} about {report['seconds']:.0f}"]


def request_for(changes: Changes, in_force: Mapping[str, Any]) -> dict[str, Any]:
    """The members of UpdateEnvironment: only what changes. Raises Failure for options that cannot be taken away."""
    asked: Mapping[str, Any] = {
        "EnvironmentClass": changes.environment_class,
        "AirflowVersion": changes.airflow_version,
        "MinWorkers": changes.min_workers,
        "MaxWorkers": changes.max_workers,
        "Schedulers": changes.schedulers,
        **{
            member: f"{TRIED}/{ARTEFACTS[member]}" if changes.is_dry_run else ARTEFACTS[member]
            for member in changes.artefacts
        },
        # what lies there now is meant, whatever version was pinned
        **{member.replace("Path", "ObjectVersion"): "" for member in changes.artefacts},
        "WorkerReplacementStrategy": "GRACEFUL" if changes.is_graceful else None,
        "AirflowConfigurationOptions": _options(changes, in_force.get("AirflowConfigurationOptions") or {}),
    }
    return {"Name": changes.name} | {member: value for member, value in asked.items() if value is not None}


def _options(changes: Changes, in_force: Mapping[str, str]) -> dict[str, str] | None:
    """The API replaces options as a whole."""
    for option in changes.without:
        if option not in in_force:
            raise Failure(f"cannot take {option} away: {changes.name} has no such option", USAGE)
    named = pairs(changes.options, "--option", "section.key=value")
    if not named and not changes.without:
        return None
    return {key: value for key, value in {**in_force, **named}.items() if key not in changes.without}


def _put(service: Service, seen: Seen, artefacts: Mapping[str, Path], below: str = "") -> Path:
    names = ", ".join(path.name for path in artefacts.values())
    if service.endpoint.data_dir is None:
        raise Failure(
            f"cannot put {names} into the bucket: the data directory of the service at {service.endpoint.url} "
            "is not known here; name it with --data-dir"
        )
    buckets = Layout(service.endpoint.data_dir, service.endpoint.data_dir).buckets
    folder = buckets / bucket_name(seen.environment["SourceBucketArn"])
    if not folder.is_dir():
        raise Failure(f"cannot put {names} into {folder.name}: it is no directory bucket")
    put_artefacts(folder / below, artefacts)
    note(f"Put {names} into {folder / below}.")
    return folder / below


def _tell_begun(service: Service, name: str, data_dir: Path | None, output: Output) -> None:
    if output is Output.JSON:
        document(service.get(name).environment)
    else:
        line(f"{name} is being updated. See: tradewind show {name}{hint(data_dir)}")
