"""Whom IAM sees in a person that the provider names: a session of one of the mapped roles.

The values of the configured claim are looked up in `oidc_roles`, in that table's order. A role is used when its trust
policy lets the provider's federated principal do sts:AssumeRoleWithWebIdentity (condition keys `<provider>:aud`,
`<provider>:sub`, `sts:RoleSessionName` and the request's own), as AWS STS asks it. The first one that gives any Airflow
role in the environment is the person's: one role at a time, as with AssumeRole.

The session's name is the first of `preferred_username`, `email` (unless the provider says that it is not verified) and
`sub` that is there. Where it is not a session name as it stands (IAM's alphabet, 2 to 64 characters), what IAM does not
know becomes `-` and 16 hex digits of SHA-256 over issuer and `sub` follow, so two people never share one by that.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.access.openid.id_tokens import Claims
from tradewind.access.openid.refusals import OpenIdRefused
from tradewind.access.providers import Provider
from tradewind.access.roles import WEB_LOGIN, airflow_roles
from tradewind.domain.arns import Place
from tradewind.iam import Context, Document, Holding, Kind, Principal, Request, may_assume

ACTION = "sts:AssumeRoleWithWebIdentity"
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_FOREIGN = re.compile(r"[^A-Za-z0-9_+=,.@-]")
_KEPT = 47
_MOST_VALUES = 1000


@dataclass(frozen=True)
class FederatedRole:
    """An IAM role that may be assumed: `id` is AROA…, `trust` its trust policy."""

    arn: str
    name: str
    id: str
    trust: Document
    holding: Holding
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """Somebody who may enter: the session of a role, and the Airflow roles that it gives."""

    principal: Principal
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Federation:
    """The provider's people as IAM sees them. `role` finds a role by its name or ARN."""

    provider: Provider
    place: Place
    role: Callable[[str], FederatedRole | None]
    now: Callable[[], datetime]

    def person(self, claims: Claims, environment_name: str, context: Context) -> Person:
        """Raises OpenIdRefused, which says for each role that was tried why it is not."""
        wanted = _mapped(self.provider, claims)
        if not wanted:
            raise OpenIdRefused(
                f"No IAM role is mapped to what {self.provider.name} says about you (claim {self.provider.claim})."
            )
        reasons = []
        for name in wanted:
            found = self._try(name, claims, environment_name, context)
            if isinstance(found, Person):
                return found
            reasons.append(found)
        raise OpenIdRefused(" ".join(reasons))

    def _try(self, name: str, claims: Claims, environment_name: str, context: Context) -> Person | str:
        role = self.role(name)
        if role is None:
            return f"The IAM role {name} does not exist."
        session = session_name(claims)
        trusted = may_assume(
            role.trust, self._visitor(claims), Request(ACTION, role.arn, self._said(claims, session, context))
        )
        if not trusted:
            return f"The IAM role {role.name} does not trust {self.provider.path}: {trusted.reason}."
        principal = self._principal(role, session)
        roles = airflow_roles(principal, role.holding, environment_name, self.place, context)
        if not roles:
            resource = self.place.airflow_role(environment_name, "*")
            return f"User: {principal.arn} is not authorized to perform: {WEB_LOGIN} on resource: {resource}."
        return Person(principal, roles)

    def _visitor(self, claims: Claims) -> Principal:
        """Somebody whom only the provider vouches for; of no account, so trust in an account does not cover them."""
        arn = self.provider.arn(self.place.account, self.place.partition)
        keys = {"aws:federatedprovider": (arn,)}
        return Principal(arn, "", str(claims["sub"]), session_context=keys, partition=self.place.partition)

    def _said(self, claims: Claims, session: str, context: Context) -> Context:
        audience = claims["aud"]
        own = Context.of({
            f"{self.provider.path}:aud": audience if isinstance(audience, list) else [str(audience)],
            f"{self.provider.path}:sub": str(claims["sub"]),
            "sts:RoleSessionName": session,
        })  # fmt: skip
        return own.over(context)

    def _principal(self, role: FederatedRole, session: str) -> Principal:
        place = self.place
        provider = self.provider.arn(place.account, place.partition)
        issued = Context.of({"aws:FederatedProvider": provider, "aws:TokenIssueTime": self.now()})
        return Principal(
            arn=f"arn:{place.partition}:sts::{place.account}:assumed-role/{role.name}/{session}",
            account=place.account,
            identity=f"assumed-role/{role.name}/{session}",
            user_id=f"{role.id}:{session}",
            kind=Kind.ASSUMED_ROLE,
            tags=role.tags,
            role_arn=role.arn,
            session_context=issued.values,
            partition=place.partition,
        )


def session_name(claims: Claims) -> str:
    """The name of the role's session: 2 to 64 characters of IAM's alphabet."""
    raw = _first_name(claims)
    if _NAME.fullmatch(raw):
        return raw
    digest = hashlib.sha256(f"{claims['iss']}\0{claims['sub']}".encode()).hexdigest()[:16]
    return f"{_FOREIGN.sub('-', raw)[:_KEPT]}-{digest}"


def _first_name(claims: Claims) -> str:
    for claim in ("preferred_username", "email", "sub"):
        value = claims.get(claim)
        if not isinstance(value, str) or not value.strip():
            continue
        if claim == "email" and claims.get("email_verified") is False:
            continue
        return value
    return str(claims["sub"])


def _mapped(provider: Provider, claims: Claims) -> list[str]:
    """The roles for this person, in the table's order, each once."""
    value = claims.get(provider.claim)
    said = value[:_MOST_VALUES] if isinstance(value, list) else [value]
    held = {item for item in said if isinstance(item, str)}
    return list(dict.fromkeys(role for key, role in provider.roles.items() if key in held))
