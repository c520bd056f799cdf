"""Trust policies: may this principal assume a role, as far as the role itself has a say.

A principal is trusted by name (its ARN, its role's ARN, its unique id, `*`, a service) or through its account
(`arn:aws:iam::ACCOUNT:root` or the number), which hands the decision on to the account: then the caller's own policies
must allow it too, and the decision says `is_delegated`. A statement that names him directly wins over one that
delegates.

Sources: IAM User Guide, "AWS JSON policy elements: Principal", "Policy evaluation logic".
"""

import re
from enum import IntEnum

from tradewind.iam.contexts import Request
from tradewind.iam.decisions import Allowed, Decision, Denied
from tradewind.iam.documents import Document
from tradewind.iam.principals import Kind, Principal, known_of
from tradewind.iam.statements import Effect, Statement, Trusted

_ACCOUNT = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?")


class _Trust(IntEnum):
    NONE = 0
    DELEGATED = 1
    NAMED = 2


def may_assume(trust: Document, principal: Principal, request: Request) -> Decision:
    """Decide `sts:AssumeRole` (or `sts:TagSession`, `sts:SetSourceIdentity`) on the role `request.resource`."""
    known = known_of(principal, request.context)
    action = request.action.lower()
    subject = f"User: {principal.arn} is not authorized to perform: {request.action} on resource: {request.resource}"
    best = _Trust.NONE
    for statement in trust.statements:
        meant = _meant(statement, principal)
        if meant is _Trust.NONE or not statement.applies(action, request.resource, known):
            continue
        if statement.effect is Effect.DENY:
            return Denied(f"{subject} with an explicit deny in the role trust policy", is_explicit=True)
        best = max(best, meant)
    if best is _Trust.NONE:
        return Denied(f"{subject} because no role trust policy allows the {request.action} action")
    return Allowed("the role's trust policy allows it", is_delegated=best is _Trust.DELEGATED)


def _meant(statement: Statement, principal: Principal) -> _Trust:
    trusted = statement.trusted or Trusted(())
    best = max((_matches(type_, value, principal) for type_, value in trusted.entries), default=_Trust.NONE)
    if trusted.is_negated:  # only ever in a Deny statement
        return _Trust.NAMED if best is _Trust.NONE else _Trust.NONE
    return best


def _matches(type_: str, value: str, principal: Principal) -> _Trust:
    match type_:
        case "Service":
            is_it = principal.kind is Kind.SERVICE and value == principal.arn
            return _Trust.NAMED if is_it else _Trust.NONE
        case "Federated":
            return _Trust.NAMED if value in principal.keys.get("aws:federatedprovider") else _Trust.NONE
        case _:
            return _Trust.NONE if principal.kind is Kind.SERVICE else _of_aws(value, principal)


def _of_aws(value: str, principal: Principal) -> _Trust:
    identifiers = {principal.arn, principal.role_arn, principal.user_id, principal.user_id.partition(":")[0]}
    if value == "*" or (value in identifiers and not principal.is_root):
        return _Trust.NAMED
    account = _ACCOUNT.fullmatch(value)
    if account is None or account[1] != principal.account:
        return _Trust.NONE
    return _Trust.NAMED if principal.is_root else _Trust.DELEGATED
