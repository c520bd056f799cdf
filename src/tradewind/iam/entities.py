"""IAM's entities as values: users, groups, roles, managed policies with their versions, access keys.

Users, groups and roles differ in few things, so they are one shape, `Entity`: a group has no tags and no boundary, and
only a role has a trust policy, a description and a longest session. Names are unique in an account for each kind
without regard to case ("Names are not distinguished by case", IAM API reference) and keep the case that they were
made with. The path is part of the ARN and of nothing else.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

AWS_ACCOUNT = "aws"  # whose managed policies AWS's own are: arn:aws:iam::aws:policy/…
SHORTEST_MAXIMUM = 3600  # seconds: a role's MaxSessionDuration when nobody says another

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class EntityKind(StrEnum):
    """What may hold policies; the value is the word in ARNs and in AWS's sentences."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"

    @property
    def noun(self) -> str:
        """As AWS writes it in names of operations and types: `User`."""
        return self.value.capitalize()

    @property
    def prefix(self) -> str:
        """First letters of a unique id (IAM User Guide, "Understanding unique ID prefixes")."""
        return {EntityKind.USER: "AIDA", EntityKind.GROUP: "AGPA", EntityKind.ROLE: "AROA"}[self]


POLICY_PREFIX = "ANPA"
KEY_PREFIX = "AKIA"


@dataclass(frozen=True)
class Home:
    """Whose account an entity is in: what every ARN of IAM has in common."""

    account: str
    partition: str = "aws"

    def arn(self, rest: str, account: str | None = None) -> str:
        """`arn:aws:iam::ACCOUNT:` and the rest; IAM has no region."""
        return f"arn:{self.partition}:iam::{self.account if account is None else account}:{rest}"

    def entity(self, kind: EntityKind, path: str, name: str) -> str:
        """ARN of a user, group or role."""
        return self.arn(f"{kind.value}{path}{name}")

    def policy(self, path: str, name: str) -> str:
        """ARN of a managed policy of this account."""
        return self.arn(f"policy{path}{name}")

    def aws_policy(self, path: str, name: str) -> str:
        """ARN of one of AWS's managed policies."""
        return self.arn(f"policy{path}{name}", AWS_ACCOUNT)

    def root(self) -> str:
        """ARN of the account's root."""
        return self.arn("root")


@dataclass(frozen=True)
class Entity:
    """A user, a group or a role."""

    kind: EntityKind
    id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    boundary: str | None = None  # ARN of the managed policy
    trust: str = ""  # the trust policy; a stored one names users and roles by unique ids (trustees)
    description: str | None = None
    max_session_duration: int = SHORTEST_MAXIMUM  # seconds
    last_used_at: datetime | None = None
    last_used_region: str = ""


@dataclass(frozen=True)
class PolicyVersion:
    """One of at most five versions of a managed policy."""

    number: int
    document: str
    is_default: bool
    created_at: datetime

    @property
    def id(self) -> str:
        """`v1`."""
        return f"v{self.number}"


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy, of the account (`is_ours`) or AWS's."""

    id: str
    name: str
    path: str
    arn: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    default_version: int
    attachments: int = 0
    boundaries: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = True


@dataclass(frozen=True)
class AccessKey:
    """A long-term key of a user; its secret is shown once, when it is made."""

    id: str
    user_name: str
    is_active: bool
    created_at: datetime
    last_used_at: datetime | None = None
    last_used_service: str = "N/A"  # AWS's words for never
    last_used_region: str = "N/A"

    @property
    def status(self) -> str:
        """AWS's word."""
        return "Active" if self.is_active else "Inactive"


def new_id(prefix: str, *, letters: int = 17) -> str:
    """A unique id as IAM's: four letters of the kind, then random ones. It is never used again."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(letters))


def new_access_key_id() -> str:
    """Twenty characters, as AWS's."""
    return new_id(KEY_PREFIX, letters=16)


def new_secret() -> str:
    """Forty characters, 240 random bits, none of which a shell or a URL reads as anything else."""
    return secrets.token_urlsafe(30)
