"""What must be allowed before an operation of IAM's or STS's runs.

IAM's are asked on the ARN of the entity that they are about, with the keys of IAM's service authorization
reference. Who makes something with tags needs the right to tag it too, as at AWS: tags of users and roles are what
other policies decide by. GetCallerIdentity and GetSessionToken need no permission, AssumeRole is decided by the
role's trust policy and the caller's policies together, in the operation itself (AWS STS API reference, "Permissions").
"""

from collections.abc import Mapping
from typing import Any

from tradewind.api.authorisation import Question, Questions
from tradewind.api.callers import Caller
from tradewind.api.operations.iam.resources import iam_asked
from tradewind.api.services import Services

_FREE = frozenset({"GetCallerIdentity", "GetSessionToken", "AssumeRole"})
_TAGGING = {"CreateUser": "iam:TagUser", "CreateRole": "iam:TagRole", "CreatePolicy": "iam:TagPolicy"}


def of_iam(operation: str, parameters: Mapping[str, Any], services: Services, caller: Caller) -> Questions:
    """IAM's: the same action on every ARN that the call is about, and the right to tag what is made with tags."""
    asked = iam_asked(operation, parameters, services.identities, caller.principal)
    action = f"iam:{operation}"
    arns = zip((asked.resource, *asked.further), asked.shown, strict=True)
    each = [Question(action, arn, asked.context, shown) for arn, shown in arns]
    if operation in _TAGGING and parameters.get("Tags"):
        each.append(Question(_TAGGING[operation], asked.resource, asked.context, asked.shown[0]))
    return Questions(tuple(each))


def of_sts(operation: str, _parameters: Mapping[str, Any], _services: Services, _caller: Caller) -> Questions:
    """STS's."""
    return Questions(() if operation in _FREE else (Question(f"sts:{operation}", "*"),))
