"""The chain that every API request goes through, as one readable list.

    route, identify, decode, authorise, check, operate, encode, record

Each link takes what the ones before found and raises a WireError when the request ends there. What is
not a WireError is a defect of ours: it is logged whole and answered as AWS's internal error. The
decision is made before the body's members are checked, as AWS does: who may not call does not learn more.
Every answer is in the audit log before it leaves; what cannot be recorded is answered as an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from tradewind.api.apis import Api
from tradewind.api.auditing import Heard, record_of
from tradewind.api.authorisation import decide
from tradewind.api.callers import Caller, identify
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import access_denied, validation
from tradewind.api.requests import RawRequest
from tradewind.api.services import Services
from tradewind.wire import Bounds, FrontDoorError, Response, WireError, validation_message

# The model says 64; AWS's own clients send whole run ids, which are longer (docs/wire.md).
_OVERRIDES = {"RestApiPath": Bounds(1, 2048)}
_UNAVAILABLE = FrontDoorError("ServiceUnavailableException", "The service is unavailable. Try again in a moment.")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Chain:
    """One API and what its operations work with."""

    api: Api
    services: Services

    def answer(self, request: RawRequest, request_id: str) -> Response:
        """One request to one response; never raises."""
        heard = Heard(request, request_id, self.services.now())
        try:
            response = self._respond(request, heard)
        except WireError as error:
            response = self._refuse(heard, error)
            _log.info(
                "call", action="refused", operation=heard.operation or "-", error=error.code, request_id=request_id
            )
        except Exception:  # noqa: BLE001  (a defect of ours: logged whole, told as internal)
            _log.exception("call", action="failed", operation=heard.operation or "-", request_id=request_id)
            response = self._refuse(heard, self._internal)
        else:
            _log.info("call", action="answered", operation=heard.operation or "-", request_id=request_id)
        return self._recorded(heard, response)

    def refuse(self, request: RawRequest, error: WireError, request_id: str) -> Response:
        """Answer a request that was not even read to its end; never raises."""
        heard = Heard(request, request_id, self.services.now())
        return self._recorded(heard, self._refuse(heard, error))

    def _respond(self, request: RawRequest, heard: Heard) -> Response:
        service = self.api.service
        routed = service.route(request.signed)
        heard.operation = operation = routed.operation
        heard.caller = caller = identify(request, self.services, scope=service.signing_name)
        heard.parameters = parameters = service.decode(
            operation, routed.labels, request.query, request.headers, request.body
        )
        self._authorise(caller, operation, parameters)
        perform = self.api.operations.get(operation)
        if perform is None:
            sentence = f"{operation} is not supported by this release of Tradewind."
            raise FrontDoorError("NotImplementedException", sentence)
        self._check(operation, parameters)
        headers = {name.lower(): value for name, value in request.headers}
        answer = perform(self.services, Call(operation, caller, parameters, heard.request_id, headers))
        heard.result = answer.result
        return self._encode(operation, answer, heard.request_id)

    def _authorise(self, caller: Caller, operation: str, parameters: Mapping[str, Any]) -> None:
        decision = decide(caller, self.api.questions(operation, parameters, self.services, caller))
        if not decision:
            raise access_denied(decision.reason)

    def _check(self, operation: str, parameters: dict[str, Any]) -> None:
        problems = self.api.service.check(operation, parameters, overrides=_OVERRIDES)
        if problems:
            raise validation(validation_message(problems))
        if _holds_nul(parameters):  # the model's patterns let it through, PostgreSQL does not
            raise validation("The request holds a NUL character.")

    def _encode(self, operation: str, answer: Answer, request_id: str) -> Response:
        response = self.api.service.encode(operation, answer.result, request_id)
        return replace(response, headers={**response.headers, **(answer.headers or {})})

    def _refuse(self, heard: Heard, error: WireError) -> Response:
        heard.error = error
        return self.api.service.encode_error(error, heard.request_id)

    def _recorded(self, heard: Heard, response: Response) -> Response:
        """The response, once the call is in the audit log; an error when it cannot be."""
        try:
            record = record_of(heard, self.api.service, self.services.place)
            self.services.trail.record(record, of_outsider=heard.caller is None and heard.error is not None)
        except Exception:  # noqa: BLE001  (an answer whose record is missing must not leave)
            _log.exception("audit", action="failed", operation=heard.operation or "-", request_id=heard.request_id)
            # what changed something has been done: "try again" would do it twice
            missing = _UNAVAILABLE if heard.is_read_only else self._internal
            return self.api.service.encode_error(missing, heard.request_id)
        return response

    @property
    def _internal(self) -> WireError:
        return WireError(self.api.internal_error, "An internal error occurred.")


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
