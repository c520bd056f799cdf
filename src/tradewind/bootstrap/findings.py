"""What an examination finds: a severity, a sentence, and what to do about it."""

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    severity: Severity
    subject: str
    sentence: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(subject: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(Severity.OK, subject, sentence)


def warning(subject: str, sentence: str, remedy: str = "") -> Finding:
    """Something will be different, or may fail later."""
    return Finding(Severity.WARNING, subject, sentence, remedy)


def error(subject: str, sentence: str, remedy: str = "") -> Finding:
    """Something does not work."""
    return Finding(Severity.ERROR, subject, sentence, remedy)


def joined(words: Sequence[str]) -> str:
    """Words with commas, or "nothing"."""
    return ", ".join(words) or "nothing"
