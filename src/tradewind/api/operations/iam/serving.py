"""What IAM's operations work with, and the one place where their refusals become AWS's errors.

The operations see as little as they use, so that they can be called with less than a whole service.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Protocol

from tradewind.api.calls import Answer, Call
from tradewind.iam.refusals import Refused
from tradewind.store import Account
from tradewind.store.identities import Identities
from tradewind.wire import WireError


class IamServices(Protocol):
    """The part of the services that IAM needs."""

    @property
    def identities(self) -> Identities:
        """IAM's store."""

    @property
    def account(self) -> Account:
        """The account and its root key."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""


IamOperation = Callable[[IamServices, Call], Answer]


def answering(operation: IamOperation) -> IamOperation:
    """The operation with its refusals as errors of the wire."""

    @wraps(operation)
    def answer(services: IamServices, call: Call) -> Answer:
        try:
            return operation(services, call)
        except Refused as refused:
            raise WireError(refused.code, refused.sentence) from refused

    return answer


def moment(services: IamServices) -> datetime:
    """Now, in whole seconds as IAM's times are."""
    return services.now().replace(microsecond=0)


def user_called(call: Call) -> str:
    """The user that a call names, or the caller where it names none. Raises WireError."""
    name = call.get("UserName") or call.principal.user_name
    if name is None:
        raise WireError("ValidationException", "Must specify userName when calling with non-User credentials")
    return str(name)
