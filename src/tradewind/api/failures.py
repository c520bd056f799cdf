"""AWS's errors as operations raise them: each with the error type of the service model."""

from typing import Any

from tradewind.wire import FrontDoorError, WireError


def validation(message: str) -> WireError:
    """ValidationException, 400."""
    return WireError("ValidationException", message)


def no_environment(name: str) -> WireError:
    """ResourceNotFoundException, 404."""
    return WireError("ResourceNotFoundException", f"No environment found with name {name}.")


def no_snapshot(id_: str) -> WireError:
    """ResourceNotFoundException, 404."""
    return WireError("ResourceNotFoundException", f"No snapshot found with id {id_}.")


def access_denied(message: str) -> WireError:
    """AccessDeniedException, 403."""
    return FrontDoorError("AccessDeniedException", message)


def rest_api(status: int, response: Any) -> WireError:
    """RestApiClientException for 4xx, RestApiServerException for 5xx of Airflow: both 400, both without a message."""
    code = "RestApiServerException" if status >= 500 else "RestApiClientException"  # noqa: PLR2004
    return WireError(code, "", {"RestApiStatusCode": status, "RestApiResponse": response})
