"""The chain that every API request goes through, as one readable list.

    route, identify, authorise, decode, check, operate, encode

Each link takes what the ones before found and raises a WireError when the request ends there. What is
not a WireError is a defect of ours: it is logged whole and answered as InternalServerException. The
decision is made before the body's members are checked, as AWS does: who may not call does not learn more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from tradewind.api.authorisation import action, resource
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import access_denied, validation
from tradewind.api.operations import OPERATIONS, Operation
from tradewind.api.services import Services
from tradewind.iam import Principal, authorise, root_principal
from tradewind.wire import Bounds, Response, Routed, Service, SignedRequest, WireError, validation_message, verify

# The model says 64; AWS's own clients send whole run ids, which are longer (docs/wire.md).
_OVERRIDES = {"RestApiPath": Bounds(1, 2048)}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RawRequest:
    """A request as it arrived: path and query undecoded."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Chain:
    """The service model, its operations, and what they work with."""

    service: Service
    services: Services
    operations: Mapping[str, Operation] = field(default_factory=lambda: OPERATIONS)

    def answer(self, request: RawRequest, request_id: str) -> Response:
        """One request to one response; never raises."""
        operation = "-"
        try:
            routed = self.service.route(request.method, request.path)
            operation = routed.operation
            principal = self._identify(request)
            parameters = self._decode(routed, request)
            self._authorise(principal, operation, parameters)
            self._check(operation, parameters)
            headers = {name.lower(): value for name, value in request.headers}
            call = Call(operation, principal, parameters, request_id, headers)
            answer = self.operations[operation](self.services, call)
            response = self._encode(operation, answer, request_id)
        except WireError as error:
            response = self.service.encode_error(error, request_id)
            _log.info("call", action="refused", operation=operation, error=error.code, request_id=request_id)
        except Exception:  # noqa: BLE001  (a defect of ours: logged whole, told as internal)
            _log.exception("call", action="failed", operation=operation, request_id=request_id)
            internal = WireError("InternalServerException", "An internal error occurred.")
            response = self.service.encode_error(internal, request_id)
        else:
            _log.info("call", action="answered", operation=operation, request_id=request_id)
        return response

    def _identify(self, request: RawRequest) -> Principal:
        account = self.services.account
        secrets = {account.access_key_id: account.secret_access_key}
        signed = SignedRequest(request.method, request.path, request.query, request.headers, request.body)
        verify(
            signed,
            region=self.services.place.region,
            service=self.service.signing_name,
            lookup=secrets.get,
            now=self.services.now(),
        )
        return root_principal(account.account_id, self.services.place.partition)

    def _decode(self, routed: Routed, request: RawRequest) -> dict[str, Any]:
        return self.service.decode(routed.operation, routed.labels, request.query, request.headers, request.body)

    def _authorise(self, principal: Principal, operation: str, parameters: dict[str, Any]) -> None:
        decision = authorise(
            principal, action(operation, self.service.name), resource(operation, parameters, self.services.place)
        )
        if not decision:
            raise access_denied(decision.reason)

    def _check(self, operation: str, parameters: dict[str, Any]) -> None:
        problems = self.service.check(operation, parameters, overrides=_OVERRIDES)
        if problems:
            raise validation(validation_message(problems))
        if _holds_nul(parameters):  # the model's patterns let it through, PostgreSQL does not
            raise validation("The request holds a NUL character.")

    def _encode(self, operation: str, answer: Answer, request_id: str) -> Response:
        response = self.service.encode(operation, answer.result, request_id)
        return replace(response, headers={**response.headers, **(answer.headers or {})})


def _holds_nul(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case list() | tuple():
            return any(_holds_nul(item) for item in value)
        case Mapping():
            return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
        case _:
            return False
