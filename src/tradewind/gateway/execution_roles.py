"""`POST /aws_mwaa/execution-role`: credentials of the environment's execution role, for the environment alone.

Its process `credentials` asks, with a JWT as bearer (`access/execution_roles.py`), at the environment's own host. The
answer is AWS's document of container credentials; a refusal is `{"code", "message"}`, which tasks get to see as it is.
Whoever asks cannot choose: the role is that of the settings in force, or being put in force.
"""

from datetime import UTC

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tradewind.access.execution_roles import CannotIssue, ProofRefused, TemporaryCredentials, redeem
from tradewind.audit import service
from tradewind.domain.environments import Phase, Target
from tradewind.gateway.auditing import Attempt, recorded, role_assumed
from tradewind.gateway.environments import marked
from tradewind.gateway.services import GatewayServices

_log = structlog.get_logger(__name__)


def give_credentials(services: GatewayServices, request: Request) -> Response:
    """Credentials, or why there are none; neither leaves without a record."""
    attempt = role_assumed(services, request)
    return recorded(services, attempt, _answer(services, request, attempt))


def _answer(services: GatewayServices, request: Request, attempt: Attempt) -> Response:
    if services.issue_credentials is None:
        return _problem(404, "NotFound", "This service gives no credentials.")
    attempt.environment = environment = marked(services, request)
    if environment is None or environment.target is not Target.PRESENT or environment.phase is Phase.REFUSED:
        return _problem(503, "ServiceUnavailable", "The environment is not available.")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    role = environment.spec.execution_role_arn
    attempt.parameters["roleArn"] = role
    proof = token.strip() if scheme.lower() == "bearer" else ""
    try:
        wanted = redeem(proof, environment, services.now(), services.used_tokens)
        attempt.identity = service("airflow-env.amazonaws.com")
        if wanted != role:
            sentence = f"cannot give credentials: the environment's execution role is {role}, not {wanted}"
            return _problem(409, "RoleNotInForce", sentence)
        issued = services.issue_credentials(environment)
    except ProofRefused as refused:
        _log.warning("execution_role", action="refused", environment=str(environment.id))
        return _problem(401, "Unauthorized", refused.sentence)
    except CannotIssue as error:
        _log.info("execution_role", action="not_issued", environment=str(environment.id), reason=error.sentence)
        return _problem(403, "RoleUnavailable", error.sentence)
    attempt.response = {"credentials": {"accessKeyId": issued.access_key_id}}
    _log.info("execution_role", action="issued", environment=str(environment.id), role=role)
    return JSONResponse(_document(issued, role), headers={"Cache-Control": "no-store"})


def _document(issued: TemporaryCredentials, role: str) -> dict[str, str]:
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "Token": issued.session_token,
        "Expiration": issued.expiration.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "RoleArn": role,
    }


def _problem(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status, headers={"Cache-Control": "no-store"})
