"""A decision is Allowed or Denied, each with its reason, and usable as a bool.

Denied is falsy: `first or second` would throw a refusal away. Decisions are asked with `if not decision`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Allowed:
    """May be done; `reason` names what allows it.

    `is_delegated` is of trust policies: the role trusts an account, and that account's own policies have to
    allow the caller too.
    """

    reason: str
    is_delegated: bool = False

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Denied:
    """May not be done; `reason` is fit for the caller's eyes. Explicit when a Deny statement says so."""

    reason: str
    is_explicit: bool = False

    def __bool__(self) -> bool:
        return False


Decision = Allowed | Denied
