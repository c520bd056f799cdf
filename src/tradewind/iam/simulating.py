"""What policies would say of a request, with everything that the policy simulator shows of the way there.

It is the evaluation of real requests, asked with a context that the caller of the simulator makes up. Nothing is
authorised by it.
"""

from dataclasses import dataclass
from typing import Final

from tradewind.iam.contexts import Context, Request
from tradewind.iam.evaluation import Finding, Findings, Match, Outcome, judge
from tradewind.iam.policies import Holding, Policy

_RUN: Final = 64  # characters that are compared in about the time that everything else about a comparison takes


@dataclass(frozen=True)
class Simulated:
    """`missing` are the keys that policies ask for about this action and that the context lacks."""

    request: Request
    outcome: Outcome
    matches: tuple[Match, ...]
    missing: tuple[str, ...]
    is_within_boundary: bool | None


def simulate(holding: Holding, request: Request) -> Simulated:
    """Decide one request, with `request.context` as all that is known of it and of its caller."""
    known = request.context
    identity = judge(holding.identity, request, known)
    boundary = None if holding.boundary is None else judge((holding.boundary,), request, known)
    return Simulated(
        request=request,
        outcome=Findings(identity, boundary, None).outcome,
        matches=(*identity.matches, *_denying(boundary)),
        missing=_missing(holding, request, known),
        is_within_boundary=None if boundary is None else boundary.outcome is Outcome.ALLOWED,
    )


def cost(holding: Holding, resource: str, context: Context) -> int:
    """How many comparisons a request asks for at most; one with a long text counts as several."""
    return sum(
        1
        + len(statement.actions.patterns)
        + (0 if statement.resources is None else len(statement.resources.templates) * _runs(resource))
        + sum(
            len(condition.values) * max(1, sum(map(_runs, context.get(condition.key))))
            for condition in statement.conditions
        )
        for policy in _policies(holding)
        for statement in policy.document.statements
    )


def _runs(text: str) -> int:
    return 1 + len(text) // _RUN


def keys_of(holding: Holding) -> list[str]:
    """The condition keys that policies ask for, as they were written."""
    found: dict[str, str] = {}
    for policy in _policies(holding):
        found.update(policy.document.keys())
    return sorted(found.values())


def _policies(holding: Holding) -> list[Policy]:
    return [*holding.identity, *(() if holding.boundary is None else (holding.boundary,))]


def _denying(boundary: Finding | None) -> tuple[Match, ...]:
    return boundary.matches if boundary is not None and boundary.outcome is Outcome.EXPLICIT_DENY else ()


def _missing(holding: Holding, request: Request, known: Context) -> tuple[str, ...]:
    action = request.action.lower()
    asked: dict[str, str] = {}
    for policy in _policies(holding):
        for statement in policy.document.statements:
            if statement.actions.apply(action):
                asked.update(statement.keys())
    return tuple(sorted(name for key, name in asked.items() if not known.get(key)))
