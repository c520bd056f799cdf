"""What may stand as an action, a resource or a principal in a policy, by its form alone.

Whether a principal exists is not known here: who stores a trust policy asks for that. Sentences are AWS's.
"""

import re

from tradewind.iam.errors import NO_VENDOR, SYNTAX, TRUST_ACTIONS, TWO_COLONS, MalformedDocument

_VENDOR = re.compile(r"[a-zA-Z0-9\-.]+")
_PARTITION = re.compile(r"aws(?:-[a-z]+)*|\*")
_IAM_KINDS = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
)
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|A[A-Z0-9]{15,127}"
    r"|arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:(?:root|(?:user|role)/[!-)+->@-~]+)"
    r"|arn:aws(?:-[a-z]+)*:sts::[0-9]{12}:(?:assumed-role|federated-user)/[!-)+->@-~]+"
)
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
_FEDERATED = re.compile(r"[!-)+->@-~]{1,2048}")
_PRINCIPALS = {"AWS": _AWS_PRINCIPAL, "Service": _SERVICE, "Federated": _FEDERATED}
_TRUST_ACTION = re.compile(r"sts:[a-z*?]+")


def check_action(text: str) -> None:
    """`*` or `vendor:name`. Raises MalformedDocument."""
    if text == "*":
        return
    vendor, colon, name = text.partition(":")
    if not colon:
        raise MalformedDocument(NO_VENDOR)
    if ":" in name:
        raise MalformedDocument(TWO_COLONS)
    if vendor != "*" and not _VENDOR.fullmatch(vendor):
        raise MalformedDocument(f"Vendor {vendor} is not valid")
    if not name:
        raise MalformedDocument(SYNTAX)


def check_trust_action(text: str) -> None:
    """An action of sts. Raises MalformedDocument."""
    if not _TRUST_ACTION.fullmatch(text.lower()):
        raise MalformedDocument(TRUST_ACTIONS)


def check_resource(text: str) -> None:
    """`*` or an ARN, perhaps with wildcards and variables. Raises MalformedDocument."""
    if text == "*":
        return
    scheme, _, after = text.partition(":")
    if scheme != "arn" or not after:
        raise MalformedDocument(f'Resource {text} must be in ARN format or "*".')
    parts = after.split(":", 4)
    if "${" not in text and not _PARTITION.fullmatch(parts[0]):
        shown = ":".join([*parts, *"****"][:5])
        raise MalformedDocument(f'Partition "{parts[0]}" is not valid for resource "arn:{shown}".')
    if parts[1:2] == ["iam"] and len(parts) == 5 and not _is_of_iam(parts[2], parts[4]):  # noqa: PLR2004  (an ARN)
        raise MalformedDocument(
            f"IAM resource {text} cannot contain region information."
            if parts[2]
            else f'IAM resource path must either be "*" or start with {", ".join(_IAM_KINDS)}.'
        )


def _is_of_iam(region: str, path: str) -> bool:
    return not region and (path == "*" or path.startswith((*_IAM_KINDS, "${")))


def check_principal(type_: str, text: str) -> None:
    """A principal of a trust policy by its type. Raises MalformedDocument."""
    if type_ not in _PRINCIPALS:
        raise MalformedDocument(SYNTAX)
    if not _PRINCIPALS[type_].fullmatch(text):
        shown = type_.upper() if type_ == "Service" else type_
        raise MalformedDocument(f'Invalid principal in policy: "{shown}":"{text}"')
