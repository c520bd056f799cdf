"""Tags of users, roles and managed policies. Keys are the same in any case; at most 50; `aws:` is AWS's own."""

from collections.abc import Mapping

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.making import pairs
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamOperation, IamServices
from tradewind.api.operations.iam.views import tags_view
from tradewind.iam.entities import EntityKind


def entity_tags(kind: EntityKind) -> Mapping[str, IamOperation]:
    """Of users or roles, by the operations' names."""
    member = f"{kind.noun}Name"

    def tag(services: IamServices, call: Call) -> Answer:
        services.identities.entities.tag(kind, call[member], pairs(call["Tags"]))
        return Answer({})

    def untag(services: IamServices, call: Call) -> Answer:
        services.identities.entities.untag(kind, call[member], call["TagKeys"])
        return Answer({})

    def list_(services: IamServices, call: Call) -> Answer:
        return _listed(call, services.identities.entities.get(kind, call[member]).tags)

    return {f"Tag{kind.noun}": tag, f"Untag{kind.noun}": untag, f"List{kind.noun}Tags": list_}


def tag_policy(services: IamServices, call: Call) -> Answer:
    """Add or replace."""
    services.identities.policies.tag(call["PolicyArn"], pairs(call["Tags"]))
    return Answer({})


def untag_policy(services: IamServices, call: Call) -> Answer:
    """Take away; a key that is not there is fine."""
    services.identities.policies.untag(call["PolicyArn"], call["TagKeys"])
    return Answer({})


def list_policy_tags(services: IamServices, call: Call) -> Answer:
    """In order of their keys."""
    return _listed(call, services.identities.policies.get(call["PolicyArn"]).tags)


def _listed(call: Call, tags: Mapping[str, str]) -> Answer:
    found, more = page(call, tags_view(tags), lambda tag: tag["Key"])
    return Answer({"Tags": found, **more})
