"""InvokeRestApi: one call to the environment's Airflow REST API, as the caller.

`Path` comes without `/api/v2`. Airflow's 4xx and 5xx become RestApiClientException and
RestApiServerException, both HTTP 400, with Airflow's status and body inside. 10 seconds and 6 MB are
MWAA's limits (its User Guide, "access-mwaa-apache-airflow-rest-api"); ours answer in the same shape. At most 64
calls of one environment are under way; the next one is told to come again (ThrottlingException). The path
must stay below `/api/v2`: dot segments, queries and fragments are refused.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

import httpx

from tradewind.access.identities import airflow_identity
from tradewind.access.sessions import ApiServer, SessionRefused
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import access_denied, rest_api, validation
from tradewind.api.operations.tokens import grant_of, ready
from tradewind.api.services import Services
from tradewind.domain.environments import Environment
from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes.listening import is_barred
from tradewind.wire import FrontDoorError

_SECONDS = 10.0
_LIMIT = 6 * 1024 * 1024
_WITH_BODY = {"POST", "PUT", "PATCH"}
_UNAUTHORIZED = 401
_FIRST_ERROR = 400
_FIRST_REDIRECT = 300
MOST_AT_ONCE = 64  # calls of one environment, of the server's 200 threads
_lock = threading.Lock()
_under_way: Counter[EnvironmentId] = Counter()
_BAD_GATEWAY, _UNAVAILABLE, _TIMEOUT = 502, 503, 504


def invoke_rest_api(services: Services, call: Call) -> Answer:
    """Pass one call on."""
    path = _safe_path(call["Path"])
    query = list(_query(call.get("QueryParameters")))
    environment = ready(services, call["Name"])
    if is_barred(environment.spec.webserver_access_mode, call.headers):
        raise access_denied("The environment's web server is private: call its REST API by the private endpoint.")
    with _turn(environment):
        response = _send(services, environment, call, path, query)
    document = _document(response)
    if response.status_code >= _FIRST_ERROR:
        raise rest_api(response.status_code, document)
    if response.status_code >= _FIRST_REDIRECT:
        raise rest_api(404, {"title": "Not Found", "status": 404, "detail": f"No resource at {call['Path']}"})
    return Answer({"RestApiStatusCode": response.status_code, "RestApiResponse": document})


@contextmanager
def _turn(environment: Environment) -> Iterator[None]:
    """One of an environment's turns: one that hangs must not have all threads of the server wait for it."""
    with _lock:
        if _under_way[environment.id] >= MOST_AT_ONCE:
            raise FrontDoorError("ThrottlingException", "Rate exceeded")
        _under_way[environment.id] += 1
    try:
        yield
    finally:
        with _lock:
            _under_way[environment.id] -= 1
            if not _under_way[environment.id]:
                del _under_way[environment.id]


def _send(
    services: Services, environment: Environment, call: Call, path: str, query: Sequence[tuple[str, str]]
) -> httpx.Response:
    """Send with a session of the caller; one that Airflow does not know any more is replaced once."""
    server = ApiServer(environment.id, environment.ports.api, environment.secrets.assertion_secret.encode())
    identity = airflow_identity(call.principal.identity)
    roles = grant_of(services, call, environment).roles
    method, body = call["Method"], call.get("Body")
    content = json.dumps(body if body is not None else {}).encode() if method in _WITH_BODY else None
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if content is not None else {})
    until = services.now() + timedelta(seconds=_SECONDS)
    try:
        for last in (False, True):
            token = services.sessions.token(server, identity, roles)
            request = services.http.build_request(
                method,
                f"{server.url}/api/v2{path}",
                params=httpx.QueryParams(tuple(query)),
                content=content,
                headers=headers | {"Authorization": f"Bearer {token}"},
                timeout=_SECONDS,
            )
            response = _read(services.http.send(request, stream=True), lambda: services.now() > until)
            if response.status_code != _UNAUTHORIZED or last:
                break
            services.sessions.forget(token)
    except httpx.InvalidURL as error:
        raise validation("Path and QueryParameters are too long together.") from error
    except httpx.TimeoutException as error:
        raise rest_api(_TIMEOUT, _problem(_TIMEOUT, f"Airflow did not answer within {_SECONDS:.0f} seconds")) from error
    except (httpx.HTTPError, SessionRefused) as error:
        raise rest_api(_UNAVAILABLE, _problem(_UNAVAILABLE, "Airflow's web server does not answer")) from error
    return response


def _read(response: httpx.Response, is_late: Callable[[], bool]) -> httpx.Response:
    """The answer whole. The client's own limit is one of silence; an answer that drips must end as well."""
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_bytes():
            size += len(part)
            if size > _LIMIT:
                raise rest_api(_BAD_GATEWAY, _problem(_BAD_GATEWAY, f"The answer is larger than {_LIMIT} bytes"))
            if is_late():
                raise httpx.ReadTimeout("the answer came too slowly")
            parts.append(part)
    finally:
        response.close()
    return httpx.Response(
        response.status_code,
        headers={"content-type": response.headers.get("content-type", "")},
        content=b"".join(parts),
    )


def _document(response: httpx.Response) -> Any:
    if not response.content:
        return {}
    try:
        document = response.json()
        json.dumps(document, allow_nan=False)  # what could not be written back is told as text
    except (ValueError, RecursionError):
        return response.text
    return document


def _safe_path(path: str) -> str:
    # Decoded too: Airflow's server ends the connection on a line end in a path, and fails on a NUL without a reason.
    if any(mark in path for mark in "?#\\") or any(ord(character) < ord(" ") for character in path + unquote(path)):
        raise validation(
            "Path must not hold a query, a fragment, a backslash or control characters; use QueryParameters."
        )
    whole = path if path.startswith("/") else f"/{path}"
    if any(segment in {".", ".."} for segment in unquote(unquote(whole)).split("/")):
        raise validation("Path must not hold the segments . or ..")
    return quote(whole, safe="/%:@!$&'()*+,;=~-._")


def _query(parameters: Any) -> Iterator[tuple[str, str]]:
    if parameters is None:
        return
    if not isinstance(parameters, Mapping):
        raise validation("QueryParameters must be a JSON object.")
    for name, value in parameters.items():
        for single in value if isinstance(value, list) else [value]:
            if isinstance(single, dict | list):
                raise validation(
                    f"QueryParameters: the value of {name} must be a string, a number, a boolean or a list of them."
                )
            if single is not None:
                yield str(name), json.dumps(single) if isinstance(single, bool) else str(single)


def _problem(status: int, detail: str) -> dict[str, Any]:
    return {"status": status, "title": HTTPStatus(status).phrase, "detail": detail}
