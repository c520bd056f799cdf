"""An environment as the service knows it: what is wanted, what was observed, and the status from the pair.

`target` and `generation` are written by the API, `phase` and `observed_generation` by the reconciler
alone. The public status is a table over the two: nobody sets it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.specs import Spec


class Target(enum.Enum):
    """What is wanted of an environment as a whole."""

    PRESENT = "PRESENT"
    ABSENT = "ABSENT"


class Phase(enum.Enum):
    """How far the reconciler has come. REFUSED: cannot be had as asked; what was made has been taken back."""

    NEW = "NEW"
    PROVISIONING = "PROVISIONING"
    READY = "READY"
    REFUSED = "REFUSED"
    GONE = "GONE"


class Status(enum.Enum):
    """MWAA's words (EnvironmentStatus in the service model)."""

    CREATING = "CREATING"
    CREATE_FAILED = "CREATE_FAILED"
    AVAILABLE = "AVAILABLE"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    DELETED = "DELETED"
    UNAVAILABLE = "UNAVAILABLE"
    UPDATE_FAILED = "UPDATE_FAILED"
    ROLLING_BACK = "ROLLING_BACK"
    CREATING_SNAPSHOT = "CREATING_SNAPSHOT"
    PENDING = "PENDING"
    MAINTENANCE = "MAINTENANCE"


_STATUS: Mapping[tuple[Target, Phase], Status] = {
    (Target.PRESENT, Phase.NEW): Status.CREATING,
    (Target.PRESENT, Phase.PROVISIONING): Status.CREATING,
    (Target.PRESENT, Phase.READY): Status.AVAILABLE,
    (Target.PRESENT, Phase.REFUSED): Status.CREATE_FAILED,
    (Target.ABSENT, Phase.NEW): Status.DELETING,
    (Target.ABSENT, Phase.PROVISIONING): Status.DELETING,
    (Target.ABSENT, Phase.READY): Status.DELETING,
    (Target.ABSENT, Phase.REFUSED): Status.DELETING,
    (Target.ABSENT, Phase.GONE): Status.DELETED,
}


def status_of(target: Target, phase: Phase) -> Status:
    """The public status. GONE is only reached by what is wanted ABSENT."""
    return _STATUS[target, phase]


class ChangeState(enum.Enum):
    """UpdateStatus in the service model."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Change:
    """What someone began, with its evidence: the source of LastUpdate."""

    kind: str  # CREATE or DELETE; later UPDATE
    state: ChangeState
    created_at: datetime
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True)
class Ports:
    """Loopback ports of an environment's own servers."""

    api: int
    broker: int


@dataclass(frozen=True)
class Secrets:
    """Drawn once at creation; repr never shows them."""

    fernet_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    api_secret_key: str = field(repr=False)
    assertion_secret: str = field(repr=False)
    broker_password: str = field(repr=False)
    database_password: str = field(repr=False)


@dataclass(frozen=True)
class Environment:
    """One row of the store, whole."""

    id: EnvironmentId
    name: str
    spec: Spec
    tags: Mapping[str, str]
    target: Target
    generation: int
    created_at: datetime
    phase: Phase
    observed_generation: int
    address: str | None  # its own loopback address, where host names do not resolve
    ports: Ports
    secrets: Secrets = field(repr=False)
    change: Change
    progress: str = ""  # the step under way, for people
    bundle_version: str = ""

    @property
    def status(self) -> Status:
        """MWAA's word for where it stands."""
        return status_of(self.target, self.phase)
