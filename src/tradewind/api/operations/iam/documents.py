"""Policy documents as they come in and go out: parsed before they are kept, percent-encoded in answers (RFC 3986)."""

from urllib.parse import quote

from tradewind.iam import DocumentKind, MalformedDocument, parse_document
from tradewind.iam.quotas import refuse_large_managed, refuse_large_trust
from tradewind.iam.refusals import malformed


def checked(document: str) -> str:
    """An identity-based policy that can be evaluated. Raises Refused."""
    return _checked(document, DocumentKind.IDENTITY)


def checked_managed(document: str) -> str:
    """The same within the size of a managed policy. Raises Refused."""
    refuse_large_managed(document)
    return checked(document)


def checked_trust(document: str) -> str:
    """A trust policy within its size. Raises Refused."""
    refuse_large_trust(document)
    return _checked(document, DocumentKind.TRUST)


def shown(document: str) -> str:
    """As IAM's answers hold it."""
    return quote(document, safe="")


def _checked(document: str, kind: DocumentKind) -> str:
    try:
        parse_document(document, kind)
    except MalformedDocument as problem:
        raise malformed(str(problem)) from None
    return document
