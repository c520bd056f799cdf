"""AWS STS: who am I, sessions of roles, temporary credentials of users.

AssumeRole decides by itself, since the role's trust policy and the caller's own policies decide together
(`iam/assuming.py`); GetCallerIdentity and GetSessionToken need no permission. A role that is not there is refused as
one that does not trust the caller. Federation, web identities and SAML have no providers here and are answered as not
implemented.

Source: AWS STS API reference.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final, Protocol

from tradewind.api.calls import Answer, Call
from tradewind.api.failures import access_denied, validation
from tradewind.domain.arns import Place
from tradewind.iam import DocumentKind, Policy, Principal, parse_document
from tradewind.iam import sessions as rules
from tradewind.iam.assuming import decide_assumption
from tradewind.iam.entities import Entity
from tradewind.iam.refusals import Refused
from tradewind.store import Account
from tradewind.store.identities import Identities
from tradewind.store.sessions import HolderGone, Issued, Session, Sessions
from tradewind.wire import FrontDoorError, WireError

_NO_MFA: Final = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and "
    "associated with this user."
)
_OF_MODEL: Final = frozenset({"MalformedPolicyDocumentException", "PackedPolicyTooLargeException"})


class StsServices(Protocol):
    """The part of the services that STS needs."""

    @property
    def identities(self) -> Identities:
        """IAM's store."""

    @property
    def temporary(self) -> Sessions:
        """Temporary credentials."""

    @property
    def account(self) -> Account:
        """The account and its root key."""

    @property
    def place(self) -> Place:
        """Account and region."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""


StsOperation = Callable[[StsServices, Call], Answer]


def get_caller_identity(_: StsServices, call: Call) -> Answer:
    """Who signed the call."""
    who = call.principal
    return Answer({"UserId": who.user_id, "Account": who.account, "Arn": who.arn})


def get_access_key_info(services: StsServices, call: Call) -> Answer:
    """Whose account a key is of; here there is one, so a key that nobody has is of none."""
    id_ = call["AccessKeyId"]
    known = {call.caller.access_key_id, services.account.access_key_id}
    if id_ not in known and services.identities.keys.find(id_) is None and services.temporary.credential(id_) is None:
        raise validation(f"The access key ID {id_} is not of this account.")
    return Answer({"Account": services.place.account})


def get_session_token(services: StsServices, call: Call) -> Answer:
    """Temporary credentials of the caller himself, a user or root."""
    who = call.principal
    if rules.is_temporary(who):
        raise access_denied("Cannot call GetSessionToken with session credentials")
    _refuse_mfa(call)
    now = services.now().replace(microsecond=0)
    seconds = rules.user_seconds(call.get("DurationSeconds"), who)
    session = Session(
        holder_id=None if who.is_root else who.user_id,
        issued_at=now,
        expires_at=now + timedelta(seconds=seconds),
        policies=rules.limits_without_mfa(),
    )
    try:
        issued = services.temporary.issue(session)
    except HolderGone as error:
        sentence = "The security token included in the request is invalid."
        raise FrontDoorError("UnrecognizedClientException", sentence) from error
    return Answer({"Credentials": _credentials(issued)})


def assume_role(services: StsServices, call: Call) -> Answer:
    """A session of a role."""
    _refuse_mfa(call)
    if call.get("ProvidedContexts"):
        raise validation("ProvidedContexts is not supported: there are no context providers.")
    who, arn = call.principal, str(call["RoleArn"])
    given = [(tag["Key"], tag["Value"]) for tag in call.get("Tags") or ()]
    transitive = tuple(call.get("TransitiveTagKeys") or ())
    identity = rules.source_identity(call.get("SourceIdentity"), who)
    role = _trusting(services, call, arn, given, identity)
    passed = rules.session_tags(given, transitive, who)
    policies, percent = _policies(services, call, passed)
    seconds = rules.role_seconds(call.get("DurationSeconds"), role.max_session_duration, who)
    now = services.now().replace(microsecond=0)
    session = Session(
        holder_id=role.id,
        issued_at=now,
        expires_at=now + timedelta(seconds=seconds),
        name=call["RoleSessionName"],
        source_identity=identity,
        tags=passed.tags,
        transitive=passed.transitive,
        policies=policies,
    )
    try:
        issued = services.temporary.issue(session)
    except HolderGone as error:
        raise _no_such_role(who, arn) from error
    services.identities.role_used(role.id, services.place.region, now)
    return Answer(_assumed(services, role, session, issued, percent))


def _trusting(
    services: StsServices, call: Call, arn: str, given: list[tuple[str, str]], identity: str | None
) -> Entity:
    """The role, when the caller may assume it. Raises WireError, in the same words for a role that is not there."""
    who = call.principal
    role = _role(services, arn)
    if role is None:
        raise _no_such_role(who, arn)
    decision = decide_assumption(
        who,
        call.caller.holding,
        parse_document(role.trust, DocumentKind.TRUST),
        role.arn,
        call.caller.context(_keys(call, role, given, identity)),
        has_tags=bool(given) or rules.hands_tags_on(who),
        has_source_identity=identity is not None,
    )
    if not decision:
        raise access_denied(decision.reason)
    return role


def _no_such_role(who: Principal, arn: str) -> WireError:
    """As AWS has it: whether the role is there is not told."""
    return access_denied(
        "Roles may not be assumed by root accounts."
        if who.is_root
        else f"User: {who.arn} is not authorized to perform: sts:AssumeRole on resource: {arn} "
        "because no role trust policy allows the sts:AssumeRole action"
    )


def _role(services: StsServices, arn: str) -> Entity | None:
    if not arn.startswith("arn:") or ":role/" not in arn:
        raise validation(f"{arn} is invalid")
    role = services.identities.role(arn.rsplit("/", 1)[-1])
    return role if role is not None and role.arn == arn else None


def _keys(call: Call, role: Entity, given: list[tuple[str, str]], identity: str | None) -> dict[str, list[str]]:
    """Condition keys of AssumeRole (service authorization reference, `sts`)."""
    single = {
        "sts:RoleSessionName": call.get("RoleSessionName"),
        "sts:ExternalId": call.get("ExternalId"),
        "sts:SourceIdentity": identity,
        **{f"aws:RequestTag/{key}": value for key, value in given},
        **{f"aws:ResourceTag/{key}": value for key, value in role.tags.items()},
        **{f"iam:ResourceTag/{key}": value for key, value in role.tags.items()},
    }
    seconds = call.get("DurationSeconds")
    return {
        **{key: [value] for key, value in single.items() if value is not None},
        "aws:TagKeys": [key for key, _ in given],
        "sts:TransitiveTagKeys": list(call.get("TransitiveTagKeys") or ()),
        "sts:DurationSeconds": [] if seconds is None else [str(seconds)],
    }


def _policies(
    services: StsServices, call: Call, passed: rules.SessionTags
) -> tuple[tuple[Policy, ...] | None, int | None]:
    """Session policies, and how full policies and tags are; None where there are neither."""
    inline, arns = call.get("Policy"), [each.get("arn", "") for each in call.get("PolicyArns") or ()]
    rules.refuse_many(arns)
    managed = [_managed(services, arn) for arn in arns]
    policies = rules.session_policies(inline, managed, is_given=inline is not None or bool(arns))
    if policies is None and not passed.tags:
        return None, None
    return policies, rules.packed_percent([inline or "", *arns], passed.tags)


def _managed(services: StsServices, arn: str) -> Policy:
    policy = services.identities.policy(arn)
    if policy is None:
        raise validation(f"Policy {arn} does not exist or is not attachable.")
    return policy


def _assumed(
    services: StsServices, role: Entity, session: Session, issued: Issued, percent: int | None
) -> dict[str, Any]:
    place = services.place
    arn = f"arn:{place.partition}:sts::{place.account}:assumed-role/{role.name}/{session.name}"
    answer: dict[str, Any] = {
        "Credentials": _credentials(issued),
        "AssumedRoleUser": {"AssumedRoleId": f"{role.id}:{session.name}", "Arn": arn},
        "PackedPolicySize": percent,
        "SourceIdentity": session.source_identity,
    }
    return {name: value for name, value in answer.items() if value is not None}


def _credentials(issued: Issued) -> dict[str, Any]:
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret,
        "SessionToken": issued.token,
        "Expiration": issued.expires_at,
    }


def _refuse_mfa(call: Call) -> None:
    if call.get("SerialNumber") is not None or call.get("TokenCode") is not None:
        raise access_denied(_NO_MFA)
    if call.get("MinimumSessionTokenSize"):
        raise validation("MinimumSessionTokenSize is not supported: session tokens have 80 characters.")


_WHY = dict.fromkeys(
    ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken"), ": there are no identity providers."
) | {"AssumeRoot": ": there are no member accounts."}


def _not_implemented(_: StsServices, call: Call) -> Answer:
    raise FrontDoorError("NotImplementedException", f"{call.operation} is not supported{_WHY.get(call.operation, '.')}")


def _answering(operation: StsOperation) -> StsOperation:
    @wraps(operation)
    def answer(services: StsServices, call: Call) -> Answer:
        try:
            return operation(services, call)
        except Refused as refused:
            kind = WireError if refused.code in _OF_MODEL else FrontDoorError
            raise kind(refused.code, refused.sentence) from refused

    return answer


_ABSENT: Final = (
    *("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "DecodeAuthorizationMessage"),
    *("GetDelegatedAccessToken", "GetFederationToken", "GetWebIdentityToken"),
)
STS_OPERATIONS: Mapping[str, StsOperation] = {
    "GetCallerIdentity": get_caller_identity,
    "GetAccessKeyInfo": get_access_key_info,
    "GetSessionToken": _answering(get_session_token),
    "AssumeRole": _answering(assume_role),
    **dict.fromkeys(_ABSENT, _not_implemented),
}
