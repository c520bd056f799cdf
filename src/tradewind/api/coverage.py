"""What happens to every input member of the service model: honoured, stored and echoed, or refused.

None is silently dropped. A test fails when a newer model has an operation or a member that is not
listed here, and docs/coverage.md is made from this list.
"""

import enum
from collections.abc import Mapping


class Treatment(enum.Enum):
    """What we do with a member."""

    HONOURED = "honoured"
    STORED = "stored and echoed"
    REFUSED = "refused with a ValidationException that says so"
    IGNORED_AS_AWS = "accepted and ignored, as AWS documents it"


_H, _S, _R, _I = Treatment.HONOURED, Treatment.STORED, Treatment.REFUSED, Treatment.IGNORED_AS_AWS

COVERAGE: Mapping[str, Mapping[str, Treatment]] = {
    "CreateEnvironment": {
        "Name": _H,
        "ExecutionRoleArn": _S,
        "SourceBucketArn": _H,
        "DagS3Path": _H,
        "PluginsS3Path": _R,
        "PluginsS3ObjectVersion": _R,
        "RequirementsS3Path": _H,
        "RequirementsS3ObjectVersion": _R,
        "StartupScriptS3Path": _R,
        "StartupScriptS3ObjectVersion": _R,
        "AirflowConfigurationOptions": _H,
        "EnvironmentClass": _H,
        "MaxWorkers": _S,
        "KmsKey": _R,
        "NetworkConfiguration": _S,
        "AirflowVersion": _H,
        "LoggingConfiguration": _H,
        "WeeklyMaintenanceWindowStart": _S,
        "Tags": _H,
        "WebserverAccessMode": _S,
        "MinWorkers": _H,
        "Schedulers": _H,
        "EndpointManagement": _R,  # SERVICE is accepted: it is what there is
        "MinWebservers": _S,
        "MaxWebservers": _S,
        "IdentityCenterConfiguration": _R,
        "Teams": _R,
    },
    "GetEnvironment": {"Name": _H},
    "ListEnvironments": {"NextToken": _H, "MaxResults": _H},
    "UpdateEnvironment": {
        member: _R
        for member in (
            "Name", "ExecutionRoleArn", "AirflowConfigurationOptions", "AirflowVersion", "DagS3Path",
            "EnvironmentClass", "LoggingConfiguration", "MaxWorkers", "MinWorkers", "MaxWebservers", "MinWebservers",
            "WorkerReplacementStrategy", "NetworkConfiguration", "PluginsS3Path", "PluginsS3ObjectVersion",
            "RequirementsS3Path", "RequirementsS3ObjectVersion", "Schedulers", "SourceBucketArn",
            "StartupScriptS3Path", "StartupScriptS3ObjectVersion", "WebserverAccessMode",
            "WeeklyMaintenanceWindowStart", "IdentityCenterConfiguration", "Teams",
        )
    },
    "DeleteEnvironment": {"Name": _H},
    "ListTagsForResource": {"ResourceArn": _H},
    "TagResource": {"ResourceArn": _H, "Tags": _H},
    "UntagResource": {"ResourceArn": _H, "tagKeys": _H},
    "CreateCliToken": {"Name": _H},
    "CreateWebLoginToken": {"Name": _H},
    "InvokeRestApi": {"Name": _H, "Path": _H, "Method": _H, "QueryParameters": _H, "Body": _H},
    "PublishMetrics": {"EnvironmentName": _H, "MetricData": _I},
}  # fmt: skip
