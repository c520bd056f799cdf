"""The rotation of an environment's Fernet key: how far it has come (docs/secrets.md).

Airflow takes several Fernet keys with commas between them: it encrypts with the first, and opens with each. So the old
key is given up only when nothing is left that it alone opens, and a crash between two steps loses nothing.
"""

import enum
from dataclasses import dataclass
from datetime import datetime


class RotationState(enum.Enum):
    """PENDING: asked for. WIDENED: there is a new key, and the old one beside it; processes are to get both.

    NARROWED: everything is encrypted with the new one, and processes are to lose the old one. FAILED: something could
    not be encrypted anew; both keys stay, so that everything can be read, and asking again goes on from there.
    """

    PENDING = "PENDING"
    WIDENED = "WIDENED"
    NARROWED = "NARROWED"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Rotation:
    """The latest one of an environment. `error`: why it FAILED."""

    state: RotationState
    asked_at: datetime
    error: str = ""

    @property
    def is_over(self) -> bool:
        """Whether another one may be asked for."""
        return self.state in {RotationState.DONE, RotationState.FAILED}


def widened(keys: str, new: str) -> str:
    """The new key before the one in use. Where a rotation failed there are two already, and they stay."""
    return keys if "," in keys else f"{new},{keys}"


def narrowed(keys: str) -> str:
    """The first one alone."""
    return keys.partition(",")[0]
