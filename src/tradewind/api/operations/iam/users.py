"""Users: made, read, renamed, deleted, listed."""

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.making import new_entity
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamServices, user_called
from tradewind.api.operations.iam.views import user_view
from tradewind.iam.entities import EntityKind


def create_user(services: IamServices, call: Call) -> Answer:
    """A user without any right."""
    user = services.identities.entities.create(new_entity(services, call, EntityKind.USER))
    return Answer({"User": user_view(user)})


def get_user(services: IamServices, call: Call) -> Answer:
    """A user, or the caller where none is named. The root has no name of its own: AWS's answer leaves it out too."""
    if call.get("UserName") is None and call.principal.is_root:
        return Answer({"User": _root(services)})
    return Answer({"User": user_view(services.identities.entities.get(EntityKind.USER, user_called(call)))})


def update_user(services: IamServices, call: Call) -> Answer:
    """Another name or path; groups, policies and keys stay."""
    services.identities.entities.rename(EntityKind.USER, call["UserName"], call.get("NewUserName"), call.get("NewPath"))
    return Answer({})


def delete_user(services: IamServices, call: Call) -> Answer:
    """Only one that holds nothing any more."""
    services.identities.entities.delete(EntityKind.USER, call["UserName"])
    return Answer({})


def list_users(services: IamServices, call: Call) -> Answer:
    """Of a path prefix, in order of names."""
    users = services.identities.entities.all(EntityKind.USER, call.get("PathPrefix") or "/")
    found, more = page(call, users, lambda user: user.name.lower())
    return Answer({"Users": [user_view(user, is_whole=False) for user in found], **more})


def _root(services: IamServices) -> dict[str, object]:
    home = services.identities.home
    # UserName and Path are required in AWS's model, though AWS leaves them out for its root
    return {
        "Path": "/",
        "UserName": "root",
        "UserId": home.account,
        "Arn": home.root(),
        "CreateDate": services.identities.account_made_at(),
    }
