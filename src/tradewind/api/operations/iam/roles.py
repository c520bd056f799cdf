"""Roles: made with a trust policy, read, changed, deleted, listed. Who may assume one is decided by `sts`."""

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.documents import checked_trust
from tradewind.api.operations.iam.making import new_entity
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamServices
from tradewind.api.operations.iam.views import role_view
from tradewind.iam.entities import Entity, EntityKind


def create_role(services: IamServices, call: Call) -> Answer:
    """A role without policies."""
    trust = checked_trust(call["AssumeRolePolicyDocument"])
    role = services.identities.entities.create(new_entity(services, call, EntityKind.ROLE, trust))
    return Answer({"Role": role_view(role)})


def get_role(services: IamServices, call: Call) -> Answer:
    """All of a role."""
    role = services.identities.entities.get(EntityKind.ROLE, call["RoleName"])
    return Answer({"Role": role_view(_shown(services, role))})


def update_role(services: IamServices, call: Call) -> Answer:
    """Its description and its longest session; what is not sent stays."""
    services.identities.entities.change_role(
        call["RoleName"], description=call.get("Description"), duration=call.get("MaxSessionDuration")
    )
    return Answer({})


def update_role_description(services: IamServices, call: Call) -> Answer:
    """The older way to set the description; it answers the role."""
    role = services.identities.entities.change_role(call["RoleName"], description=call["Description"])
    return Answer({"Role": role_view(_shown(services, role))})


def update_assume_role_policy(services: IamServices, call: Call) -> Answer:
    """Another trust policy; sessions that were given out go on until they expire, as AWS's do."""
    services.identities.entities.change_role(call["RoleName"], trust=checked_trust(call["PolicyDocument"]))
    return Answer({})


def delete_role(services: IamServices, call: Call) -> Answer:
    """Only one without policies."""
    services.identities.entities.delete(EntityKind.ROLE, call["RoleName"])
    return Answer({})


def list_roles(services: IamServices, call: Call) -> Answer:
    """Of a path prefix, in order of names."""
    roles = services.identities.entities.all(EntityKind.ROLE, call.get("PathPrefix") or "/")
    found, more = page(call, roles, lambda role: role.name.lower())
    shown = services.identities.entities.shown(found)
    return Answer({"Roles": [role_view(role, is_whole=False) for role in shown], **more})


def _shown(services: IamServices, role: Entity) -> Entity:
    return services.identities.entities.shown([role])[0]
