"""Managed policies attached to users, groups and roles, and permissions boundaries of users and roles."""

from collections.abc import Mapping

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamOperation, IamServices
from tradewind.api.operations.iam.views import attached_view, policy_name, policy_path
from tradewind.iam.entities import EntityKind


def attachment_operations(kind: EntityKind) -> Mapping[str, IamOperation]:
    """By the operations' names."""
    member = f"{kind.noun}Name"

    def attach(services: IamServices, call: Call) -> Answer:
        services.identities.grants.attach(kind, call[member], call["PolicyArn"])
        return Answer({})

    def detach(services: IamServices, call: Call) -> Answer:
        services.identities.grants.detach(kind, call[member], call["PolicyArn"])
        return Answer({})

    def list_(services: IamServices, call: Call) -> Answer:
        prefix = call.get("PathPrefix") or "/"
        arns = [
            arn
            for arn in services.identities.grants.attached(kind, call[member])
            if policy_path(arn).startswith(prefix)
        ]
        found, more = page(call, arns, attachment_place)
        return Answer({"AttachedPolicies": [attached_view(arn) for arn in found], **more})

    return {
        f"Attach{kind.noun}Policy": attach,
        f"Detach{kind.noun}Policy": detach,
        f"ListAttached{kind.noun}Policies": list_,
    }


def boundary_operations(kind: EntityKind) -> Mapping[str, IamOperation]:
    """By the operations' names; groups have none."""
    member = f"{kind.noun}Name"

    def put(services: IamServices, call: Call) -> Answer:
        services.identities.entities.bound(kind, call[member], call["PermissionsBoundary"])
        return Answer({})

    def delete(services: IamServices, call: Call) -> Answer:
        services.identities.entities.bound(kind, call[member], None)
        return Answer({})

    return {f"Put{kind.noun}PermissionsBoundary": put, f"Delete{kind.noun}PermissionsBoundary": delete}


def attachment_place(arn: str) -> str:
    """Names are unique for each owner: short enough for a marker, which an ARN with a long path is not."""
    return f"{policy_name(arn).lower()}/{arn.split(':')[4]}"
