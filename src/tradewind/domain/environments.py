"""An environment as the service knows it: what is wanted, what was observed, and the status from the pair.

`target`, `generation` and the spec that is asked for are written by the API; `phase`, the spec in force and the
generations that were observed and refused by the reconciler alone. The public status is a table over the two: nobody
sets it. docs/updating.md has the way of an update.
"""

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.rotations import Rotation
from tradewind.domain.specs import Spec


class Target(enum.Enum):
    """What is wanted of an environment as a whole."""

    PRESENT = "PRESENT"
    ABSENT = "ABSENT"


class Phase(enum.Enum):
    """How far the reconciler has come.

    REFUSED: cannot be had as asked; what was made has been taken back. CHANGING: an update is being put in force.
    RETURNING: it does not work, and the settings before it are being put in force again. DRAINING: it was proven, and
    workers that it replaced gracefully still finish what they run.
    """

    NEW = "NEW"
    PROVISIONING = "PROVISIONING"
    READY = "READY"
    CHANGING = "CHANGING"
    RETURNING = "RETURNING"
    DRAINING = "DRAINING"
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
    (Target.PRESENT, Phase.CHANGING): Status.UPDATING,
    (Target.PRESENT, Phase.RETURNING): Status.ROLLING_BACK,
    (Target.PRESENT, Phase.DRAINING): Status.MAINTENANCE,
    (Target.PRESENT, Phase.REFUSED): Status.CREATE_FAILED,
    (Target.ABSENT, Phase.NEW): Status.DELETING,
    (Target.ABSENT, Phase.PROVISIONING): Status.DELETING,
    (Target.ABSENT, Phase.READY): Status.DELETING,
    (Target.ABSENT, Phase.CHANGING): Status.DELETING,
    (Target.ABSENT, Phase.RETURNING): Status.DELETING,
    (Target.ABSENT, Phase.DRAINING): Status.DELETING,
    (Target.ABSENT, Phase.REFUSED): Status.DELETING,
    (Target.ABSENT, Phase.GONE): Status.DELETED,
}


SAVING = "snapshot"  # the step in which an update's status is CREATING_SNAPSHOT
UP = frozenset({Phase.READY, Phase.CHANGING, Phase.RETURNING, Phase.DRAINING})  # it was proven once
UPDATABLE = frozenset({Status.AVAILABLE, Status.UPDATE_FAILED, Status.MAINTENANCE})


def status_of(target: Target, phase: Phase, *, is_preparing: bool = False, has_failed: bool = False) -> Status:
    """The public status. GONE is only reached by what is wanted ABSENT.

    Of what is READY: `is_preparing` an update, or the last update `has_failed`.
    """
    if (target, phase) == (Target.PRESENT, Phase.READY):
        if is_preparing:
            return Status.UPDATING
        return Status.UPDATE_FAILED if has_failed else Status.AVAILABLE
    return _STATUS[target, phase]


class ChangeState(enum.Enum):
    """UpdateStatus in the service model."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Change:
    """What someone began, with its evidence: the source of LastUpdate."""

    kind: str  # CREATE, UPDATE or DELETE
    state: ChangeState
    created_at: datetime
    error_code: str | None = None
    error_message: str | None = None
    strategy: str | None = None  # an update's WorkerReplacementStrategy, where one was asked for


@dataclass(frozen=True)
class Settled:
    """What is in force: a spec, the generation whose requirements and lock it runs with, and its metadata database.

    An environment's first database has the name that its id gives; each that replaces it has one of its own.
    """

    spec: Spec
    revision: int
    database: str = ""


class Connections(enum.Enum):
    """What a copy does with Airflow's connections: MASK empties passwords and extras, REMOVE leaves none."""

    KEEP = "keep"
    MASK = "mask"
    REMOVE = "remove"


class TrialState(enum.Enum):
    """How far a dry run has come. LEFT: an update or a deletion was asked for before it was over."""

    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"
    LEFT = "LEFT"


@dataclass(frozen=True)
class Trial:
    """An update that is prepared and rehearsed, and never put in force. `report` says what it would do."""

    number: int
    spec: Spec
    state: TrialState
    created_at: datetime
    strategy: str | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a generation's database comes from: a snapshot, and what becomes of the connections in it."""

    generation: int
    snapshot: str
    connections: Connections


@dataclass(frozen=True)
class Ports:
    """Loopback ports of an environment's own servers. `credentials` is 0 where none has been promised yet."""

    api: int
    broker: int
    credentials: int = 0


@dataclass(frozen=True)
class Secrets:
    """Drawn at creation; repr never shows them. Fernet keys may be two, with a comma: the first one encrypts."""

    fernet_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    api_secret_key: str = field(repr=False)
    assertion_secret: str = field(repr=False)
    broker_password: str = field(repr=False)
    database_password: str = field(repr=False)


@dataclass(frozen=True)
class Environment:
    """One row of the store, whole.

    `spec` is in force, or is being put in force, with the requirements and the lock of `revision`. `asked` is what an
    update wants that is being prepared, None if there is none. `is_awaited`: a later update begins as soon as replaced
    workers, which have no more time then, have ended.
    """

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
    revision: int = 1
    asked: Spec | None = None
    moved_to: str = ""  # the metadata database that belongs to `spec`, where it is not the first one
    proven: Settled | None = None  # what is in force, or comes back; None before anything was proven
    origin: Origin | None = None  # where the database of what is asked for, or being put in force, comes from
    workers: str = ""  # the series of its workers: another after each graceful replacement, part of their names
    is_awaited: bool = False
    trial: Trial | None = None  # the latest dry run
    rotation: Rotation | None = None  # the latest one of its Fernet key

    @property
    def database(self) -> str:
        """Name of the metadata database that belongs to `spec`."""
        return self.moved_to or self.id.database

    @property
    def status(self) -> Status:
        """MWAA's word for where it stands."""
        failed = self.change.kind == "UPDATE" and self.change.state is ChangeState.FAILED
        status = status_of(self.target, self.phase, is_preparing=self.asked is not None, has_failed=failed)
        is_saving = status is Status.UPDATING and self.progress == SAVING
        return Status.CREATING_SNAPSHOT if is_saving else status

    @property
    def before(self) -> "Environment":
        """Itself as it was before what is being put in force; itself where there is nothing before."""
        if self.proven is None:
            return self
        proven = self.proven
        return dataclasses.replace(self, spec=proven.spec, revision=proven.revision, moved_to=proven.database)

    @property
    def is_on_hold(self) -> bool:
        """Whether it is being moved to another database: what is written to that one before it is proven may go."""
        return self.phase is Phase.CHANGING and self.database != self.before.database

    @property
    def is_updatable(self) -> bool:
        """Whether an update may be asked for."""
        return self.status in UPDATABLE and not self.is_awaited

    @property
    def is_up(self) -> bool:
        """Whether its web server may be asked: it was proven once, and is not to go."""
        return self.target is Target.PRESENT and self.phase in UP

    @property
    def tried(self) -> Trial | None:
        """The dry run that is being prepared: an update goes first."""
        is_pending = self.trial is not None and self.trial.state is TrialState.PENDING
        return self.trial if is_pending and self.asked is None and self.phase is Phase.READY else None

    @property
    def rotating(self) -> Rotation | None:
        """The rotation of its Fernet key that is to be moved on: an update goes first, and a dry run."""
        if self.rotation is None or self.rotation.is_over or self.target is not Target.PRESENT:
            return None
        return self.rotation if self.phase is Phase.READY and self.coming is self else None

    @property
    def coming(self) -> "Environment":
        """Itself as the update or the dry run that is being prepared wants it."""
        if self.asked is not None:
            return dataclasses.replace(self, spec=self.asked, revision=self.generation, asked=None)
        if self.tried is not None:
            spec = self.tried.spec
            return dataclasses.replace(self, spec=spec, revision=-self.tried.number, trial=None, origin=None)
        return self
