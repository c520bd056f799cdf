"""The error that a request may end in, and the statuses of AWS's errors that no service model lists.

A WireError carries AWS's error type, a sentence and, where the model says so, more members. A service's
own errors have their HTTP status in its model. Those of the front door (authentication, routing, malformed
bodies, throttling) are the same for all services. REST services such as MWAA answer all failures of
authentication with 403, also a malformed Authorization header, for which the query protocol answers 400.

Who raises an error need not know which protocol the answer is in: the names are those of REST services, and
`QUERY_ERRORS` says what the query protocol (IAM, STS) calls each (source: "Common error types" of IAM's and
STS's API references).
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
    "NotImplementedException": 501,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}

QUERY_ERRORS: Mapping[str, tuple[str, int]] = {
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InternalFailure": ("ServiceFailure", 500),
    "InternalServerException": ("ServiceFailure", 500),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "NotImplementedException": ("NotImplemented", 501),
    "RequestEntityTooLargeException": ("RequestEntityTooLarge", 413),
    "SerializationException": ("MalformedInput", 400),
    "ServiceUnavailableException": ("ServiceUnavailable", 503),
    "ThrottlingException": ("Throttling", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ValidationException": ("ValidationError", 400),
    # Those that only the query protocol has.
    "InvalidAction": ("InvalidAction", 400),
    "InvalidParameterCombination": ("InvalidParameterCombination", 400),
    "InvalidParameterValue": ("InvalidParameterValue", 400),
    "MissingAction": ("MissingAction", 400),
    "MissingParameter": ("MissingParameter", 400),
    "RequestExpired": ("RequestExpired", 400),
}


@dataclass(eq=False)
class WireError(Exception):
    """A request that ends in an error of AWS's: type, sentence and the type's further members."""

    code: str
    message: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class FrontDoorError(WireError):
    """A WireError of the front door, raised while a request is identified.

    A class of its own because a service may have a type of the same name with another meaning: STS answers
    ExpiredTokenException (400) for a web identity's token, its front door ExpiredToken (403) for the caller's.
    """
