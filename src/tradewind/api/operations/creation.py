"""CreateEnvironment: check, fill in defaults, write what is wanted.

Nothing is made here. Everything that this service cannot do yet is refused by name, before anything is
written; what only trying can show (a missing bucket, requirements that do not resolve) ends CREATE_FAILED.
"""

import dataclasses
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.services import Services
from tradewind.domain.environments import Change, ChangeState, Environment, Origin, Phase, Ports, Secrets, Target
from tradewind.domain.identifiers import EnvironmentId, new_environment_id
from tradewind.domain.rules import violations
from tradewind.domain.specs import DEFAULT_LOGGING, ModuleLogging, Spec
from tradewind.recipe.sizes import DEFAULT_CLASS, classes
from tradewind.recipe.versions import default_version, versions
from tradewind.routes.hosts import allocate_address
from tradewind.store import AddressTaken, EnvironmentExists

_ATTEMPTS = 5
_NOT_YET = ("KmsKey", "Teams", "IdentityCenterConfiguration")
_ARTEFACTS = ("Requirements", "Plugins", "StartupScript")
_RESERVED_TAGS = "aws:"


def create_environment(services: Services, call: Call) -> Answer:
    """Write the wanted environment and answer its ARN; the reconciler does the rest."""
    name = call["Name"]
    spec = spec_from(call.parameters)
    problems = [*refusals(call.parameters), *orphans(spec), *violations(spec, classes(), tuple(versions()))]
    if problems:
        raise validation(" ".join(problems))
    return begin(services, name, spec, tags=call.get("Tags") or {})


def begin(
    services: Services, name: str, spec: Spec, *, tags: Mapping[str, str], origin: Origin | None = None
) -> Answer:
    """Write a new environment, with an `origin` as a copy. Raises ValidationException when the name is taken."""
    if services.environments.find(name) is not None:
        raise _taken(name)
    for _ in range(_ATTEMPTS):
        environment = dataclasses.replace(_draw(services, name, spec, tags), origin=origin)
        try:
            services.environments.create(environment)
        except EnvironmentExists as error:
            raise _taken(name) from error
        except AddressTaken:
            continue
        return Answer({"Arn": services.place.environment(name)})
    raise RuntimeError("cannot draw a loopback address that stays free")


def spec_from(parameters: Mapping[str, Any]) -> Spec:
    """The complete spec of a request that the service model has accepted."""
    class_name = parameters.get("EnvironmentClass") or DEFAULT_CLASS
    size = classes().get(class_name, classes()[DEFAULT_CLASS])
    network = parameters["NetworkConfiguration"]
    min_workers = parameters.get("MinWorkers", 1)
    webservers = size.default_webservers
    logging = dict(DEFAULT_LOGGING) | {
        module: ModuleLogging(chosen["Enabled"], chosen["LogLevel"])
        for module, chosen in (parameters.get("LoggingConfiguration") or {}).items()
    }
    return Spec(
        execution_role_arn=parameters["ExecutionRoleArn"],
        source_bucket_arn=parameters["SourceBucketArn"],
        dag_s3_path=parameters["DagS3Path"],
        subnet_ids=tuple(network.get("SubnetIds", ())),
        security_group_ids=tuple(network.get("SecurityGroupIds", ())),
        airflow_version=parameters.get("AirflowVersion") or default_version(),
        environment_class=class_name,
        min_workers=min_workers,
        max_workers=parameters.get("MaxWorkers", max(size.default_max_workers, min_workers)),
        schedulers=parameters.get("Schedulers", size.default_schedulers),
        min_webservers=parameters.get("MinWebservers", min(webservers, parameters.get("MaxWebservers", webservers))),
        max_webservers=parameters.get("MaxWebservers", max(webservers, parameters.get("MinWebservers", webservers))),
        webserver_access_mode=parameters.get("WebserverAccessMode", "PRIVATE_ONLY"),
        weekly_maintenance_window_start=parameters.get("WeeklyMaintenanceWindowStart") or _window(parameters["Name"]),
        requirements_s3_path=parameters.get("RequirementsS3Path") or None,
        requirements_s3_object_version=parameters.get("RequirementsS3ObjectVersion") or None,
        plugins_s3_path=parameters.get("PluginsS3Path") or None,
        plugins_s3_object_version=parameters.get("PluginsS3ObjectVersion") or None,
        startup_script_s3_path=parameters.get("StartupScriptS3Path") or None,
        startup_script_s3_object_version=parameters.get("StartupScriptS3ObjectVersion") or None,
        airflow_configuration_options=dict(parameters.get("AirflowConfigurationOptions") or {}),
        logging=logging,
        endpoint_management=parameters.get("EndpointManagement", "SERVICE"),
    )


def refusals(parameters: Mapping[str, Any]) -> Iterator[str]:
    """What this release does not do yet, and values that the model's patterns let through but S3 would not."""
    for member in _NOT_YET:
        if parameters.get(member):
            yield f"{member} is not supported by this release of Tradewind."
    if parameters.get("EndpointManagement") == "CUSTOMER":
        yield "EndpointManagement CUSTOMER is not supported by this release of Tradewind."
    if not parameters["DagS3Path"].strip("/"):
        yield "DagS3Path must name a folder of the bucket."
    for member in ("DagS3Path", *(f"{artefact}S3Path" for artefact in _ARTEFACTS)):
        path = parameters.get(member) or ""
        if any(part in {".", ".."} for part in path.split("/")) or "\0" in path:
            yield f"{member} must be a relative path inside the bucket."
    for key in parameters.get("Tags") or {}:
        if key.lower().startswith(_RESERVED_TAGS):
            yield f"The tag key {key} is reserved: keys must not start with aws:."


def orphans(spec: Spec) -> Iterator[str]:
    """Object versions without the path whose versions they are."""
    for member, path, version in (
        ("Requirements", spec.requirements_s3_path, spec.requirements_s3_object_version),
        ("Plugins", spec.plugins_s3_path, spec.plugins_s3_object_version),
        ("StartupScript", spec.startup_script_s3_path, spec.startup_script_s3_object_version),
    ):
        if version and not path:
            yield f"{member}S3ObjectVersion needs {member}S3Path."


def _draw(services: Services, name: str, spec: Spec, tags: Mapping[str, str]) -> Environment:
    id_ = new_environment_id()
    used = services.environments.ports_in_use()
    api = services.draw_port(used)
    broker = services.draw_port(used | {api})
    credentials = services.draw_port(used | {api, broker})
    now = services.now()
    return Environment(
        id=id_,
        name=name,
        spec=spec,
        tags=dict(tags),
        target=Target.PRESENT,
        generation=1,
        created_at=now,
        phase=Phase.NEW,
        observed_generation=0,
        address=_address(services, id_),
        ports=Ports(api=api, broker=broker, credentials=credentials),
        secrets=_secrets(),
        change=Change("CREATE", ChangeState.PENDING, now),
    )


def _address(services: Services, id_: EnvironmentId) -> str | None:
    if not services.hosts.needs_address:
        return None
    return allocate_address(services.environments.addresses_in_use(), str(id_))


def _secrets() -> Secrets:
    return Secrets(
        fernet_key=_fernet_key(),
        jwt_secret=secrets.token_urlsafe(48),
        api_secret_key=secrets.token_urlsafe(32),
        assertion_secret=secrets.token_urlsafe(48),
        broker_password=secrets.token_urlsafe(32),
        database_password=secrets.token_urlsafe(32),
    )


def _fernet_key() -> str:
    from cryptography.fernet import Fernet  # noqa: PLC0415  (slow to import, and only needed here)

    return Fernet.generate_key().decode()


def _window(name: str) -> str:
    """MWAA draws a weekly window at random; ours follows from the name, so that a test can know it."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    day = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")[number % 7]
    return f"{day}:{number // 7 % 24:02}:{'30' if number // 200 % 2 else '00'}"


def _taken(name: str) -> Exception:
    return validation(f"An environment with the name {name} already exists.")
