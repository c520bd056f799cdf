"""What became of a sign-in or of a command of Airflow's, as a record of the audit log.

A handler fills an `Attempt` with what it learns, and hands it over with its answer: `recorded` gives the answer back
once the record is committed, or another one when it cannot be. A sign-in that cannot be recorded gives no session;
a command is recorded before it runs, and does not run otherwise. Error codes follow from the answer's status. Who
meets a defect of ours leaves a record too (`failed`).
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tradewind.audit import EventType, Identity, IdentityType, Record, unknown
from tradewind.domain.environments import Environment
from tradewind.gateway.limits import address_of
from tradewind.gateway.services import GatewayServices
from tradewind.store.trail import SOURCE

_CODES = {
    400: "ValidationException",
    401: "MissingAuthenticationTokenException",
    403: "AccessDeniedException",
    404: "UnknownOperationException",
    405: "UnknownOperationException",
    409: "ConflictException",
    413: "RequestEntityTooLargeException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
_FIRST_ERROR = 400
_log = structlog.get_logger(__name__)


@dataclass
class Attempt:
    """One request to the gateway, as far as it is known. Nothing secret may be put in."""

    name: str
    type: EventType
    moment: datetime
    address: str
    agent: str
    host: str
    environment: Environment | None = None
    identity: Identity = field(default_factory=unknown)
    parameters: dict[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    is_recorded: bool = False


def sign_in(services: GatewayServices, request: Request, how: str = "WebLoginToken") -> Attempt:
    """Somebody wants a session of Airflow's; `how` names what is presented for it."""
    attempt = _attempt(services, request, "AirflowLogin", EventType.SIGN_IN)
    attempt.details["method"] = how
    return attempt


def airflow_command(services: GatewayServices, request: Request) -> Attempt:
    """Somebody wants to run a command of Airflow's."""
    return _attempt(services, request, "RunAirflowCommand", EventType.API_CALL)


def role_assumed(services: GatewayServices, request: Request) -> Attempt:
    """An environment's own process wants credentials of the execution role."""
    return _attempt(services, request, "AssumeRole", EventType.API_CALL)


def nothing_there(services: GatewayServices, request: Request) -> Attempt:
    """Somebody tries a path or a method that is none."""
    attempt = _attempt(services, request, "UnknownOperation", EventType.API_CALL)
    attempt.details |= {"method": request.method, "path": request.url.path}
    return attempt


def _attempt(services: GatewayServices, request: Request, name: str, type_: EventType) -> Attempt:
    headers = request.headers
    request.state.attempt = attempt = Attempt(
        name=name,
        type=type_,
        moment=services.now(),
        address=address_of(request) or "",
        agent=headers.get("user-agent", ""),
        host=headers.get("host", ""),
    )
    return attempt


def failed(services: GatewayServices, request: Request) -> Response:
    """The answer to what ended in an exception: 500, recorded with what was known of the attempt by then."""
    attempt: Attempt = getattr(request.state, "attempt", None) or nothing_there(services, request)
    answer = JSONResponse({"message": "An internal error occurred."}, 500, headers={"Cache-Control": "no-store"})
    return answer if attempt.is_recorded else recorded(services, attempt, answer)


def recorded(services: GatewayServices, attempt: Attempt, answer: Response) -> Response:
    """The answer, once the attempt is in the audit log; 503 when it cannot be."""
    return refusal_unless_recorded(services, attempt, answer) or answer


def refusal_unless_recorded(
    services: GatewayServices, attempt: Attempt, answer: Response | None = None
) -> Response | None:
    """Record; None when that is done. Without an answer the attempt is allowed, and its outcome is not known yet."""
    is_outsider = attempt.identity.type is IdentityType.UNKNOWN
    try:
        services.trail.record(_record(services, attempt, answer), of_outsider=is_outsider)
    except Exception:  # noqa: BLE001  (whatever it is, the attempt must not succeed unseen)
        _log.exception("audit", action="failed", attempt=attempt.name)
        message = {"message": "The service is unavailable. Try again in a moment."}
        return JSONResponse(message, 503, headers={"Cache-Control": "no-store"})
    attempt.is_recorded = True
    return None


def _record(services: GatewayServices, attempt: Attempt, answer: Response | None) -> Record:
    code, message = ("", "") if answer is None else _error(answer)
    environment = attempt.environment
    named = {} if environment is None else {"name": environment.name, "environmentId": str(environment.id)}
    return Record(
        moment=attempt.moment,
        source=SOURCE,
        name=attempt.name,
        type=attempt.type,
        identity=attempt.identity,
        region=services.trail.region,
        account=services.trail.account,
        event_id=str(uuid.uuid4()),
        address=attempt.address,
        agent=attempt.agent,
        parameters={**named, **attempt.parameters},
        response=attempt.response,
        error_code=code,
        error_message=message,
        host=attempt.host,
        details=attempt.details,
    )


def _error(answer: Response) -> tuple[str, str]:
    """Code and sentence of an answer; both empty when it is none."""
    if answer.status_code < _FIRST_ERROR:
        return "", ""
    code = _CODES.get(answer.status_code, "InternalFailure")
    try:
        message = json.loads(bytes(answer.body))["message"]
    except (ValueError, KeyError, TypeError):
        message = ""
    return code, str(message)
