"""Principals: who a verified signature stands for, and the condition keys that follow from it.

The keys are AWS's global ones ("properties of the principal", IAM User Guide, AWS global condition context keys).
They are made here and win over whatever a request's context says, so that nobody can lend himself a name or tag.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from tradewind.iam.contexts import Context, Value

_Keys = Mapping[str, tuple[str, ...]]


class Kind(StrEnum):
    """The values of `aws:PrincipalType`. `Service` is ours, for AWS's services that assume a role."""

    ACCOUNT = "Account"
    USER = "User"
    ASSUMED_ROLE = "AssumedRole"
    SERVICE = "Service"


@dataclass(frozen=True)
class Principal:
    """Who calls.

    `identity` is how MWAA names it in token answers (`user/alice`, `assumed-role/Admin/session`, `root`).
    `user_id` is AWS's UserId: `AIDA…`, `AROA…:session`, the account's number for root. `role_arn` is the ARN of the
    role behind a session (with its path). `session_context` holds condition keys of its credentials, in small
    letters (`aws:tokenissuetime`, `aws:multifactorauthpresent`, `aws:sourceidentity`).
    """

    arn: str
    account: str
    identity: str
    is_root: bool = False
    user_id: str = ""
    user_name: str | None = None
    kind: Kind = Kind.ACCOUNT
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None
    session_context: _Keys = field(default_factory=dict)
    partition: str = "aws"

    @cached_property
    def keys(self) -> Context:
        """Its condition keys; those that it does not have are missing, as AWS has it."""
        if self.kind is Kind.SERVICE:
            return Context.of({"aws:PrincipalIsAWSService": True, "aws:PrincipalServiceName": self.arn})
        own: dict[str, Value | None] = {
            "aws:PrincipalArn": self.role_arn or self.arn,
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalType": str(self.kind),
            "aws:PrincipalIsAWSService": False,
            "aws:userid": self.user_id or None,
            "aws:username": self.user_name,
        }
        tags: dict[str, Value] = {f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}
        return Context.of({**tags, **self.session_context, **own})


# What only a principal may say about itself: a request's context never does.
_OWN_KEYS = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:userid",
        "aws:username",
        "aws:tokenissuetime",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:sourceidentity",
        "aws:federatedprovider",
    }
)
_TAG = "aws:principaltag/"


def known_of(principal: Principal, request: Context) -> Context:
    """The request's context with the principal's keys, and without any of that kind which the principal lacks."""
    kept = {key: values for key, values in request.values.items() if key not in _OWN_KEYS and not key.startswith(_TAG)}
    return principal.keys.over(Context(kept))


def root_principal(account: str, partition: str = "aws") -> Principal:
    """The account's root."""
    return Principal(
        f"arn:{partition}:iam::{account}:root", account, "root", is_root=True, user_id=account, partition=partition
    )


def service_principal(name: str, account: str, partition: str = "aws") -> Principal:
    """One of AWS's services by its principal name (`airflow.amazonaws.com`), on behalf of this account."""
    return Principal(name, account, name, kind=Kind.SERVICE, partition=partition)
