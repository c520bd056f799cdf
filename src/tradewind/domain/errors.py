"""Errors that carry a machine code and a sentence, in the words of this service.

A sentence reads "cannot X: reason" and names the thing. Whoever shows it to a person shows the
sentence; whoever answers a program maps the code (the API's room maps codes to AWS's error types).
Anything that is not a TradewindError is a defect of ours and is called "internal" outside.
"""

from dataclasses import dataclass, field


@dataclass(eq=False)
class TradewindError(Exception):
    """A failure that a person can understand. `evidence` holds log lines or a tool's own words."""

    sentence: str
    code: str = "INTERNAL"
    evidence: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return self.sentence


class CannotStart(TradewindError):
    """The service itself cannot come up here: a port, a disk, a directory in use."""


class CannotProvide(TradewindError):
    """What a spec asks for cannot be had: bad requirements, a missing bucket, a process that dies."""


class StaleGeneration(TradewindError):
    """Someone asked for an older generation than the one in force: a control plane that lost its lease."""
