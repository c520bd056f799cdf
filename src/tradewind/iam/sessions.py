"""Temporary credentials as rules: how long they last, which tags and policies they carry, what stays in a chain.

Everything here is asked before a session is made; who may make one is `assuming.py`. Refusals are `Refused` with the
error types and the sentences of AWS STS.

Sources: STS API reference (AssumeRole, GetSessionToken), IAM User Guide "Pass session tags in AWS STS", "Roles terms
and concepts" (role chaining), "IAM and AWS STS quotas".
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tradewind.iam.documents import DocumentKind, parse_document
from tradewind.iam.errors import MalformedDocument
from tradewind.iam.policies import Policy
from tradewind.iam.principals import Kind, Principal
from tradewind.iam.refusals import Refused

TRANSITIVE: Final = "tradewind:transitivetagkeys"  # in a session's context: keys of tags that the next one inherits
_ROLE_USUAL: Final = 3600
_CHAINED_LONGEST: Final = 3600
_USER_USUAL: Final = 43_200
_ROOT_LONGEST: Final = 3600
_LARGEST_POLICY: Final = 2048  # characters of the session policy that is passed as text
_MOST_MANAGED: Final = 10
_PACKED: Final = 4096  # bytes that are 100 % of what policies and tags may take, packed
_MOST_TAGS: Final = 50

# What GetSessionToken's credentials may do without MFA: of IAM's API nothing, of STS's AssumeRole and GetCallerIdentity
# (STS API reference, GetSessionToken). To pass a role is a right that other services ask for, no call of IAM's.
_STILL: Final = ("iam:PassRole", "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:GetCallerIdentity")
_WITHOUT_MFA: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": _STILL, "Resource": "*"},
        ],
    }
)


@dataclass(frozen=True)
class SessionTags:
    """Tags of a session, inherited ones included, and the keys (as the tags have them) that go on to the next."""

    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()


def is_temporary(principal: Principal) -> bool:
    """Whether temporary credentials were used."""
    return bool(principal.session_context.get("aws:tokenissuetime"))


def role_seconds(asked: int | None, longest: int, principal: Principal) -> int:
    """How long a role's session lasts; `longest` is the role's MaxSessionDuration. Raises Refused."""
    if asked is None:
        return _ROLE_USUAL
    if asked > longest:
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if principal.kind is Kind.ASSUMED_ROLE and asked > _CHAINED_LONGEST:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    return asked


def user_seconds(asked: int | None, principal: Principal) -> int:
    """How long credentials of GetSessionToken last: root's at most an hour, whatever was asked for."""
    seconds = _USER_USUAL if asked is None else asked
    return min(seconds, _ROOT_LONGEST) if principal.is_root else seconds


def limits_without_mfa() -> tuple[Policy, ...]:
    """The session policy of GetSessionToken's credentials."""
    document = parse_document(_WITHOUT_MFA, DocumentKind.IDENTITY)
    return (Policy("WithoutMFA", document, "the limits of credentials without MFA"),)


def session_tags(given: Sequence[tuple[str, str]], transitive: Sequence[str], principal: Principal) -> SessionTags:
    """Of what a call passes and what the caller's session hands on. Raises Refused."""
    keys = [key.lower() for key, _ in given]
    if len(set(keys)) < len(keys):
        raise _invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        raise _invalid("System tags cannot be added/updated/deleted by requester.")
    inherited = _inherited(principal)
    taken = {key.lower() for key in inherited}
    if taken & set(keys):
        raise _invalid(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    spelled = {key.lower(): key for key in (*inherited, *dict(given))}  # the next session finds its tags by these
    if not {key.lower() for key in transitive} <= set(spelled):
        raise _invalid("The specified transitive tag key must be included in the requested tags.")
    tags = {**inherited, **dict(given)}
    if len(tags) > _MOST_TAGS:
        raise _invalid(f"A session can have at most {_MOST_TAGS} tags.")
    return SessionTags(tags, tuple(dict.fromkeys([*inherited, *(spelled[key.lower()] for key in transitive)])))


def hands_tags_on(principal: Principal) -> bool:
    """Whether a session that the caller makes inherits tags: they cover the role's own, so the role must allow it."""
    return bool(_inherited(principal))


def source_identity(asked: str | None, principal: Principal) -> str | None:
    """Of a new session: once set, it stays from role to role. Raises Refused."""
    (present,) = principal.session_context.get("aws:sourceidentity", ()) or (None,)
    if asked is not None and asked.lower().startswith("aws:"):
        raise _invalid("The source identity cannot begin with aws:.")
    if present is not None and asked not in {None, present}:
        raise Refused("The source identity of a session cannot be changed.", "AccessDeniedException")
    return present or asked


def refuse_many(arns: Sequence[str]) -> None:
    """Before they are looked up. Raises Refused."""
    if len(arns) > _MOST_MANAGED:
        raise _invalid(f"At most {_MOST_MANAGED} managed policies can be passed.")


def session_policies(inline: str | None, managed: Sequence[Policy], *, is_given: bool) -> tuple[Policy, ...] | None:
    """What limits a session; None when nothing was given. Raises Refused."""
    if not is_given:
        return None
    own: list[Policy] = []
    if inline is not None:
        if len(inline) > _LARGEST_POLICY:
            raise too_large(f"The session policy has {len(inline)} characters; {_LARGEST_POLICY} are allowed.")
        try:
            own.append(Policy("SessionPolicy", parse_document(inline), "the session policy"))
        except MalformedDocument as problem:
            raise Refused(str(problem), "MalformedPolicyDocumentException") from None
    return (*own, *managed)


def packed_percent(policies: Iterable[str], tags: Mapping[str, str]) -> int:
    """How much of the room for policies and tags is taken, in percent, rounded up. Raises Refused beyond 100."""
    packed = zlib.compress("\0".join([*policies, *(f"{key}={value}" for key, value in tags.items())]).encode(), 9)
    percent = -(-len(packed) * 100 // _PACKED)
    if percent > 100:  # noqa: PLR2004  (percent)
        raise too_large(f"Packed size of session tags and policies consumes {percent}% of allotted space.")
    return percent


def too_large(sentence: str) -> Refused:
    """PackedPolicyTooLarge, 400."""
    return Refused(sentence, "PackedPolicyTooLargeException")


def effective_tags(own: Mapping[str, str], passed: Mapping[str, str]) -> dict[str, str]:
    """A role's tags with the session's over them; keys are compared without regard to case."""
    covered = {key.lower() for key in passed}
    return {**{key: value for key, value in own.items() if key.lower() not in covered}, **passed}


def _inherited(principal: Principal) -> dict[str, str]:
    keys = principal.session_context.get(TRANSITIVE, ())
    return {key: principal.tags[key] for key in keys if key in principal.tags}


def _invalid(sentence: str) -> Refused:
    return Refused(sentence, "ValidationException")
