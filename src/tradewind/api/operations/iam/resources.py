"""What an IAM call is about when it is authorised: the ARN, further ARNs, and condition keys.

Source: service authorization reference for `iam`. A named entity is authorised by the ARN that it really has, with
its path and in its own case, so that a policy about `user/admins/*` holds whatever a caller writes; one that is not
there, by the ARN that it would have without a path. Renaming needs the right on the old and the new ARN, simulating on
behalf of a user (CallerArn) the one on that user too, whose tags the simulated policies may ask about. Lists are
about the kind and the path prefix (`user/`), as AWS's refusals show it. Parameters are not checked yet: anything may be
missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tradewind.iam import Principal
from tradewind.iam.entities import Entity, EntityKind, ManagedPolicy
from tradewind.store.identities import Identities

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_LISTS = {"ListUsers": "user", "ListGroups": "group", "ListRoles": "role"}
_MADE = {"CreateUser": EntityKind.USER, "CreateGroup": EntityKind.GROUP, "CreateRole": EntityKind.ROLE}
_RENAMED = {"UpdateUser": EntityKind.USER, "UpdateGroup": EntityKind.GROUP}
# operations that are about the caller where they name no user
_OWN = frozenset(
    {
        "CreateAccessKey",
        "DeleteAccessKey",
        "GetLoginProfile",
        "GetUser",
        "ListAccessKeys",
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "ListSigningCertificates",
        "UpdateAccessKey",
    }
)
_MEMBERS = (("GroupName", EntityKind.GROUP), ("RoleName", EntityKind.ROLE), ("UserName", EntityKind.USER))
_BOUND = re.compile(r"(Attach|Detach|Put|Delete)(User|Role)(Policy|PermissionsBoundary)")
_ON_ANY = frozenset({"GetContextKeysForPrincipalPolicy", "SimulatePrincipalPolicy"})
_SIMULATED = frozenset({"SimulateCustomPolicy", "SimulatePrincipalPolicy"})
_ON_POLICY = frozenset(
    {
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeletePolicyVersion",
        "GetPolicy",
        "GetPolicyVersion",
        "ListEntitiesForPolicy",
        "ListPolicyTags",
        "ListPolicyVersions",
        "SetDefaultPolicyVersion",
        "TagPolicy",
        "UntagPolicy",
    }
)


@dataclass(frozen=True)
class Asked:
    """All ARNs must be allowed, each with the same context.

    `shown` are the ARNs that follow from the call alone, the resource's first: who is refused does not learn whether
    there is such an entity, which path it has, or whose an access key is.
    """

    resource: str
    further: tuple[str, ...]
    context: Mapping[str, list[str]]
    shown: tuple[str, ...]


def iam_asked(operation: str, parameters: Mapping[str, Any], identities: Identities, principal: Principal) -> Asked:
    """What the decision is about, with one look at the store."""
    target = _target(operation, parameters, identities, principal)
    resource = _resource(operation, parameters, identities, principal, target)
    further = _further(operation, parameters, identities, target)
    shown = (resource, *further)
    if resource != principal.arn:
        unknown = _resource(operation, parameters, identities, principal, target=None)
        veiled = (
            replace(target, path="/", name=unknown.rsplit("/", 1)[-1], arn="") if isinstance(target, Entity) else None
        )
        shown = (unknown, *_further(operation, parameters, identities, veiled)[: len(further)])
    return Asked(resource, further, _context(operation, parameters, target), shown)


def _target(
    operation: str, parameters: Mapping[str, Any], identities: Identities, principal: Principal
) -> Entity | ManagedPolicy | None:
    """What is there of it now."""
    if operation in _MADE or operation == "CreatePolicy":
        return None
    if operation in _ON_POLICY:
        arn = _text(parameters, "PolicyArn")
        return identities.policies.find(arn) if arn.isprintable() else None
    if operation == "GetAccessKeyLastUsed":
        id_ = _text(parameters, "AccessKeyId")
        key = identities.keys.find(id_) if _NAME.fullmatch(id_) else None
        return None if key is None else identities.entities.find(EntityKind.USER, key.user_name)
    named = _named(operation, parameters, principal)
    if named is None or not _NAME.fullmatch(named[1]):
        return None
    return identities.entities.find(*named)


def _named(operation: str, parameters: Mapping[str, Any], principal: Principal) -> tuple[EntityKind, str] | None:
    if operation == "ListGroupsForUser":
        return EntityKind.USER, _text(parameters, "UserName")
    for member, kind in _MEMBERS:
        if parameters.get(member) is not None:
            return kind, _text(parameters, member)
    if operation in _OWN and principal.user_name is not None:
        return EntityKind.USER, principal.user_name
    return None


def _resource(
    operation: str,
    parameters: Mapping[str, Any],
    identities: Identities,
    principal: Principal,
    target: Entity | ManagedPolicy | None,
) -> str:
    home = identities.home
    if target is not None:
        return target.arn
    if operation in _LISTS:
        return home.arn(_LISTS[operation] + _path(parameters, "PathPrefix"))
    if operation == "CreatePolicy":
        return home.policy(_path(parameters, "Path"), _text(parameters, "PolicyName"))
    if operation in _ON_POLICY or operation in _ON_ANY:
        return _text(parameters, "PolicySourceArn" if operation in _ON_ANY else "PolicyArn") or "*"
    named = _named(operation, parameters, principal)
    if named is None:
        return principal.arn if operation in _OWN else "*"
    return home.entity(named[0], _path(parameters, "Path"), named[1])


def _further(
    operation: str, parameters: Mapping[str, Any], identities: Identities, target: Entity | ManagedPolicy | None
) -> tuple[str, ...]:
    if operation in _SIMULATED and _text(parameters, "CallerArn"):
        return (_text(parameters, "CallerArn"),)
    kind = _RENAMED.get(operation)
    if kind is None or not isinstance(target, Entity):
        return ()
    name = _text(parameters, f"New{kind.noun}Name") or target.name
    arn = identities.home.entity(kind, _text(parameters, "NewPath") or target.path, name)
    return () if arn == target.arn else (arn,)


def _context(
    operation: str, parameters: Mapping[str, Any], target: Entity | ManagedPolicy | None
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if target is not None:
        for key, value in target.tags.items():
            found[f"aws:ResourceTag/{key}"] = found[f"iam:ResourceTag/{key}"] = [value]
    if _BOUND.fullmatch(operation) and isinstance(target, Entity) and target.boundary is not None:
        found["iam:PermissionsBoundary"] = [target.boundary]
    if parameters.get("PermissionsBoundary") is not None:
        found["iam:PermissionsBoundary"] = [_text(parameters, "PermissionsBoundary")]
    if operation.startswith(("Attach", "Detach")):
        found["iam:PolicyARN"] = [_text(parameters, "PolicyArn")]
    tags = [tag for tag in parameters.get("Tags") or () if "Key" in tag]
    keys = [tag["Key"] for tag in tags] + list(parameters.get("TagKeys") or ())
    if keys:
        found["aws:TagKeys"] = keys
    return found | {f"aws:RequestTag/{tag['Key']}": [tag.get("Value", "")] for tag in tags}


def _path(parameters: Mapping[str, Any], member: str) -> str:
    path = _text(parameters, member) or "/"
    return path if path.startswith("/") else f"/{path}"


def _text(parameters: Mapping[str, Any], member: str) -> str:
    value = parameters.get(member)
    return value if isinstance(value, str) else ""
