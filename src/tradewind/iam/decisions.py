"""A decision is Allowed or Denied, each with its reason, and usable as a bool."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Allowed:
    """May be done; `reason` names what allows it."""

    reason: str

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Denied:
    """May not be done; `reason` is fit for the caller's eyes."""

    reason: str

    def __bool__(self) -> bool:
        return False


Decision = Allowed | Denied
