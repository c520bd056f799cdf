"""An account whose IAM is called through its operations, with botocore's model as judge of what goes in and out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.unit.api.modelled import perform
from tradewind.api.callers import Caller
from tradewind.api.operations.iam import IAM_OPERATIONS
from tradewind.iam import Principal, root_principal
from tradewind.store import Account, Identities
from tradewind.wire import WireError

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ACCOUNT = Account("123456789012", "AKIAROOT", "the-secret", b"k" * 32)
ROOT = root_principal("123456789012")
ALLOW = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "%s", "Resource": "*"}}'
TRUST = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "airflow-env.amazonaws.com"}}}'
)
NO_SUCH, EXISTS = "NoSuchEntityException", "EntityAlreadyExistsException"
CONFLICT, LIMIT, INVALID = "DeleteConflictException", "LimitExceededException", "InvalidInputException"
MALFORMED = "MalformedPolicyDocumentException"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
LOCAL = "arn:aws:iam::123456789012:policy/"


@dataclass
class IamAccount:
    """Satisfies IamServices; the clock is what a test says."""

    identities: Identities
    account: Account = field(default=ACCOUNT)
    now_is: datetime = NOW

    def now(self) -> datetime:
        return self.now_is

    def __call__(self, operation: str, principal: Principal = ROOT, **parameters: Any) -> Any:
        """The result of a call. Raises WireError."""
        return perform(IAM_OPERATIONS, self, operation, Caller(principal), parameters)

    def refusal(self, operation: str, principal: Principal = ROOT, **parameters: Any) -> tuple[str, str]:
        """The type and the sentence that a call is refused with."""
        try:
            self(operation, principal, **parameters)
        except WireError as error:
            return error.code, error.message
        raise AssertionError(f"{operation} was not refused")


def policy(iam: IamAccount, name: str = "deploy", **more: Any) -> str:
    """A managed policy's ARN, which was just made."""
    return iam("CreatePolicy", PolicyName=name, PolicyDocument=ALLOW % "airflow:*", **more)["Policy"]["Arn"]


def names(result: Any, member: str, name: str) -> list[str]:
    """One member of each entry of a list in an answer."""
    return [item[name] for item in result[member]]
