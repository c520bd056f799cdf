"""Why IAM refuses what it is asked, in AWS's types and AWS's words.

The code is the error's shape in IAM's service model; the wire turns it into what is sent (`NoSuchEntity`). Sentences
are those that IAM answers, as its documentation, its SDK examples and people's bug reports show them; programs compare
some of them.
"""

from dataclasses import dataclass

from tradewind.domain.errors import TradewindError
from tradewind.iam.entities import EntityKind


@dataclass(eq=False)
class Refused(TradewindError):
    """IAM will not do it. `code` is a name such as NoSuchEntityException."""


def no_such(sentence: str) -> Refused:
    """NoSuchEntity, 404."""
    return Refused(sentence, "NoSuchEntityException")


def no_entity(kind: EntityKind, name: str) -> Refused:
    """There is no such user, group or role."""
    return no_such(f"The {kind.value} with name {name} cannot be found.")


def no_inline_policy(kind: EntityKind, name: str) -> Refused:
    """The entity has no inline policy of that name."""
    return no_such(f"The {kind.value} policy with name {name} cannot be found.")


def no_policy(arn: str) -> Refused:
    """There is no such managed policy."""
    return no_such(f"Policy {arn} was not found.")


def not_attachable(arn: str) -> Refused:
    """There is no such managed policy to attach or to set as a boundary."""
    return no_such(f"Policy {arn} does not exist or is not attachable.")


def no_version(arn: str, version: str) -> Refused:
    """The policy has no such version."""
    return no_such(f"Policy {arn} version {version} does not exist or is not attachable.")


def no_key(id_: str) -> Refused:
    """There is no such access key, or it is another user's."""
    return no_such(f"The Access Key with id {id_} cannot be found.")


def exists(sentence: str) -> Refused:
    """EntityAlreadyExists, 409."""
    return Refused(sentence, "EntityAlreadyExistsException")


def entity_exists(kind: EntityKind, name: str) -> Refused:
    """The name is taken, perhaps in another case."""
    return exists(f"{kind.noun} with name {name} already exists.")


def policy_exists(name: str) -> Refused:
    """The name of the managed policy is taken."""
    return exists(f"A policy called {name} already exists. Duplicate names are not allowed.")


def in_the_way(what: str) -> Refused:
    """DeleteConflict, 409; `what` must be done first."""
    return Refused(f"Cannot delete entity, must {what} first.", "DeleteConflictException")


def conflict(sentence: str) -> Refused:
    """DeleteConflict, 409, with a sentence of its own."""
    return Refused(sentence, "DeleteConflictException")


def over_quota(quota: str, limit: int) -> Refused:
    """LimitExceeded, 409; `quota` is IAM's name for it, such as AccessKeysPerUser."""
    return limit_exceeded(f"Cannot exceed quota for {quota}: {limit}")


def limit_exceeded(sentence: str) -> Refused:
    """LimitExceeded, 409, with a sentence of its own."""
    return Refused(sentence, "LimitExceededException")


def invalid(sentence: str) -> Refused:
    """InvalidInput, 400."""
    return Refused(sentence, "InvalidInputException")


def malformed(sentence: str) -> Refused:
    """MalformedPolicyDocument, 400."""
    return Refused(sentence, "MalformedPolicyDocumentException")
