"""Policies with where they come from, and all that are in force for one caller."""

from dataclasses import dataclass

from tradewind.iam.documents import Document


@dataclass(frozen=True)
class Policy:
    """`origin` is words for reasons: `inline policy deploy of user alice`, `managed policy arn:…`."""

    name: str
    document: Document
    origin: str


@dataclass(frozen=True)
class Holding:
    """Everything in force for a caller. `session` is None when no session policy was given; () allows nothing."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
