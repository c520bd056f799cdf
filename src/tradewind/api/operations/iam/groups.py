"""Groups and who is in them. A group has no credentials: it only gives its policies to its members."""

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.making import new_entity
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamServices
from tradewind.api.operations.iam.views import group_view, user_view
from tradewind.iam.entities import Entity, EntityKind


def create_group(services: IamServices, call: Call) -> Answer:
    """A group without members or policies."""
    group = services.identities.entities.create(new_entity(services, call, EntityKind.GROUP))
    return Answer({"Group": group_view(group)})


def get_group(services: IamServices, call: Call) -> Answer:
    """The group and a page of its users."""
    entities = services.identities.entities
    group = entities.get(EntityKind.GROUP, call["GroupName"])
    users, more = page(call, entities.members(group.name), _place)
    return Answer({"Group": group_view(group), "Users": [user_view(user, is_whole=False) for user in users], **more})


def update_group(services: IamServices, call: Call) -> Answer:
    """Another name or path; members and policies stay."""
    services.identities.entities.rename(
        EntityKind.GROUP, call["GroupName"], call.get("NewGroupName"), call.get("NewPath")
    )
    return Answer({})


def delete_group(services: IamServices, call: Call) -> Answer:
    """Only one without members and policies."""
    services.identities.entities.delete(EntityKind.GROUP, call["GroupName"])
    return Answer({})


def list_groups(services: IamServices, call: Call) -> Answer:
    """Of a path prefix, in order of names."""
    groups = services.identities.entities.all(EntityKind.GROUP, call.get("PathPrefix") or "/")
    found, more = page(call, groups, _place)
    return Answer({"Groups": [group_view(group) for group in found], **more})


def list_groups_for_user(services: IamServices, call: Call) -> Answer:
    """The groups that a user is in."""
    found, more = page(call, services.identities.entities.groups_of(call["UserName"]), _place)
    return Answer({"Groups": [group_view(group) for group in found], **more})


def add_user_to_group(services: IamServices, call: Call) -> Answer:
    """Being in it already is fine."""
    services.identities.entities.join_group(call["UserName"], call["GroupName"])
    return Answer({})


def remove_user_from_group(services: IamServices, call: Call) -> Answer:
    """The group's policies are no longer the user's."""
    services.identities.entities.leave_group(call["UserName"], call["GroupName"])
    return Answer({})


def _place(entity: Entity) -> str:
    return entity.name.lower()
