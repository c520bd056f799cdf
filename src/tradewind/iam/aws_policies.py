"""AWS's managed policies: those that this service has, in its own words, under AWS's names and ARNs.

They can be attached and read, never changed. The documents are written for what this service offers, so they are
shorter than AWS's. AmazonMWAAWebServerAccess gives the Airflow role User and no more: a person who needs Admin says so
in a policy of their own, as the MWAA User Guide does ("Apache Airflow UI access policy").
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from tradewind.iam.entities import POLICY_PREFIX, Home, ManagedPolicy, PolicyVersion

_MADE = datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC)  # when AWS made most of its own
# The master key is everybody's, not an environment's: replacing it is for who may do all.
_ALL_AIRFLOW = [
    "airflow:*",
    *(f"tradewind:{each}" for each in ("Get*", "List*", "*Snapshot", "*Environment", "*FernetKey")),
]
_READ_AIRFLOW = ["airflow:Get*", "airflow:List*", "tradewind:Get*", "tradewind:List*"]
_PASS = {
    "Effect": "Allow",
    "Action": "iam:PassRole",
    "Resource": "*",
    "Condition": {"StringEquals": {"iam:PassedToService": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]}},
}


def _allow(actions: str | list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


@dataclass(frozen=True)
class _Shipped:
    description: str
    statements: tuple[Mapping[str, Any], ...]

    @property
    def document(self) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": list(self.statements)}, indent=4)


_SHIPPED: Mapping[str, _Shipped] = {
    "AdministratorAccess": _Shipped("Provides full access to AWS services and resources.", (_allow("*"),)),
    "PowerUserAccess": _Shipped(
        "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
        (
            {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
            _allow(["iam:ListRoles", "account:GetAccountInformation"]),
        ),
    ),
    "IAMFullAccess": _Shipped("Provides full access to IAM.", (_allow("iam:*"),)),
    "IAMReadOnlyAccess": _Shipped(
        "Provides read only access to IAM.", (_allow(["iam:Get*", "iam:List*", "iam:Simulate*"]),)
    ),
    "ReadOnlyAccess": _Shipped(
        "Provides read-only access to AWS services and resources.",
        (
            _allow(
                [
                    *_READ_AIRFLOW,
                    "iam:Get*",
                    "iam:List*",
                    "iam:Simulate*",
                    "logs:Describe*",
                    "logs:Filter*",
                    "logs:Get*",
                    "cloudwatch:Describe*",
                    "cloudwatch:Get*",
                    "cloudwatch:List*",
                    "s3:Get*",
                    "s3:List*",
                    "sts:GetAccessKeyInfo",
                ]
            ),
        ),
    ),
    "AmazonMWAAFullConsoleAccess": _Shipped(
        "Provides full access to Amazon MWAA, and lets roles be passed to it.",
        (_allow([*_ALL_AIRFLOW, "iam:GetRole", "iam:ListRoles"]), _PASS),
    ),
    "AmazonMWAAFullApiAccess": _Shipped(
        "Provides full access to the Amazon MWAA API, and lets roles be passed to it.",
        (_allow(_ALL_AIRFLOW), _PASS),
    ),
    "AmazonMWAAReadOnlyAccess": _Shipped("Provides read-only access to Amazon MWAA.", (_allow(_READ_AIRFLOW),)),
    "AmazonMWAAWebServerAccess": _Shipped(
        "Provides access to the Apache Airflow UI with the Airflow role User.",
        (_allow("airflow:CreateWebLoginToken", "arn:*:airflow:*:*:role/*/User"),),
    ),
    "AmazonMWAAAirflowCliAccess": _Shipped(
        "Provides access to the Apache Airflow CLI.", (_allow("airflow:CreateCliToken"),)
    ),
}


@cache
def aws_policies(home: Home) -> Mapping[str, ManagedPolicy]:
    """All of them by ARN, without counts of who has them."""
    made = (_policy(home, name, shipped) for name, shipped in _SHIPPED.items())
    return MappingProxyType({policy.arn: policy for policy in made})


@cache
def aws_version(name: str) -> PolicyVersion:
    """The only version of one of them. Raises KeyError."""
    return PolicyVersion(1, _SHIPPED[name].document, is_default=True, created_at=_MADE)


def _policy(home: Home, name: str, shipped: _Shipped) -> ManagedPolicy:
    letters = hashlib.sha256(name.encode()).hexdigest().upper()[:17]
    return ManagedPolicy(
        id=POLICY_PREFIX + letters,
        name=name,
        path="/",
        arn=home.aws_policy("/", name),
        description=shipped.description,
        created_at=_MADE,
        updated_at=_MADE,
        default_version=1,
        is_ours=False,
    )
