"""Amazon Resource Names of this service's things, built and read in one place.

Formats as AWS documents them (service authorization reference, `airflow`): the environment
`arn:aws:airflow:REGION:ACCOUNT:environment/NAME`, an Airflow role
`arn:aws:airflow:REGION:ACCOUNT:role/NAME/Admin`, log groups `airflow-NAME-Task` and the like.
"""

import re
from dataclasses import dataclass

_ENVIRONMENT = re.compile(
    r"arn:(aws(?:-[a-z]+)?):airflow:([a-z0-9-]+):(\d{12}):environment/([a-zA-Z][0-9a-zA-Z\-_]{0,79})"
)
_BUCKET = re.compile(r"arn:aws(?:-[a-z]+)?:s3:::([a-z0-9.\-]+)")


@dataclass(frozen=True)
class Place:
    """Whose account and which region: what every ARN of this service has in common."""

    account: str
    region: str
    partition: str = "aws"

    def environment(self, name: str) -> str:
        """ARN of an environment."""
        return f"arn:{self.partition}:airflow:{self.region}:{self.account}:environment/{name}"

    def airflow_role(self, name: str, role: str) -> str:
        """ARN that web login and InvokeRestApi are authorised on."""
        return f"arn:{self.partition}:airflow:{self.region}:{self.account}:role/{name}/{role}"

    def snapshot(self, id_: str) -> str:
        """ARN of a snapshot: a kind of ours."""
        return f"arn:{self.partition}:airflow:{self.region}:{self.account}:snapshot/{id_}"

    def log_group(self, name: str, module: str) -> str:
        """ARN of one of the five log groups; `module` is Task, Scheduler, Worker, WebServer or DAGProcessing."""
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:airflow-{name}-{module}"

    def service_role(self) -> str:
        """The service-linked role that MWAA shows for every environment."""
        role = "aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA"
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"

    def root(self) -> str:
        """The account's root principal."""
        return f"arn:{self.partition}:iam::{self.account}:root"


def environment_name(arn: str, place: Place) -> str | None:
    """Name in an environment ARN of this place; None when it is another account's, region's or kind's."""
    match = _ENVIRONMENT.fullmatch(arn)
    if match is None or match.groups()[:3] != (place.partition, place.region, place.account):
        return None
    return match[4]


def bucket_name(arn: str) -> str:
    """Bucket of an S3 bucket ARN. Raises ValueError when it is none."""
    match = _BUCKET.fullmatch(arn)
    if match is None:
        raise ValueError(f"not a bucket ARN: {arn!r}")
    return match[1]
