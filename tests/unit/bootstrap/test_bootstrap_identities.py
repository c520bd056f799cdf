"""What IAM begins with is made in one go: the role is never there without its policy."""

from datetime import UTC, datetime

from tradewind.bootstrap.identities import EXECUTION_ROLE, ensure_execution_role
from tradewind.domain.arns import Place
from tradewind.iam import DocumentKind, parse_document
from tradewind.iam.entities import Home
from tradewind.iam.quotas import refuse_large_inline, refuse_large_trust

PLACE = Place("123456789012", "us-east-1")


class OneWrite:
    """The store, of which one call is expected and no other is there."""

    home = Home(PLACE.account)

    def __init__(self):
        self.written = []

    @property
    def entities(self):
        return self

    def create_first(self, entity, inline):
        self.written.append((entity, inline))
        return True


def test_the_role_and_its_policy_are_one_write():
    store = OneWrite()
    ensure_execution_role(store, PLACE, datetime(2026, 11, 23, tzinfo=UTC))
    ((role, inline),) = store.written
    assert role.arn == f"arn:aws:iam::{PLACE.account}:role/{EXECUTION_ROLE}"
    assert parse_document(role.trust, DocumentKind.TRUST)
    assert all(parse_document(text) for text in inline.values())
    assert list(inline) == ["execution"]
    refuse_large_trust(role.trust)
    refuse_large_inline(role.kind, role.name, inline.values())
