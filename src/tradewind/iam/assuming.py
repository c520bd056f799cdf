"""Who may assume a role: the role's trust policy and the caller's own policies together.

An explicit deny in any of them ends it. A role that trusts the caller by name needs nothing more of a user; of
another role's session it needs that the boundary and the session policy allow it, if there are any. A role that trusts
the account needs that the caller's policies allow it like any other action. Tags and a source identity are rights of
their own, decided the same way.

Source: IAM User Guide, "Policy evaluation logic" (resource-based policies in one account), "Pass session tags".
"""

from dataclasses import replace

from tradewind.iam.contexts import Context, Request
from tradewind.iam.decisions import Allowed, Decision, Denied
from tradewind.iam.documents import Document
from tradewind.iam.evaluation import Finding, Findings, Outcome, find, refused
from tradewind.iam.policies import Holding
from tradewind.iam.principals import Kind, Principal
from tradewind.iam.trust import may_assume


def decide_assumption(
    principal: Principal,
    holding: Holding,
    trust: Document,
    role_arn: str,
    context: Context,
    *,
    has_tags: bool = False,
    has_source_identity: bool = False,
) -> Decision:
    """May the caller assume the role, with the tags and the source identity that the context tells of."""
    if principal.is_root:
        return Denied("Roles may not be assumed by root accounts.")
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if has_tags else []
    actions += ["sts:SetSourceIdentity"] if has_source_identity else []
    decision: Decision = Denied("")
    for action in actions:
        decision = _decide(principal, holding, trust, Request(action, role_arn, context))
        if not decision:
            break
    return decision


def _decide(principal: Principal, holding: Holding, trust: Document, request: Request) -> Decision:
    trusted = may_assume(trust, principal, request)
    if isinstance(trusted, Denied):
        return trusted
    if principal.kind is Kind.SERVICE:
        return trusted
    findings = find(principal, holding, request)
    reason = refused(findings if trusted.is_delegated else _limits(findings, principal), request.action)
    if reason is None:
        return Allowed(trusted.reason)
    subject = f"User: {principal.arn} is not authorized to perform: {request.action} on resource: {request.resource}"
    return Denied(f"{subject} {reason}", findings.outcome is Outcome.EXPLICIT_DENY)


def _limits(findings: Findings, principal: Principal) -> Findings:
    """What still counts for a caller who is trusted by name: denies, and for a session its limits."""
    named = replace(findings, identity=_unless_denied(findings.identity))
    if principal.kind is Kind.ASSUMED_ROLE or findings.boundary is None:
        return named
    return replace(named, boundary=_unless_denied(findings.boundary))


def _unless_denied(finding: Finding) -> Finding:
    return finding if finding.outcome is Outcome.EXPLICIT_DENY else Finding(Outcome.ALLOWED)
