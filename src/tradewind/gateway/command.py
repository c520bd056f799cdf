"""`POST /aws_mwaa/cli`: one command of Airflow's command line, as MWAA runs it.

Bearer: a CLI token. Body: the arguments without the leading `airflow`, as text. Answer: one line of JSON with
base64 `stdout` and `stderr`; the command's exit status is not returned (MWAA does not either). Commands that are
not on MWAA's list are refused with 403 before anything runs. At most two run at once for an environment. As at the
login, a token that is right is always taken, and only wrong ones are answered 429 after too many of them.
"""

import asyncio
import base64
import json
from collections import defaultdict
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tradewind.access.commands import CommandUnreadable, check, parse
from tradewind.access.tokens import TokenRefused, redeem_cli_token
from tradewind.audit import named, redact_command
from tradewind.domain.environments import Environment
from tradewind.domain.manifests import Completed
from tradewind.gateway.auditing import Attempt, airflow_command, recorded, refusal_unless_recorded
from tradewind.gateway.environments import environment_of
from tradewind.gateway.limits import one_more_wrong
from tradewind.gateway.services import GatewayServices

_AT_ONCE = 2
_BODY_LIMIT = 200_000
_log = structlog.get_logger(__name__)
# Of the event loop, not of threads: who waits for a turn must not hold a thread that others' requests need.
_slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))


async def run_command(services: GatewayServices, request: Request) -> Response:
    """Read the request whole, then run the command in a thread."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _BODY_LIMIT:
            return await run_in_threadpool(_refuse_length, services, request)
    asked = await run_in_threadpool(_admit, services, request, body)
    if isinstance(asked, Response):
        return asked
    async with _slots[str(asked.environment.id)]:
        problem = await run_in_threadpool(_begin, services, request, asked)
        if problem is not None:
            return problem
        done = await run_in_threadpool(services.run_cli, asked.environment, asked.arguments)
    _log.info(
        "cli", action="ran", environment=str(asked.environment.id), command=asked.arguments[:2], status=done.exit_status
    )
    return _answer(done)


@dataclass(frozen=True)
class _Admitted:
    """A command that may run."""

    environment: Environment
    arguments: tuple[str, ...]
    attempt: Attempt


def _begin(services: GatewayServices, request: Request, asked: _Admitted) -> Response | None:
    """Record that the command runs, before it does: what cannot be recorded is not run. None: go on."""
    environment = environment_of(services, request)
    if environment is None or environment.is_on_hold:  # it was about to be moved when the command's turn came
        return recorded(services, asked.attempt, _problem(503, "The environment is not available."))
    return refusal_unless_recorded(services, asked.attempt)


def _refuse_length(services: GatewayServices, request: Request) -> Response:
    problem = _problem(413, f"The command is longer than {_BODY_LIMIT} bytes.")
    return recorded(services, airflow_command(services, request), problem)


def _admit(services: GatewayServices, request: Request, body: bytes) -> _Admitted | Response:
    attempt = airflow_command(services, request)
    admitted = _decide(services, request, body, attempt)
    return recorded(services, attempt, admitted) if isinstance(admitted, Response) else admitted


def _decide(services: GatewayServices, request: Request, body: bytes, attempt: Attempt) -> _Admitted | Response:
    attempt.environment = environment = environment_of(services, request)
    if environment is None or environment.is_on_hold:  # what a command writes may be lost then
        return _problem(503, "The environment is not available.")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return _problem(401, "A CLI token is needed: Authorization: Bearer <CliToken>.")
    try:
        redeemed = redeem_cli_token(token.strip(), environment.id, services.account.token_key, services.now())
        attempt.identity = named(redeemed.grant.iam_identity, services.account.account_id)
        arguments = parse(body)
        attempt.parameters["command"] = redact_command(arguments)
    except TokenRefused as refused:
        _log.info("cli", action="refused", environment=str(environment.id), reason=refused.reason.value)
        attempt.details["reason"] = refused.reason.value
        return one_more_wrong(services.tries, request) or _problem(403, refused.sentence)
    except CommandUnreadable as unreadable:
        return _problem(400, unreadable.sentence)
    verdict = check(arguments, environment.spec.airflow_version)
    if not verdict:
        return _problem(403, verdict.sentence)
    return _Admitted(environment, arguments, attempt)


def _answer(done: Completed) -> Response:
    stderr = done.stderr + (b"\nThe command was ended: it took too long.\n" if done.timed_out else b"")
    document = {"stdout": base64.b64encode(done.stdout).decode(), "stderr": base64.b64encode(stderr).decode()}
    return Response(json.dumps(document), media_type="application/json")


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
