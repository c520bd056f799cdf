"""A snapshot: an environment's database, settings and artefacts at one moment, kept beside it."""

import enum
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.specs import Spec

KEPT_AUTOMATIC = 5  # of each environment; older ones go. Those that somebody asked for stay until they are deleted.


class Kind(enum.Enum):
    """Who asked for it. AUTOMATIC: an update that changes the database. FORK: goes when the copy is made."""

    MANUAL = "MANUAL"
    AUTOMATIC = "AUTOMATIC"
    FORK = "FORK"


class SnapshotState(enum.Enum):
    """PENDING until the reconciler has taken it; DELETING until its files are gone."""

    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"
    FAILED = "FAILED"
    DELETING = "DELETING"


@dataclass(frozen=True)
class Snapshot:
    """One row of the store. `spec` and what follows it are known once it is AVAILABLE; `size` is in bytes."""

    id: str
    environment_id: EnvironmentId
    environment_name: str
    kind: Kind
    state: SnapshotState
    created_at: datetime
    generation: int
    spec: Spec | None = None
    fernet_key: str = field(default="", repr=False)
    size: int = 0
    error: str = ""


def new_snapshot_id() -> str:
    """Draw an id."""
    return f"snap-{secrets.token_hex(8)}"


def automatic_id(environment: EnvironmentId, generation: int) -> str:
    """The id of the snapshot that an update takes: the same however often the update is begun."""
    return f"snap-{hashlib.sha256(f'{environment}:{generation}'.encode()).hexdigest()[:16]}"
