"""Access keys. A call that names no user is about the caller's own; the secret is in the answer of its making only.

The root's key is made with the account (`tradewind up` shows it): it is listed here, and made, switched off or deleted
nowhere in IAM.
"""

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamServices, moment, user_called
from tradewind.api.operations.iam.views import key_view
from tradewind.iam.refusals import invalid, no_key


def create_access_key(services: IamServices, call: Call) -> Answer:
    """At most two of a user."""
    key, secret = services.identities.keys.create(user_called(call), moment(services))
    return Answer({"AccessKey": {**key_view(key), "SecretAccessKey": secret}})


def list_access_keys(services: IamServices, call: Call) -> Answer:
    """Active or not."""
    if call.get("UserName") is None and call.principal.is_root:
        return Answer({"AccessKeyMetadata": [_root_key(services)], "IsTruncated": False})
    found, more = page(call, services.identities.keys.of_user(user_called(call)), lambda key: key.id)
    return Answer({"AccessKeyMetadata": [key_view(key) for key in found], **more})


def update_access_key(services: IamServices, call: Call) -> Answer:
    """Switch a key on or off; `Expired` is for AWS to set."""
    if call["Status"] not in {"Active", "Inactive"}:
        raise invalid(f"The status {call['Status']} cannot be set: it must be Active or Inactive.")
    is_active = call["Status"] == "Active"
    services.identities.keys.switch(user_called(call), call["AccessKeyId"], is_active=is_active)
    return Answer({})


def delete_access_key(services: IamServices, call: Call) -> Answer:
    """Requests that it signs from now on are refused."""
    services.identities.keys.delete(user_called(call), call["AccessKeyId"])
    return Answer({})


def get_access_key_last_used(services: IamServices, call: Call) -> Answer:
    """When, for which service and in which region; to the minute."""
    key = services.identities.keys.find(call["AccessKeyId"])
    if key is None:
        raise no_key(call["AccessKeyId"])
    used: dict[str, object] = {"ServiceName": key.last_used_service, "Region": key.last_used_region}
    if key.last_used_at is not None:
        used |= {"LastUsedDate": key.last_used_at}
    return Answer({"UserName": key.user_name, "AccessKeyLastUsed": used})


def _root_key(services: IamServices) -> dict[str, object]:
    made = services.identities.account_made_at()
    return {"AccessKeyId": services.account.access_key_id, "Status": "Active", "CreateDate": made}
