"""An environment as GetEnvironment shows it.

Members of things that do not exist here (VPC endpoint services, the SQS queue, a KMS key) are left out:
all are optional in the model. `WebserverUrl` is a bare host, as MWAA really answers, with a port where
443 could not be had. `LastUpdate` is always there: Terraform dereferences it.
"""

from typing import Any

from tradewind.domain.arns import Place
from tradewind.domain.environments import UP, Change, Environment, Trial
from tradewind.domain.specs import LOG_MODULES

_MESSAGE_LIMIT = 1024


def environment(env: Environment, place: Place, host: str) -> dict[str, Any]:
    """The `Environment` structure of the service model."""
    spec = env.spec
    shown: dict[str, Any] = {
        "Name": env.name,
        "Status": env.status.value,
        "Arn": place.environment(env.name),
        "CreatedAt": env.created_at,
        "ExecutionRoleArn": spec.execution_role_arn,
        "ServiceRoleArn": place.service_role(),
        "AirflowVersion": spec.airflow_version,
        "SourceBucketArn": spec.source_bucket_arn,
        "DagS3Path": spec.dag_s3_path,
        "RequirementsS3Path": spec.requirements_s3_path,
        "RequirementsS3ObjectVersion": spec.requirements_s3_object_version,
        "PluginsS3Path": spec.plugins_s3_path,
        "PluginsS3ObjectVersion": spec.plugins_s3_object_version,
        "StartupScriptS3Path": spec.startup_script_s3_path,
        "StartupScriptS3ObjectVersion": spec.startup_script_s3_object_version,
        "AirflowConfigurationOptions": dict(spec.airflow_configuration_options),
        "EnvironmentClass": spec.environment_class,
        "MinWorkers": spec.min_workers,
        "MaxWorkers": spec.max_workers,
        "Schedulers": spec.schedulers,
        "MinWebservers": spec.min_webservers,
        "MaxWebservers": spec.max_webservers,
        "NetworkConfiguration": {
            "SubnetIds": list(spec.subnet_ids),
            "SecurityGroupIds": list(spec.security_group_ids),
        },
        "LoggingConfiguration": {
            module: {
                "Enabled": chosen.enabled,
                "LogLevel": chosen.level,
                "CloudWatchLogGroupArn": place.log_group(env.name, LOG_MODULES[module]) if chosen.enabled else None,
            }
            for module, chosen in spec.logging.items()
        },
        "WeeklyMaintenanceWindowStart": spec.weekly_maintenance_window_start,
        "WebserverAccessMode": spec.webserver_access_mode,
        "EndpointManagement": spec.endpoint_management,
        "Tags": dict(env.tags),
        "LastUpdate": last_update(env.change),
    }
    if env.phase in UP:
        shown["WebserverUrl"] = host
    return shown


def trial(found: Trial) -> dict[str, Any]:
    """The latest dry run, for a header of ours."""
    return {
        "number": found.number,
        "state": found.state.value,
        "report": dict(found.report),
        "error": found.error[:_MESSAGE_LIMIT],
    }


def last_update(change: Change) -> dict[str, Any]:
    """The `LastUpdate` structure."""
    shown: dict[str, Any] = {"Status": change.state.value, "CreatedAt": change.created_at}
    if change.error_code is not None:
        message = " ".join((change.error_message or "unknown").splitlines())
        shown["Error"] = {"ErrorCode": change.error_code, "ErrorMessage": message[:_MESSAGE_LIMIT]}
    if change.strategy is not None:
        shown["WorkerReplacementStrategy"] = change.strategy
    return shown
