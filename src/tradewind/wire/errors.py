"""The error that a request may end in, and the statuses of AWS's errors that no service model lists.

A WireError carries AWS's error type, a sentence and, where the model says so, more members. A service's
own errors have their HTTP status in its model. Those of the front door (authentication, routing, malformed
bodies, throttling) are the same for all services. REST services such as MWAA answer all failures of
authentication with 403, also a malformed Authorization header, for which the query protocol answers 400.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COMMON_ERRORS: Mapping[str, int] = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "IncompleteSignatureException": 403,
    "InternalFailure": 500,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}


@dataclass(eq=False)
class WireError(Exception):
    """A request that ends in an error of AWS's: type, sentence and the type's further members."""

    code: str
    message: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
