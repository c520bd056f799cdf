"""UpdateEnvironment: check, merge with the settings in force, write what is wanted.

A member that is absent stays as it is; AirflowConfigurationOptions are replaced as a whole, LoggingConfiguration module
by module, as MWAA does. An update that changes nothing is legal: AWS calls it a re-image. docs/updating.md has what
follows.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.operations.creation import orphans, refusals
from tradewind.api.operations.environments import existing
from tradewind.api.services import Services
from tradewind.domain.environments import Environment, Phase
from tradewind.domain.rules import Sizes, violations
from tradewind.domain.specs import ModuleLogging, Spec
from tradewind.recipe.sizes import classes
from tradewind.recipe.versions import versions

DRY_RUN = "tradewind-dry-run"  # a header of ours: prepare and rehearse the update, and say what it would do

# Members that are taken over as they are, and what the spec calls them.
_PLAIN = {
    "ExecutionRoleArn": "execution_role_arn",
    "SourceBucketArn": "source_bucket_arn",
    "DagS3Path": "dag_s3_path",
    "AirflowVersion": "airflow_version",
    "EnvironmentClass": "environment_class",
    "MinWorkers": "min_workers",
    "MaxWorkers": "max_workers",
    "Schedulers": "schedulers",
    "MinWebservers": "min_webservers",
    "MaxWebservers": "max_webservers",
    "WebserverAccessMode": "webserver_access_mode",
    "WeeklyMaintenanceWindowStart": "weekly_maintenance_window_start",
}
# Paths of artefacts and their object versions. An empty start-up script path takes the script away.
_ARTEFACTS = {
    "Requirements": ("requirements_s3_path", "requirements_s3_object_version"),
    "Plugins": ("plugins_s3_path", "plugins_s3_object_version"),
    "StartupScript": ("startup_script_s3_path", "startup_script_s3_object_version"),
}
_COUNTS = {
    "schedulers": "schedulers",
    "min_workers": "workers",
    "max_workers": "workers",
    "min_webservers": "webservers",
    "max_webservers": "webservers",
}


def update_environment(services: Services, call: Call) -> Answer:
    """Write the wanted settings and answer the ARN; the reconciler does the rest."""
    environment = existing(services, call["Name"])
    if not environment.is_updatable:
        raise _not_now(environment)
    spec = merged(environment.spec, call.parameters)
    problems = [
        *refusals({"DagS3Path": spec.dag_s3_path, **call.parameters}),
        *_refusals_of_updates(environment.spec, call.parameters),
        *orphans(spec),
        *violations(spec, classes(), tuple(versions())),
    ]
    if problems:
        raise validation(" ".join(problems))
    strategy = call.get("WorkerReplacementStrategy")
    if DRY_RUN in call.headers:
        return _dry_run(services, environment, spec, strategy)
    if not services.environments.want_spec(environment.id, spec, instead_of=environment.generation, strategy=strategy):
        raise _not_now(existing(services, call["Name"]))
    return Answer({"Arn": services.place.environment(environment.name)})


def _dry_run(services: Services, environment: Environment, spec: Spec, strategy: str | None) -> Answer:
    """Write what is to be tried; GetEnvironment tells in a header of the same name what came of it."""
    if environment.phase is not Phase.READY:
        raise _not_now(environment)
    number = services.environments.try_spec(environment.id, spec, instead_of=environment.generation, strategy=strategy)
    if number is None:
        raise _not_now(existing(services, environment.name))
    return Answer({"Arn": services.place.environment(environment.name)}, {DRY_RUN: json.dumps({"number": number})})


def merged(spec: Spec, parameters: Mapping[str, Any]) -> Spec:
    """The settings in force with what a request names.

    Another class brings counts that the request does not name within its bounds.
    """
    changes: dict[str, Any] = {
        ours: parameters[theirs] for theirs, ours in _PLAIN.items() if parameters.get(theirs) not in {None, ""}
    }
    changes |= _artefacts(spec, parameters)
    if parameters.get("AirflowConfigurationOptions") is not None:
        changes["airflow_configuration_options"] = dict(parameters["AirflowConfigurationOptions"])
    if parameters.get("LoggingConfiguration"):
        changes["logging"] = dict(spec.logging) | {
            module: ModuleLogging(chosen["Enabled"], chosen["LogLevel"])
            for module, chosen in parameters["LoggingConfiguration"].items()
        }
    if parameters.get("NetworkConfiguration"):
        changes["security_group_ids"] = tuple(parameters["NetworkConfiguration"]["SecurityGroupIds"])
    size = classes().get(changes.get("environment_class", spec.environment_class))
    if size is not None and changes.get("environment_class", spec.environment_class) != spec.environment_class:
        changes = {**dict(_within(spec, size)), **changes}
    return dataclasses.replace(spec, **changes)


def _artefacts(spec: Spec, parameters: Mapping[str, Any]) -> dict[str, str | None]:
    """A path that changes leaves its old version behind: that was a version of another object."""
    changes: dict[str, str | None] = {}
    for artefact, (path, version) in _ARTEFACTS.items():
        named = parameters.get(f"{artefact}S3Path")
        if named is not None and (named or None) != getattr(spec, path):
            changes[path], changes[version] = named or None, None
        if parameters.get(f"{artefact}S3ObjectVersion") is not None:
            changes[version] = parameters[f"{artefact}S3ObjectVersion"] or None
    return changes


def _within(spec: Spec, size: Sizes) -> Iterator[tuple[str, int]]:
    for count, bounds in _COUNTS.items():
        least, most = getattr(size, bounds)
        yield count, min(max(getattr(spec, count), least), most)


def _refusals_of_updates(in_force: Spec, parameters: Mapping[str, Any]) -> Iterator[str]:
    is_graceful = parameters.get("WorkerReplacementStrategy") == "GRACEFUL"
    if is_graceful and parameters.get("AirflowVersion", in_force.airflow_version) != in_force.airflow_version:
        yield (
            "WorkerReplacementStrategy GRACEFUL cannot be had with another AirflowVersion: its database is moved while"
            " everything stands still."
        )
    for member, path in (
        ("RequirementsS3Path", in_force.requirements_s3_path), ("PluginsS3Path", in_force.plugins_s3_path),
    ):  # fmt: skip
        if parameters.get(member) == "" and path:
            yield f"{member} cannot be removed once it is set: let it name an empty file."


def _not_now(environment: Environment) -> Exception:
    status = environment.status.value
    return validation(f"Environment {environment.name} cannot be updated: its status is {status}.")
