"""The policy simulator: what policies would say, of a user, a group or a role or as they are sent, and nothing more.

Each action is tried on each resource; every pair is one EvaluationResult. Pairs are decided a page at a time, and a
page is shorter where the policies and the context ask for many comparisons, so that no call holds a thread for long;
what is too much for a single pair is refused. Keys of the caller (`aws:username`) follow from the user or role, or
from CallerArn; ContextEntries are laid over them.

Not supported, and refused by name: resource policies, organisations' policies, EC2's resource handling.

Source: IAM API reference, SimulatePrincipalPolicy and SimulateCustomPolicy.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.serving import IamOperation, IamServices
from tradewind.iam import Context, Holding, MalformedDocument, Policy, Principal, Request, comparands, parse_once
from tradewind.iam.evaluation import Match
from tradewind.iam.positions import Span, statement_spans
from tradewind.iam.refusals import invalid, no_such
from tradewind.iam.simulating import Simulated, cost, keys_of, simulate

_USUAL: Final = 100
_COMPARISONS_A_PAGE: Final = 150_000
_MOST_COMPARISONS: Final = 1_000_000  # of one action on one resource
_LONGEST: Final = 262_144  # characters of all policies of a call, and of all values of its context
_ACTION: Final = re.compile(r"[a-zA-Z0-9\-.]+:[a-zA-Z0-9]+")
_INLINE: Final = re.compile(r"inline policy (?P<policy>\S+) of (?P<kind>user|group|role) (?P<name>\S+)")
_MANAGED: Final = re.compile(r"managed policy (?P<arn>arn:[a-z-]+:iam::(?P<owner>\w+):policy/\S+)")
_KINDS: Final[Mapping[str, Callable[[str], object]]] = {
    "string": str,
    "numeric": comparands.number,
    "boolean": comparands.truth,
    "ip": comparands.network,
    "binary": comparands.octets,
    "date": comparands.time,
}


def simulate_principal_policy(services: IamServices, call: Call) -> Answer:
    """With what is in force for a user, a group or a role, and policies that are sent beside it."""
    principal, held = _source(services, call)
    kept = tuple(policy for policy in held.identity if not _is_excluded(call, policy))
    boundary = None if held.boundary is None or _is_excluded(call, held.boundary, is_boundary=True) else held.boundary
    sent = _sent(call)
    holding = Holding((*kept, *sent.identity), sent.boundary or boundary)
    caller = _caller(services, call) or (None if ":group/" in principal.arn else principal)
    return _results(call, holding, caller)


def simulate_custom_policy(services: IamServices, call: Call) -> Answer:
    """With the policies that are sent."""
    return _results(call, _sent(call), _caller(services, call))


def get_context_keys_for_custom_policy(_: IamServices, call: Call) -> Answer:
    """The condition keys that the policies ask for."""
    return Answer({"ContextKeyNames": keys_of(_sent(call))})


def get_context_keys_for_principal_policy(services: IamServices, call: Call) -> Answer:
    """The condition keys that a user's, group's or role's policies ask for, and those that are sent."""
    _, held = _source(services, call)
    return Answer({"ContextKeyNames": keys_of(replace(held, identity=(*held.identity, *_sent(call).identity)))})


def _source(services: IamServices, call: Call) -> tuple[Principal, Holding]:
    arn = call["PolicySourceArn"]
    found = services.identities.holding_of(arn)
    if found is None or found[0].is_root:
        raise no_such(f"Policy source ARN {arn} cannot be found.")
    return found


def _caller(services: IamServices, call: Call) -> Principal | None:
    arn = call.get("CallerArn")
    if arn is None:
        return None
    found = services.identities.holding_of(arn)
    if found is None or ":user/" not in found[0].arn:
        raise invalid(f"CallerArn {arn} is not the ARN of a user of this account.")
    return found[0]


def _sent(call: Call) -> Holding:
    """The policies of the call. Raises Refused."""
    for member in ("ResourcePolicy", "OrderedOrganizationPolicyInputList", "ResourceHandlingOption", "ResourceOwner"):
        if call.get(member):
            raise invalid(f"{member} is not supported by this release of Tradewind.")
    identity = _parsed(call, "PolicyInputList")
    boundary = _parsed(call, "PermissionsBoundaryPolicyInputList")
    if len(boundary) > 1:
        raise invalid("Only one permissions boundary can be simulated.")
    return Holding(identity, boundary[0] if boundary else None)


def _parsed(call: Call, member: str) -> tuple[Policy, ...]:
    texts: Sequence[str] = call.get(member) or ()
    if sum(map(len, texts)) > _LONGEST:
        raise invalid(f"{member} holds more than {_LONGEST} characters.")
    try:
        return tuple(
            Policy(f"{member}.{n}", parse_once(text), f"policy {n} of {member}") for n, text in enumerate(texts, 1)
        )
    except MalformedDocument as problem:
        raise invalid(str(problem)) from None


def _is_excluded(call: Call, policy: Policy, *, is_boundary: bool = False) -> bool:
    inline, managed = _INLINE.fullmatch(policy.origin), _MANAGED.fullmatch(policy.origin)
    return any(
        (is_boundary and given.get("PolicyType") == "permission-boundary")
        or (not is_boundary and given.get("PolicyType") == _type_for_exclusion(inline, managed))
        or (managed is not None and given.get("PolicyArn") == managed["arn"])
        or (inline is not None and given.get("InlinePolicyIdentifier") == _identifier(inline))
        for given in call.get("PolicyExclusionList") or ()
    )


def _type_for_exclusion(inline: re.Match[str] | None, managed: re.Match[str] | None) -> str:
    if inline is not None:
        return "inline"
    return "aws-managed" if managed is not None and managed["owner"] == "aws" else "user-managed"


def _identifier(inline: re.Match[str]) -> dict[str, str]:
    return {"PolicyName": inline["policy"], "AttachmentType": inline["kind"], "AttachmentName": inline["name"]}


def _results(call: Call, holding: Holding, caller: Principal | None) -> Answer:
    context = _context(call, caller)
    actions, resources = [_action(name) for name in call["ActionNames"]], call.get("ResourceArns") or ["*"]
    start, pairs = _place(call), len(actions) * len(resources)
    dearest = cost(holding, max(resources, key=len), context)
    if dearest > _MOST_COMPARISONS:
        raise invalid("The policies and the context are too large to be simulated together.")
    shortest = max(1, _COMPARISONS_A_PAGE // (dearest or 1))
    end = min(pairs, start + min(int(call.get("MaxItems") or _USUAL), shortest))
    found = [
        simulate(holding, Request(actions[place // len(resources)], resources[place % len(resources)], context))
        for place in range(start, end)
    ]
    more = {"IsTruncated": False} if end >= pairs else {"IsTruncated": True, "Marker": _marker(end)}
    is_specific = bool(call.get("ResourceArns"))
    return Answer({"EvaluationResults": [_result(each, is_specific=is_specific) for each in found], **more})


def _action(name: str) -> str:
    if not _ACTION.fullmatch(name):
        raise invalid(f"Invalid action name: {name}")
    return name


def _context(call: Call, caller: Principal | None) -> Context:
    given: dict[str, list[str]] = {}
    for entry in call.get("ContextEntries") or ():
        name, kind, values = entry.get("ContextKeyName"), entry.get("ContextKeyType"), entry.get("ContextKeyValues")
        if name is None or kind is None or values is None:
            raise invalid("A context entry needs ContextKeyName, ContextKeyType and ContextKeyValues.")
        read = _KINDS[kind.removesuffix("List")]
        if any(read(value) is None for value in values) or (len(values) > 1 and not kind.endswith("List")):
            raise invalid(f"Invalid value for context key {name} of type {kind}.")
        given[name] = list(values)
    if sum(len(value) for values in given.values() for value in values) > _LONGEST:
        raise invalid(f"ContextEntries holds more than {_LONGEST} characters.")
    return Context.of(given).over(Context() if caller is None else caller.keys)


def _result(simulated: Simulated, *, is_specific: bool) -> dict[str, Any]:
    matched = [_statement(match) for match in simulated.matches]
    details: dict[str, Any] = {"MatchedStatements": matched, "MissingContextValues": list(simulated.missing)}
    if simulated.is_within_boundary is not None:
        details["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": simulated.is_within_boundary}
    resource, decision = simulated.request.resource, simulated.outcome.value
    specific = [{"EvalResourceName": resource, "EvalResourceDecision": decision, **details}] if is_specific else []
    return {
        "EvalActionName": simulated.request.action,
        "EvalResourceName": resource,
        "EvalDecision": decision,
        **details,
        "ResourceSpecificResults": specific,
    }


def _statement(match: Match) -> dict[str, Any]:
    span = _spans(match.policy.document.text)[match.statement.index]
    inline, managed = _INLINE.fullmatch(match.policy.origin), _MANAGED.fullmatch(match.policy.origin)
    if managed is not None:
        kind = "aws-managed" if managed["owner"] == "aws" else "user-managed"
    else:
        kind = "none" if inline is None else inline["kind"]
    return {
        "SourcePolicyId": match.policy.name,
        "SourcePolicyType": kind,
        "StartPosition": {"Line": span.start.line, "Column": span.start.column},
        "EndPosition": {"Line": span.end.line, "Column": span.end.column},
    }


@lru_cache(maxsize=64)
def _spans(text: str) -> tuple[Span, ...]:
    return statement_spans(text)


def _place(call: Call) -> int:
    marker = call.get("Marker")
    if marker is None:
        return 0
    try:
        text = base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not re.fullmatch("[0-9]{1,9}", text):
        raise invalid("Invalid Marker.")
    return int(text)


def _marker(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


SIMULATION_OPERATIONS: Final[Mapping[str, IamOperation]] = {
    "SimulatePrincipalPolicy": simulate_principal_policy,
    "SimulateCustomPolicy": simulate_custom_policy,
    "GetContextKeysForCustomPolicy": get_context_keys_for_custom_policy,
    "GetContextKeysForPrincipalPolicy": get_context_keys_for_principal_policy,
}
