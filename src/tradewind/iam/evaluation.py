"""May this principal do this? AWS's evaluation logic within one account.

An explicit deny in any policy ends it. Then an identity-based policy must allow the action, then the permissions
boundary, if there is one, and then a session policy, if any was given. The first that does not is the reason, in the
words of AWS's own refusals. The account's root is allowed all, but for a session policy of its own.

Sources: IAM User Guide, "Policy evaluation logic", "Troubleshoot access denied error messages".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tradewind.iam.contexts import Context, Request
from tradewind.iam.decisions import Allowed, Decision, Denied
from tradewind.iam.policies import Holding, Policy
from tradewind.iam.principals import Principal, known_of
from tradewind.iam.statements import Effect, Statement


class Outcome(StrEnum):
    """What a set of policies says, in the simulation API's words."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True)
class Match:
    """A statement that applies, and its policy."""

    policy: Policy
    statement: Statement


@dataclass(frozen=True)
class Finding:
    """What one set of policies says. The matches are those that made the outcome: its denies, else its allows."""

    outcome: Outcome
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What each kind of policy says; None where there is none of that kind."""

    identity: Finding
    boundary: Finding | None
    session: Finding | None

    @property
    def outcome(self) -> Outcome:
        """All of them together."""
        outcomes = [each.outcome for each in (self.identity, self.boundary, self.session) if each is not None]
        if Outcome.EXPLICIT_DENY in outcomes:
            return Outcome.EXPLICIT_DENY
        return Outcome.IMPLICIT_DENY if Outcome.IMPLICIT_DENY in outcomes else Outcome.ALLOWED


_KINDS = {"identity": "an identity-based policy", "boundary": "a permissions boundary", "session": "a session policy"}
_LACKS = {"identity": "no identity-based policy", "boundary": "no permissions boundary", "session": "no session policy"}


def authorise(principal: Principal, holding: Holding, request: Request) -> Decision:
    """Decide one request. The reason of a refusal is AWS's sentence."""
    findings = find(principal, holding, request)
    refusal = refused(findings, request.action)
    if refusal is not None:
        subject = (
            f"User: {principal.arn} is not authorized to perform: {request.action} on resource: {request.resource}"
        )
        return Denied(f"{subject} {refusal}", findings.outcome is Outcome.EXPLICIT_DENY)
    if principal.is_root:
        return Allowed(f"{principal.arn} is the account's root")
    first = findings.identity.matches[0]
    return Allowed(f"{first.policy.origin} allows it")


def find(principal: Principal, holding: Holding, request: Request) -> Findings:
    """What each kind of policy in force says of a request."""
    known = known_of(principal, request.context)
    if principal.is_root:
        return Findings(Finding(Outcome.ALLOWED), None, _of_session(holding, request, known))
    boundary = None if holding.boundary is None else judge((holding.boundary,), request, known)
    return Findings(judge(holding.identity, request, known), boundary, _of_session(holding, request, known))


def judge(policies: Iterable[Policy], request: Request, known: Context) -> Finding:
    """What a set of policies says of a request whose whole context is `known`."""
    action = request.action.lower()
    matches = [
        Match(policy, statement)
        for policy in policies
        for statement in policy.document.statements
        if statement.applies(action, request.resource, known)
    ]
    denies = tuple(match for match in matches if match.statement.effect is Effect.DENY)
    if denies:
        return Finding(Outcome.EXPLICIT_DENY, denies)
    return Finding(Outcome.ALLOWED, tuple(matches)) if matches else Finding(Outcome.IMPLICIT_DENY)


def refused(findings: Findings, action: str) -> str | None:
    """Why it is refused, as the end of AWS's sentence; None when it is not."""
    by_kind = {"identity": findings.identity, "boundary": findings.boundary, "session": findings.session}
    present = {kind: finding.outcome for kind, finding in by_kind.items() if finding is not None}
    for kind, outcome in present.items():
        if outcome is Outcome.EXPLICIT_DENY:
            return f"with an explicit deny in {_KINDS[kind]}"
    for kind, outcome in present.items():
        if outcome is Outcome.IMPLICIT_DENY:
            return f"because {_LACKS[kind]} allows the {action} action"
    return None


def _of_session(holding: Holding, request: Request, known: Context) -> Finding | None:
    return None if holding.session is None else judge(holding.session, request, known)
