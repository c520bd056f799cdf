"""Managed policies and their versions, and who has them."""

from collections.abc import Mapping

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.documents import checked_managed
from tradewind.api.operations.iam.making import tags_given
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamServices, moment
from tradewind.api.operations.iam.views import policy_view, version_view
from tradewind.iam.entities import POLICY_PREFIX, Entity, EntityKind, ManagedPolicy, new_id

_BOUNDARY = "PermissionsBoundary"
_PERMISSIONS = "PermissionsPolicy"


def create_policy(services: IamServices, call: Call) -> Answer:
    """A policy with its version v1; nobody has it yet."""
    document = checked_managed(call["PolicyDocument"])
    name, path, now = call["PolicyName"], call.get("Path") or "/", moment(services)
    policy = ManagedPolicy(
        id=new_id(POLICY_PREFIX),
        name=name,
        path=path,
        arn=services.identities.home.policy(path, name),
        description=call.get("Description"),
        created_at=now,
        updated_at=now,
        default_version=1,
        tags=tags_given(call),
    )
    services.identities.policies.create(policy, document)
    return Answer({"Policy": policy_view(policy)})


def get_policy(services: IamServices, call: Call) -> Answer:
    """A policy without its document, which is a version's."""
    return Answer({"Policy": policy_view(services.identities.policies.get(call["PolicyArn"]))})


def delete_policy(services: IamServices, call: Call) -> Answer:
    """Only one that nobody has, with no version but the default."""
    services.identities.policies.delete(call["PolicyArn"])
    return Answer({})


def list_policies(services: IamServices, call: Call) -> Answer:
    """Of a scope, a path prefix, a use."""
    policies = [policy for policy in services.identities.policies.all() if _is_asked_for(policy, call)]
    found, more = page(call, policies, lambda policy: f"{policy.name.lower()}/{'local' if policy.is_ours else 'aws'}")
    return Answer({"Policies": [policy_view(policy, is_whole=False) for policy in found], **more})


def create_policy_version(services: IamServices, call: Call) -> Answer:
    """A new version; in force at once when it is set as the default."""
    document = checked_managed(call["PolicyDocument"])
    version = services.identities.policies.add_version(
        call["PolicyArn"], document, is_default=bool(call.get("SetAsDefault")), now=moment(services)
    )
    return Answer({"PolicyVersion": version_view(version, is_whole=False)})


def get_policy_version(services: IamServices, call: Call) -> Answer:
    """A version with its document."""
    version = services.identities.policies.version(call["PolicyArn"], call["VersionId"])
    return Answer({"PolicyVersion": version_view(version)})


def list_policy_versions(services: IamServices, call: Call) -> Answer:
    """The newest first, without their documents."""
    versions = services.identities.policies.versions(call["PolicyArn"])
    found, more = page(call, versions, lambda version: f"{10**9 - version.number:010}")
    return Answer({"Versions": [version_view(version, is_whole=False) for version in found], **more})


def delete_policy_version(services: IamServices, call: Call) -> Answer:
    """Any but the default."""
    services.identities.policies.delete_version(call["PolicyArn"], call["VersionId"])
    return Answer({})


def set_default_policy_version(services: IamServices, call: Call) -> Answer:
    """The version that is in force from now on, for everybody who has the policy."""
    services.identities.policies.set_default(call["PolicyArn"], call["VersionId"], moment(services))
    return Answer({})


def list_entities_for_policy(services: IamServices, call: Call) -> Answer:
    """Who has it attached or as a boundary."""
    arn, usage = services.identities.policies.get(call["PolicyArn"]).arn, call.get("PolicyUsageFilter")
    grants = services.identities.grants
    attached = [] if usage == _BOUNDARY else grants.holders(arn)
    bounded = [] if usage == _PERMISSIONS else grants.bounded(arn)
    prefix, kind = call.get("PathPrefix") or "/", call.get("EntityFilter")
    holders: Mapping[str, Entity] = {
        entity.id: entity
        for entity in [*attached, *bounded]
        if entity.path.startswith(prefix) and kind in {None, entity.kind.noun}
    }
    found, more = page(call, list(holders.values()), lambda entity: f"{entity.kind.value}/{entity.name.lower()}")
    lists = {
        f"Policy{kind.noun}s": [
            {f"{kind.noun}Name": entity.name, f"{kind.noun}Id": entity.id} for entity in found if entity.kind is kind
        ]
        for kind in EntityKind
    }
    return Answer({**lists, **more})


def _is_asked_for(policy: ManagedPolicy, call: Call) -> bool:
    scope, usage = call.get("Scope") or "All", call.get("PolicyUsageFilter")
    if scope != "All" and (scope == "Local") is not policy.is_ours:
        return False
    if not policy.path.startswith(call.get("PathPrefix") or "/"):
        return False
    uses = {_BOUNDARY: policy.boundaries, _PERMISSIONS: policy.attachments}
    if usage is not None and not uses[usage]:
        return False
    return not call.get("OnlyAttached") or bool(policy.attachments + policy.boundaries)
