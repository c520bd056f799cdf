"""`userIdentity`: who made a request, in CloudTrail's words.

Source: CloudTrail User Guide, "CloudTrail userIdentity element". An ARN says all that is needed: its kind, the
user's or the role's name, the session's. Ids (`AIDA...`, `AROA...`) are given beside it where they are known. Who
was not identified is `Unknown`, with the access key that the request claims: a claim, not a fact.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class IdentityType(enum.StrEnum):
    """CloudTrail's words for whom we know."""

    ROOT = "Root"
    USER = "IAMUser"
    ROLE = "AssumedRole"
    SERVICE = "AWSService"  # what the service itself records
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Identity:
    """One caller. Empty text: not known, and left out of the record."""

    type: IdentityType
    principal_id: str = ""
    arn: str = ""
    account: str = ""
    access_key_id: str = ""
    user_name: str = ""
    role_arn: str = ""

    def document(self) -> dict[str, Any]:
        """As CloudTrail writes it."""
        found: dict[str, Any] = {"type": self.type.value}
        members = {
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": self.access_key_id,
            "userName": self.user_name,
        }
        if self.type is not IdentityType.SERVICE:
            found |= {name: value for name, value in members.items() if value}
        if self.type is IdentityType.ROLE and self.role_arn:
            found["sessionContext"] = {"sessionIssuer": self._issuer()}
        if self.type is IdentityType.SERVICE:
            found["invokedBy"] = self.user_name or "tradewind"
        return found

    def _issuer(self) -> Mapping[str, str]:
        members = {
            "type": "Role",
            "principalId": self.principal_id.partition(":")[0],
            "arn": self.role_arn,
            "accountId": self.account,
            "userName": self.role_arn.rpartition("/")[2],
        }
        return {name: value for name, value in members.items() if value}


def caller(arn: str, *, access_key_id: str = "", user_id: str = "", role_arn: str | None = None) -> Identity:
    """Who has that ARN: `...:root`, `...:user/PATH/NAME` or `...:assumed-role/ROLE/SESSION`.

    `user_id` is IAM's (`AIDA...`, `AROA...:session`); `role_arn` the role's own, with its path.
    """
    _, partition, _, _, account, resource = [*arn.split(":", 5), "", "", "", "", "", ""][:6]
    kind, _, rest = resource.partition("/")
    match kind:
        case "root":
            return Identity(IdentityType.ROOT, user_id or account, arn, account, access_key_id)
        case "user":
            return Identity(IdentityType.USER, user_id, arn, account, access_key_id, rest.rpartition("/")[2])
        case "assumed-role":
            issuer = role_arn or f"arn:{partition}:iam::{account}:role/{rest.partition('/')[0]}"
            return Identity(IdentityType.ROLE, user_id, arn, account, access_key_id, role_arn=issuer)
        case _:
            return Identity(IdentityType.UNKNOWN, user_id, arn, account, access_key_id)


def named(identity: str, account: str, partition: str = "aws") -> Identity:
    """Who MWAA's tokens name so: `root`, `user/alice`, `assumed-role/Admin/session`."""
    service = "sts" if identity.startswith("assumed-role/") else "iam"
    return caller(f"arn:{partition}:{service}::{account}:{identity}")


def service(name: str) -> Identity:
    """One of AWS's services, by its principal name."""
    return Identity(IdentityType.SERVICE, user_name=name)


def unknown(claimed_key: str = "") -> Identity:
    """Who was not identified."""
    return Identity(IdentityType.UNKNOWN, access_key_id=claimed_key)
