"""What became of one API call, as a record of the audit log: pure.

The chain notes in `Heard` what it learns on its way, and `record_of` makes one record of it when the call has ended,
however it ended. The source address is what the proxy saw of the connection (docs/routes.md).
The access key of somebody who was not identified is only what the request claims.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from tradewind.api.callers import Caller
from tradewind.api.requests import RawRequest
from tradewind.audit import EventType, Identity, Record, caller, unknown
from tradewind.domain.arns import Place
from tradewind.wire import Service, WireError

_SOURCES = {"mwaa": "airflow.amazonaws.com", "iam": "iam.amazonaws.com", "sts": "sts.amazonaws.com"}
_OWN_SOURCE = "tradewind"
_READS = re.compile(r"(Get|List|Describe|Simulate)[A-Z]")
_ISSUES = frozenset({"GetSessionToken", "GetFederationToken", "GetWebIdentityToken"})  # they make credentials
_CREDENTIAL = re.compile(r"(?:^|[\s,&?])(?:Credential|X-Amz-Credential)=(\w{1,128})/", re.ASCII)
_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{4,124}")  # somebody may have put his secret where the id belongs
_NO_OPERATION = "UnknownOperation"


@dataclass
class Heard:
    """One call, as far as it got. Only `answer` of the chain fills it."""

    request: RawRequest
    request_id: str
    moment: datetime
    operation: str | None = None
    caller: Caller | None = None
    parameters: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    error: WireError | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can have been changed by it."""
        return is_read_only(self.operation)


def is_read_only(operation: str | None) -> bool:
    """CloudTrail's `readOnly`, by the operation's name: all of AWS's are named so. What is none changes nothing."""
    return operation is None or (operation not in _ISSUES and _READS.match(operation) is not None)


def record_of(heard: Heard, service: Service, place: Place) -> Record:
    """The record of a call that has ended."""
    operation, error = heard.operation, heard.error
    parameters = result = None
    is_known = heard.caller is not None or error is None  # what an outsider sent is nobody's business
    if operation is not None and heard.parameters is not None and is_known:
        parameters = service.redact(operation, heard.parameters)
    if operation is not None and heard.result is not None:
        result = service.redact_result(operation, heard.result)
    return Record(
        moment=heard.moment,
        source=_SOURCES.get(service.name, _OWN_SOURCE),
        name=operation or _NO_OPERATION,
        type=EventType.API_CALL,
        identity=_identity(heard),
        region=place.region,
        account=place.account,
        event_id=str(uuid.uuid4()),
        request_id=heard.request_id,
        address=heard.request.source,
        agent=heard.request.header("user-agent"),
        is_read_only=heard.is_read_only,
        parameters=parameters,
        response=result,
        error_code=error.code if error else "",
        error_message=error.message if error else "",
        host=heard.request.header("host"),
        details={} if operation else {"method": heard.request.method, "path": heard.request.path},
    )


def _identity(heard: Heard) -> Identity:
    if heard.caller is None:
        claimed = claimed_key(heard)
        return unknown(claimed if _KEY_ID.fullmatch(claimed) else "")
    principal, key = heard.caller.principal, heard.caller.access_key_id
    return caller(principal.arn, access_key_id=key, user_id=principal.user_id, role_arn=principal.role_arn)


def claimed_key(heard: Heard) -> str:
    """What a request says of the access key that it is signed with."""
    request = heard.request
    found = _CREDENTIAL.search(request.header("authorization")) or _CREDENTIAL.search(unquote(request.query))
    return found[1] if found else ""
