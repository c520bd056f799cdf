"""Inline policies of users, groups and roles: the same four operations for each of the three."""

from collections.abc import Mapping

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.documents import checked, shown
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamOperation, IamServices
from tradewind.iam.entities import EntityKind
from tradewind.iam.refusals import no_inline_policy


def inline_operations(kind: EntityKind) -> Mapping[str, IamOperation]:
    """By the operations' names."""
    member = f"{kind.noun}Name"

    def put(services: IamServices, call: Call) -> Answer:
        document = checked(call["PolicyDocument"])
        services.identities.grants.put_inline(kind, call[member], call["PolicyName"], document)
        return Answer({})

    def get(services: IamServices, call: Call) -> Answer:
        document = services.identities.grants.inline(kind, call[member]).get(call["PolicyName"])
        if document is None:
            raise no_inline_policy(kind, call["PolicyName"])
        return Answer(
            {member: call[member], "PolicyName": call["PolicyName"], "PolicyDocument": shown(document)},
        )

    def delete(services: IamServices, call: Call) -> Answer:
        services.identities.grants.delete_inline(kind, call[member], call["PolicyName"])
        return Answer({})

    def list_(services: IamServices, call: Call) -> Answer:
        names = list(services.identities.grants.inline(kind, call[member]))
        found, more = page(call, names, str)
        return Answer({"PolicyNames": found, **more})

    return {
        f"Put{kind.noun}Policy": put,
        f"Get{kind.noun}Policy": get,
        f"Delete{kind.noun}Policy": delete,
        f"List{kind.noun}Policies": list_,
    }
