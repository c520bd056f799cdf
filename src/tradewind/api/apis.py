"""The APIs that one endpoint answers: MWAA's, ours, IAM's and STS's.

Which one a request is for is what it is signed for, as at AWS's own front doors; ours has paths of its own. Each
has a service model, its operations, and the questions that must be answered with yes before one runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tradewind.api import authorisation, identity_questions
from tradewind.api.authorisation import Questions
from tradewind.api.callers import Caller
from tradewind.api.operations import OPERATIONS, OWN_OPERATIONS, Operation
from tradewind.api.operations.iam import IAM_OPERATIONS
from tradewind.api.operations.sts import STS_OPERATIONS
from tradewind.api.services import Services
from tradewind.wire import Service, load_service

Ask = Callable[[str, Mapping[str, Any], Services, Caller], Questions]


@dataclass(frozen=True)
class Api:
    """`name` is the service model's; `internal_error` what the API calls a defect of its own."""

    name: str
    service: Service
    operations: Mapping[str, Operation]
    questions: Ask
    internal_error: str = "InternalServerException"


def mwaa() -> Api:
    """Amazon MWAA."""
    return Api("mwaa", load_service("mwaa"), OPERATIONS, authorisation.questions)


def own() -> Api:
    """What AWS has no operation for."""
    return Api("tradewind", load_service("tradewind"), OWN_OPERATIONS, authorisation.own_questions)


def iam() -> Api:
    """AWS Identity and Access Management."""
    return Api("iam", load_service("iam"), IAM_OPERATIONS, identity_questions.of_iam, "ServiceFailureException")


def sts() -> Api:
    """AWS Security Token Service."""
    return Api("sts", load_service("sts"), STS_OPERATIONS, identity_questions.of_sts, "InternalFailure")
