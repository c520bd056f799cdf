"""What happens to every input member of the service model: honoured, stored and echoed, or refused.

None is silently dropped. A test fails when a newer model has an operation or a member that is not
listed here, and docs/coverage.md is made from this list.
"""

import enum
import sys
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
        "ExecutionRoleArn": _H,
        "SourceBucketArn": _H,
        "DagS3Path": _H,
        "PluginsS3Path": _H,
        "PluginsS3ObjectVersion": _H,
        "RequirementsS3Path": _H,
        "RequirementsS3ObjectVersion": _H,
        "StartupScriptS3Path": _H,
        "StartupScriptS3ObjectVersion": _H,
        "AirflowConfigurationOptions": _H,
        "EnvironmentClass": _H,
        "MaxWorkers": _S,
        "KmsKey": _R,
        "NetworkConfiguration": _S,
        "AirflowVersion": _H,
        "LoggingConfiguration": _H,
        "WeeklyMaintenanceWindowStart": _S,
        "Tags": _H,
        "WebserverAccessMode": _H,
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
        "Name": _H,
        "ExecutionRoleArn": _H,
        "AirflowConfigurationOptions": _H,
        "AirflowVersion": _H,
        "DagS3Path": _H,
        "EnvironmentClass": _H,
        "LoggingConfiguration": _H,
        "MaxWorkers": _S,
        "MinWorkers": _H,
        "MaxWebservers": _S,
        "MinWebservers": _S,
        "WorkerReplacementStrategy": _H,
        "NetworkConfiguration": _S,
        "PluginsS3Path": _H,
        "PluginsS3ObjectVersion": _H,
        "RequirementsS3Path": _H,
        "RequirementsS3ObjectVersion": _H,
        "Schedulers": _H,
        "SourceBucketArn": _H,
        "StartupScriptS3Path": _H,
        "StartupScriptS3ObjectVersion": _H,
        "WebserverAccessMode": _H,
        "WeeklyMaintenanceWindowStart": _S,
        "IdentityCenterConfiguration": _R,
        "Teams": _R,
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

_REMARKS = (
    "## Where values differ from the model",
    "",
    "- `EndpointManagement`: `SERVICE` is accepted, since it is what there is; `CUSTOMER` is refused.",
    "- `InvokeRestApi.Path` may have up to 2,048 characters: the model says 64, and AWS's own clients send more.",
    "- `WebServerHostname` and `WebserverUrl` hold `host:port` where port 443 could not be had.",
    "- The members marked refused for `CreateEnvironment` and `UpdateEnvironment` are accepted when empty.",
    "- `UpdateEnvironment`: `WorkerReplacementStrategy` GRACEFUL is refused together with another `AirflowVersion`.",
)


def as_markdown() -> str:
    """The list as a page for people: `python -m tradewind.api.coverage > docs/coverage.md`."""
    lines = [
        "# What happens to every input member of the MWAA API",
        "",
        "Made from `src/tradewind/api/coverage.py` by `python -m tradewind.api.coverage > docs/coverage.md`; a test",
        "compares the list with AWS's service model, and this page with the list. Nothing is silently dropped.",
    ]
    for operation, members in COVERAGE.items():
        lines += ["", f"## {operation}", "", "| member | what happens to it |", "| --- | --- |"]
        lines += [f"| `{member}` | {treatment.value} |" for member, treatment in members.items()]
    return "\n".join([*lines, "", *_REMARKS]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
