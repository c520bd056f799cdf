"""What must be allowed before an operation runs: which actions, on which resources, with which condition keys.

Source: service authorization reference for `airflow`; MWAA User Guide, "access-policies". Web login and
InvokeRestApi are authorised on the ARNs of Airflow's roles alone, and one of the five is enough: Airflow's user gets
those that are allowed. ListEnvironments knows `*` only. Who names an execution role needs `iam:PassRole` on it, also
where a copy or a snapshot brings the role along. A question about a snapshot is asked about the environment that it
was taken of too: its data is that environment's. So are its tags, also when that environment is gone and another one
has its name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tradewind.access.roles import ROLES
from tradewind.api.callers import Caller
from tradewind.api.services import Services
from tradewind.domain.arns import environment_name
from tradewind.domain.environments import Environment
from tradewind.domain.snapshots import Snapshot
from tradewind.iam import Allowed, Decision, Denied, Request, authorise

PASSED_TO = "airflow.amazonaws.com"
_ON_ROLES = frozenset({"CreateWebLoginToken", "InvokeRestApi"})
_ON_ARN = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})
_ON_ANYTHING = frozenset({"ListEnvironments", "ListKeys", "ListSnapshots", "RotateMasterKey"})
_ON_SNAPSHOTS = frozenset({"GetSnapshot", "DeleteSnapshot", "RestoreSnapshot"})

_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z_-]{0,127}")

Keys = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Question:
    """May the caller do this action on this resource? `keys` are the operation's and the resource's.

    `shown` is what a refusal calls the resource, where its real ARN would tell what the caller may not know.
    """

    action: str
    resource: str
    keys: Keys = field(default_factory=dict)
    shown: str | None = None


@dataclass(frozen=True)
class Questions:
    """All of them must be allowed, or, where `one_is_enough`, any."""

    each: tuple[Question, ...]
    one_is_enough: bool = False


def decide(caller: Caller, asked: Questions) -> Decision:
    """The decision on a call; of several that are denied the first one's reason."""
    decisions = [_answer(caller, question) for question in asked.each]
    if not decisions:
        return Allowed("this operation needs no permission")
    if asked.one_is_enough:
        return next((decision for decision in decisions if decision), decisions[0])
    return next((decision for decision in decisions if not decision), decisions[0])


def _answer(caller: Caller, question: Question) -> Decision:
    """Asked once with each spelling of a key: tags of environments may differ in case alone, condition keys do not.

    Only who is allowed with every one of them is allowed: else one tag would answer for the other.
    """
    decision: Decision = Denied("")
    for keys in _spellings(question.keys):
        request = Request(question.action, question.resource, caller.context(keys))
        decision = authorise(caller.principal, caller.holding, request)
        if isinstance(decision, Denied):
            return decision if question.shown is None else _veiled(decision, question.resource, question.shown)
    return decision


def _veiled(denied: Denied, resource: str, shown: str) -> Denied:
    named = " on resource: {} "
    return replace(denied, reason=denied.reason.replace(named.format(resource), named.format(shown), 1))


def _spellings(keys: Keys) -> Iterator[Keys]:
    """The keys without any that differ in case alone, as often as it takes for each to be there once."""
    alike: dict[str, list[str]] = {}
    for key in keys:
        alike.setdefault(key.lower(), []).append(key)
    for turn in range(max(map(len, alike.values()), default=1)):
        yield {key: keys[key] for key in (each[turn % len(each)] for each in alike.values())}


def action(operation: str, service: str = "mwaa") -> str:
    """`airflow:` and the operation's own name, for all twelve of MWAA; `tradewind:` for ours."""
    return f"{'tradewind' if service == 'tradewind' else 'airflow'}:{operation}"


def questions(operation: str, parameters: Mapping[str, Any], services: Services, _caller: Caller) -> Questions:
    """Those of MWAA's operations. Parameters are of the right types but not checked: any may be missing."""
    place, asked = services.place, action(operation)
    name = _name(parameters)
    if operation in _ON_ROLES:
        roles = tuple(Question(asked, place.airflow_role(name, role)) for role in ROLES)
        return Questions(roles, one_is_enough=True)
    if operation in _ON_ANYTHING:
        return Questions((Question(asked, "*"),))
    if operation in _ON_ARN:
        arn = str(parameters.get("ResourceArn") or "*")
        keys = {**request_tags(parameters), **_tags_of(environment_name(arn, place), services)}
        return Questions((Question(asked, arn, keys),))
    if operation == "CreateEnvironment":
        return Questions((Question(asked, place.environment(name), request_tags(parameters)), *_pass(parameters)))
    own = Question(asked, place.environment(name), _tags_of(name, services))
    return Questions((own, *(_pass(parameters) if operation == "UpdateEnvironment" else ())))


def own_questions(operation: str, parameters: Mapping[str, Any], services: Services, _caller: Caller) -> Questions:
    """Those of our own operations: snapshots, what is restored of them, copies."""
    place, asked = services.place, action(operation, "tradewind")
    if operation in _ON_ANYTHING:
        return Questions((Question(asked, "*"),))
    if operation in _ON_SNAPSHOTS:
        id_ = str(parameters.get("SnapshotId") or "*")
        snapshot = services.snapshots.get(id_) if _NAME.fullmatch(id_) else None
        return Questions(tuple(_about_snapshot(operation, id_, snapshot, parameters, services)))
    name = _name(parameters)
    own = Question(asked, place.environment(name), _tags_of(name, services))
    if operation != "ForkEnvironment":
        return Questions((own,))
    source = _found(name, services)
    role = None if source is None else source.spec.execution_role_arn
    tags = {} if source is None else source.tags
    copy = Question("airflow:CreateEnvironment", place.environment(str(parameters.get("NewName") or "*")), _asked(tags))
    return Questions((own, copy, *passing(role)))


def passing(role_arn: str | None) -> Iterator[Question]:
    """The right to give MWAA this role (service authorization reference, iam:PassRole)."""
    if role_arn:
        yield Question("iam:PassRole", role_arn, {"iam:PassedToService": [PASSED_TO]})


def request_tags(parameters: Mapping[str, Any]) -> Keys:
    """aws:RequestTag/k and aws:TagKeys of what a request would write or take away."""
    keys = parameters.get("tagKeys")
    if keys is not None:
        return {"aws:TagKeys": [str(key) for key in keys]} if keys else {}
    return _asked(parameters.get("Tags") or {})


def _about_snapshot(
    operation: str, id_: str, snapshot: Snapshot | None, parameters: Mapping[str, Any], services: Services
) -> Iterator[Question]:
    place, asked = services.place, action(operation, "tradewind")
    tags = {} if snapshot is None else _resource_tags(services.environments.tags_of(snapshot.environment_id))
    yield Question(asked, place.snapshot(id_), tags)
    if snapshot is not None:
        origin = snapshot.environment_name
        yield Question(asked, place.environment(origin), tags)
        role = None if snapshot.spec is None else snapshot.spec.execution_role_arn
        if operation == "RestoreSnapshot":
            name = parameters.get("Name")
            if name is not None:
                yield Question("airflow:CreateEnvironment", place.environment(str(name)))
            else:
                yield Question("airflow:UpdateEnvironment", place.environment(origin), tags)
            yield from passing(role)


def _pass(parameters: Mapping[str, Any]) -> Iterator[Question]:
    return passing(str(parameters.get("ExecutionRoleArn") or ""))


def _asked(tags: Mapping[str, str]) -> Keys:
    if not tags:
        return {}
    return {**{f"aws:RequestTag/{key}": [str(value)] for key, value in tags.items()}, "aws:TagKeys": list(tags)}


def _tags_of(name: str | None, services: Services) -> Keys:
    tags = services.environments.tags(name) if name is not None and _NAME.fullmatch(name) else {}
    return _resource_tags(tags)


def _resource_tags(tags: Mapping[str, str]) -> Keys:
    return {f"aws:ResourceTag/{key}": [value] for key, value in tags.items()}


def _found(name: str | None, services: Services) -> Environment | None:
    """Names are not checked yet, and not every text can be looked up."""
    return services.environments.find(name) if name is not None and _NAME.fullmatch(name) else None


def _name(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("Name") or parameters.get("EnvironmentName") or "*")
