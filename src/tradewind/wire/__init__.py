"""AWS's protocols, driven by botocore's service models: routing, decoding, checking, encoding and SigV4.

The models are the contract: nothing about an operation is written by hand here. Input is bytes and text of a
request as it arrived, output is plain dicts of parameters and whole answers; nothing here does I/O after
`load_service`. What a request breaks is a WireError (or, for constraints, a tuple of Violations).
"""

from tradewind.wire.addressing import asked_service, signed_service
from tradewind.wire.checking import Violation
from tradewind.wire.encoding import Response
from tradewind.wire.errors import COMMON_ERRORS, QUERY_ERRORS, FrontDoorError, WireError
from tradewind.wire.loading import load_service
from tradewind.wire.routing import Routed
from tradewind.wire.services import Service
from tradewind.wire.shapes import MODELS, Bounds
from tradewind.wire.sigv4 import Caller, Key, SignedRequest, verify
from tradewind.wire.wording import validation_message

__all__ = [
    "COMMON_ERRORS",
    "MODELS",
    "QUERY_ERRORS",
    "Bounds",
    "Caller",
    "FrontDoorError",
    "Key",
    "Response",
    "Routed",
    "Service",
    "SignedRequest",
    "Violation",
    "WireError",
    "asked_service",
    "load_service",
    "signed_service",
    "validation_message",
    "verify",
]
