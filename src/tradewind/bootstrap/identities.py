"""What IAM begins with, and how roles look to those who sign in through a provider.

A service in which IAM was never used gets one role, `tradewind-execution`, that `tradewind create` gives environments:
it trusts MWAA's two service principals and may do what MWAA's documentation lets an execution role do. It is an
ordinary role: whoever changes it keeps the change; it is made again only when there is nothing in IAM at all.

Source: MWAA User Guide, "mwaa-create-role".
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tradewind.access.openid import FederatedRole
from tradewind.access.role_sessions import LIFETIME, TRUSTED
from tradewind.domain.arns import Place
from tradewind.iam import DocumentKind, parse_document
from tradewind.iam.entities import Entity, EntityKind, new_id
from tradewind.store.identities import Identities

EXECUTION_ROLE = "tradewind-execution"


def ensure_execution_role(identities: Identities, place: Place, now: datetime) -> None:
    """Make the role, with its policy in the same moment, where IAM holds nothing yet."""
    role = Entity(
        kind=EntityKind.ROLE,
        id=new_id(EntityKind.ROLE.prefix),
        name=EXECUTION_ROLE,
        path="/",
        arn=identities.home.entity(EntityKind.ROLE, "/", EXECUTION_ROLE),
        created_at=now.replace(microsecond=0),
        trust=json.dumps(_trust()),
        description="What environments of tradewind create run their tasks as",
        max_session_duration=int(LIFETIME.total_seconds()),
    )
    identities.entities.create_first(role, {"execution": json.dumps(_rights(place))})


def federated_role(identities: Identities) -> Callable[[str], FederatedRole | None]:
    """Roles that a provider's people may take, by name or ARN."""

    def find(name: str) -> FederatedRole | None:
        role = identities.role(name.rpartition("/")[2])
        if role is None or (name.startswith("arn:") and role.arn != name):
            return None
        found = identities.holding_of(role.arn)
        if found is None:
            return None
        trust = parse_document(role.trust, DocumentKind.TRUST)
        return FederatedRole(role.arn, role.name, role.id, trust, found[1], role.tags)

    return find


def _trust() -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": list(TRUSTED)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _rights(place: Place) -> dict[str, Any]:
    logs = f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:airflow-*"
    queues = f"arn:{place.partition}:sqs:{place.region}:*:airflow-celery-*"
    statements: list[dict[str, Any]] = [
        {"Action": "airflow:PublishMetrics", "Resource": place.environment("*")},
        {"Action": ["s3:GetObject*", "s3:GetBucket*", "s3:List*"], "Resource": "*"},
        {"Action": ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents", "logs:Get*"], "Resource": logs},
        {"Action": ["logs:DescribeLogGroups", "cloudwatch:PutMetricData"], "Resource": "*"},
        {"Action": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueue*"], "Resource": queues},
        {"Action": ["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": queues},
    ]
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    denied = {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [*allowed, denied]}
