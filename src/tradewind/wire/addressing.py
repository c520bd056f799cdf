"""Which service a request is for: several are answered at one endpoint, and their paths say nothing.

Whoever signs names the service in the credential scope, so that is read first. It is a hint and no proof: the
chain of that service verifies the signature with its own name, and a lie only leads to a refusal there. A few
operations of STS are asked without a signature (AssumeRoleWithWebIdentity); then a form's Action and Version tell.
Nothing here raises: what cannot be told is None, and each service knows best how to refuse it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote, unquote_plus

_VERSIONS: Mapping[str, str] = {"2010-05-08": "iam", "2011-06-15": "sts"}
_CREDENTIAL = re.compile(r"(?:^|[\s,])Credential=([^\s,]+)")
_QUERY_CREDENTIAL = re.compile(r"(?:^|&)X-Amz-Credential=([^&]*)")
_ACTION = re.compile(rb"(?:^|&)Action=[^&]")
_VERSION = re.compile(rb"(?:^|&)Version=([^&]{1,40})(?:&|$)")
_SCOPE_LENGTH = 5
_SERVICE = 3


def signed_service(headers: Iterable[tuple[str, str]], raw_query: str) -> str | None:
    """The service of the credential scope (`airflow`, `iam`, `sts`); None where nothing is signed or not whole."""
    authorizations = [value for name, value in headers if name.lower() == "authorization"]
    if authorizations:
        found = _CREDENTIAL.search(authorizations[0])
        return _of_scope(found[1]) if found else None
    found = _QUERY_CREDENTIAL.search(raw_query)
    return _of_scope(unquote(found[1])) if found else None


def asked_service(headers: Sequence[tuple[str, str]], raw_query: str, body: bytes) -> str | None:
    """The service a request is signed for or, unsigned, whose form it holds (`iam` or `sts`, by its Version)."""
    signed = signed_service(headers, raw_query)
    if signed is not None:
        return signed
    form = b"&".join(part for part in (raw_query.encode("latin-1", "replace"), body) if part)
    version = _VERSION.search(form) if _ACTION.search(form) else None
    return _VERSIONS.get(unquote_plus(version[1].decode("latin-1"))) if version else None


def _of_scope(credential: str) -> str | None:
    parts = credential.split("/")
    return parts[_SERVICE] if len(parts) == _SCOPE_LENGTH else None
