"""What CreateUser, CreateGroup, CreateRole and CreatePolicy share: path, unique id, tags, boundary and time."""

from collections.abc import Iterable, Mapping

from tradewind.api.calls import Call
from tradewind.api.operations.iam.serving import IamServices, moment
from tradewind.iam.entities import SHORTEST_MAXIMUM, Entity, EntityKind, new_id
from tradewind.iam.quotas import tagged


def new_entity(services: IamServices, call: Call, kind: EntityKind, trust: str = "") -> Entity:
    """An entity as a call describes it, not stored yet. Raises Refused."""
    name, path = call[f"{kind.noun}Name"], call.get("Path") or "/"
    return Entity(
        kind=kind,
        id=new_id(kind.prefix),
        name=name,
        path=path,
        arn=services.identities.home.entity(kind, path, name),
        created_at=moment(services),
        tags=tags_given(call),
        boundary=call.get("PermissionsBoundary"),
        trust=trust,
        description=call.get("Description"),
        max_session_duration=call.get("MaxSessionDuration") or SHORTEST_MAXIMUM,
    )


def tags_given(call: Call) -> dict[str, str]:
    """The tags that a call brings. Raises Refused."""
    return tagged({}, pairs(call.get("Tags") or ()))


def pairs(tags: Iterable[Mapping[str, str]]) -> list[tuple[str, str]]:
    """A list of Tag as pairs."""
    return [(tag["Key"], tag["Value"]) for tag in tags]
