"""IAM's entities in the shapes of its answers. Which members a list leaves out is AWS's (IAM API reference, List*)."""

from collections.abc import Mapping
from typing import Any

from tradewind.api.operations.iam.documents import shown
from tradewind.iam.entities import AccessKey, Entity, ManagedPolicy, PolicyVersion


def user_view(user: Entity, *, is_whole: bool = True) -> dict[str, Any]:
    """A User. Lists leave out its boundary and its tags."""
    view = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }
    return view | (_held(user) if is_whole else {})


def group_view(group: Entity) -> dict[str, Any]:
    """A Group."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


def role_view(role: Entity, *, is_whole: bool = True) -> dict[str, Any]:
    """A Role. Lists leave out its boundary, its tags and when it was last used."""
    view: dict[str, Any] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": shown(role.trust),
        "MaxSessionDuration": role.max_session_duration,
    }
    if role.description is not None:
        view["Description"] = role.description
    return view | (_held(role) | {"RoleLastUsed": last_used(role)} if is_whole else {})


def last_used(role: Entity) -> dict[str, Any]:
    """A RoleLastUsed: empty when it never was."""
    if role.last_used_at is None:
        return {}
    return {"LastUsedDate": role.last_used_at, "Region": role.last_used_region}


def policy_view(policy: ManagedPolicy, *, is_whole: bool = True) -> dict[str, Any]:
    """A Policy. Lists leave out its description and its tags."""
    view: dict[str, Any] = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": policy.attachments,
        "PermissionsBoundaryUsageCount": policy.boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
    if not is_whole:
        return view
    described = {} if policy.description is None else {"Description": policy.description}
    return view | described | {"Tags": tags_view(policy.tags)}


def version_view(version: PolicyVersion, *, is_whole: bool = True) -> dict[str, Any]:
    """A PolicyVersion. Lists and the answer of its making leave out the document."""
    view: dict[str, Any] = {
        "VersionId": version.id,
        "IsDefaultVersion": version.is_default,
        "CreateDate": version.created_at,
    }
    return view | ({"Document": shown(version.document)} if is_whole else {})


def attached_view(arn: str) -> dict[str, Any]:
    """An AttachedPolicy; its name is the end of its ARN."""
    return {"PolicyName": policy_name(arn), "PolicyArn": arn}


def policy_name(arn: str) -> str:
    """The name in a managed policy's ARN."""
    return arn.rsplit("/", 1)[-1]


def policy_path(arn: str) -> str:
    """The path in a managed policy's ARN."""
    return "/" + arn.partition("/")[2].rpartition("/")[0] + "/" if arn.count("/") > 1 else "/"


def key_view(key: AccessKey) -> dict[str, Any]:
    """An AccessKeyMetadata."""
    return {"UserName": key.user_name, "AccessKeyId": key.id, "Status": key.status, "CreateDate": key.created_at}


def tags_view(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in order of their keys."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def boundary_view(arn: str) -> dict[str, str]:
    """An AttachedPermissionsBoundary; the type is what AWS answers, which is not what its model lists."""
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def _held(entity: Entity) -> dict[str, Any]:
    held: dict[str, Any] = {}
    if entity.boundary is not None:
        held["PermissionsBoundary"] = boundary_view(entity.boundary)
    if entity.tags:
        held["Tags"] = tags_view(entity.tags)
    return held
