"""How commands end badly: one sentence on standard error and a status, never a traceback.

| status | meaning |
| --- | --- |
| 0 | done |
| 1 | it could not be done: the API refused it, creation failed, a run failed, doctor found an error |
| 2 | the command line makes no sense |
| 3 | the service does not run or cannot be reached, or an environment's Airflow does not answer |
| 130 | interrupted (Ctrl-C) |
| 141 | whoever read the output has gone |

What nobody foresaw is a defect of ours: it is called internal, and TRADEWIND_DEBUG=1 shows all of it.
"""

import sys
from collections.abc import Mapping
from typing import Any

from tradewind.domain.errors import TradewindError

FAILED, USAGE, UNREACHABLE, INTERRUPTED, PIPE_CLOSED = 1, 2, 3, 130, 141


class Failure(Exception):
    """A sentence for the person, the status to end with, and evidence lines if there are any."""

    def __init__(self, sentence: str, status: int = FAILED, evidence: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.evidence = evidence


def explain(error: BaseException) -> Failure:
    """What to tell about an error."""
    match error:
        case Failure():
            return error
        case TradewindError():
            return Failure(error.sentence, evidence=error.evidence)
        case OSError() if error.strerror and error.filename:
            return Failure(f"cannot use {error.filename}: {error.strerror}")
    return _from_aws(error) or Failure(
        f"cannot go on: internal error: {type(error).__name__}: {_one_line(error)} (TRADEWIND_DEBUG=1 shows all of it)"
    )


def _from_aws(error: BaseException) -> Failure | None:
    """Errors of boto3, if it is loaded at all."""
    aws = sys.modules.get("botocore.exceptions")
    if aws is None or not isinstance(error, aws.BotoCoreError | aws.ClientError):
        return None
    if isinstance(error, aws.ClientError):
        return refused(error.response, error.operation_name)
    if isinstance(error, aws.SSLError):
        return Failure(
            f"cannot reach the service: its certificate is not trusted here ({_one_line(error)}); AWS_CA_BUNDLE must "
            "name the ca_bundle that tradewind up prints",
            UNREACHABLE,
        )
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError):
        return Failure(
            "cannot sign the request: there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "as tradewind up prints them"
        )
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError):
        return Failure(f"cannot reach the service: {_one_line(error)}", UNREACHABLE)
    return Failure(f"cannot call the service: {_one_line(error)}")


def refused(response: Mapping[str, Any], operation: str) -> Failure:
    """AWS's code and message. InvokeRestApi's two errors have no message: Airflow's answer is in them."""
    error = response.get("Error", {})
    code, message, status = error.get("Code", "Unknown"), error.get("Message", ""), FAILED
    if "RestApiStatusCode" in response:
        number = int(response["RestApiStatusCode"])
        message = f"Airflow answered {number}: {airflow_words(response.get('RestApiResponse'))}"
        status = FAILED if number < 500 else UNREACHABLE  # noqa: PLR2004
    return Failure(f"cannot {_as_verb(operation)}: {code}: {' '.join(str(message).split()) or 'no message'}", status)


def airflow_words(document: Any) -> str:
    """The sentence in one of Airflow's error answers."""
    detail = document.get("detail", document) if isinstance(document, dict) else document
    if isinstance(detail, list):  # what FastAPI says about members that are wrong
        detail = "; ".join(str(one.get("msg", one)) if isinstance(one, dict) else str(one) for one in detail)
    if isinstance(detail, dict):
        detail = detail.get("reason") or detail.get("message") or detail
    return " ".join(str(detail or "nothing").split())


def _as_verb(operation: str) -> str:
    """`CreateEnvironment` as `create environment`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in operation).strip()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
