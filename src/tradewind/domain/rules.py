"""Rules that span members or that the service model does not spell: classes, versions, workers, schedulers.

The wire room has checked every member against the model before these run. Each rule gives sentences as
MWAA's ValidationException would carry them. Limits: MWAA's quotas and environment-class pages.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tradewind.domain.specs import Spec

MAX_WORKERS = 25
MAX_WEBSERVERS = 5
_FIRST_PUBLIC_AND_PRIVATE = (3, 2)
FORBIDDEN_OPTIONS = ("core.multi_team", "triggerer.queues_enabled")
ENGINE_OPTION = "tradewind.engine"  # ours: who schedules and starts tasks
ENGINES = ("tradewind", "stock")
ZYGOTES_OPTION = "tradewind.zygotes"  # ours: whose tasks inherit their parsed DAG file
ZYGOTES = ("auto", "off", "eager")
_OBJECTS = ("sdk.coordinators", "sdk.queue_to_coordinator")  # merged with what the engine needs


@dataclass(frozen=True)
class Sizes:
    """What an environment class allows: the part of the class table that rules need."""

    schedulers: tuple[int, int]
    workers: tuple[int, int]
    webservers: tuple[int, int]


def violations(spec: Spec, classes: Mapping[str, Sizes], versions: Sequence[str]) -> tuple[str, ...]:
    """Every rule that a spec breaks, as sentences; empty when it may be tried."""
    return tuple(_violations(spec, classes, versions))


def _violations(spec: Spec, classes: Mapping[str, Sizes], versions: Sequence[str]) -> Iterator[str]:
    if spec.airflow_version not in versions:
        yield f"Airflow version {spec.airflow_version} is not supported. Supported versions: {', '.join(versions)}."
    elif (
        spec.webserver_access_mode == "PUBLIC_AND_PRIVATE" and _minor(spec.airflow_version) < _FIRST_PUBLIC_AND_PRIVATE
    ):
        yield "WebserverAccessMode PUBLIC_AND_PRIVATE needs Airflow 3.2 or newer."
    yield from _of_sizes(spec, classes)
    yield from _of_options(spec.airflow_configuration_options)


def _of_sizes(spec: Spec, classes: Mapping[str, Sizes]) -> Iterator[str]:
    sizes = classes.get(spec.environment_class)
    if sizes is None:
        yield f"Environment class {spec.environment_class} is not supported. Supported classes: {', '.join(classes)}."
    if spec.min_workers > spec.max_workers:
        yield f"MinWorkers ({spec.min_workers}) must not be greater than MaxWorkers ({spec.max_workers})."
    if spec.min_webservers > spec.max_webservers:
        yield f"MinWebservers ({spec.min_webservers}) must not be greater than MaxWebservers ({spec.max_webservers})."
    if sizes is not None:
        yield from _within("Schedulers", spec.schedulers, sizes.schedulers, spec.environment_class)
        yield from _within("MinWorkers", spec.min_workers, sizes.workers, spec.environment_class)
        yield from _within("MaxWorkers", spec.max_workers, sizes.workers, spec.environment_class)
        yield from _within("MinWebservers", spec.min_webservers, sizes.webservers, spec.environment_class)
        yield from _within("MaxWebservers", spec.max_webservers, sizes.webservers, spec.environment_class)


def _of_options(options: Mapping[str, str]) -> Iterator[str]:
    for option in FORBIDDEN_OPTIONS:
        if option in options:
            yield f"The Airflow configuration option {option} is not supported."
    for option in options:
        if "." not in option:
            yield f"The Airflow configuration option {option} must be of the form section.key."
    for option, values in ((ENGINE_OPTION, ENGINES), (ZYGOTES_OPTION, ZYGOTES)):
        if options.get(option, values[0]) not in values:
            yield f"The Airflow configuration option {option} must be one of {', '.join(values)}."
    if options.get(ENGINE_OPTION) == "stock" and options.get(ZYGOTES_OPTION, "off") != "off":
        yield f"The Airflow configuration option {ZYGOTES_OPTION} needs {ENGINE_OPTION} = {ENGINES[0]}."
    for option in _OBJECTS:
        if option in options and not _is_object(options[option]):
            yield f"The Airflow configuration option {option} must be a JSON object."


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _within(member: str, value: int, bounds: tuple[int, int], class_: str) -> Iterator[str]:
    low, high = bounds
    if not low <= value <= high:
        allowed = str(low) if low == high else f"between {low} and {high}"
        yield f"{member} ({value}) must be {allowed} for environment class {class_}."


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)
