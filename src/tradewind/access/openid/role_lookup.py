"""The role that the settings name, as IAM's tables have it."""

from tradewind.access.openid.federation import FederatedRole
from tradewind.iam import DocumentKind, parse_document
from tradewind.store import Identities


def find_role(identities: Identities, wanted: str) -> FederatedRole | None:
    """By name or ARN, with what is in force for it; None when there is no such role. Two queries."""
    role = identities.role(wanted.rsplit("/", 1)[-1])
    if role is None or (wanted.startswith("arn:") and wanted != role.arn):
        return None
    found = identities.holding_of(role.arn)
    if found is None:  # deleted between the two
        return None
    trust = parse_document(role.trust, DocumentKind.TRUST)
    return FederatedRole(role.arn, role.name, role.id, trust, found[1], role.tags)
