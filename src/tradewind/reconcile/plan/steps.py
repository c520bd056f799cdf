"""Steps: what the planner may ask for. Each is idempotent; none leaves a choice to the performer."""

from dataclasses import dataclass

from tradewind.domain.environments import SAVING


@dataclass(frozen=True)
class MakeFolder:
    """Unix user (as root), folders, fixed files."""

    label = "folders"


@dataclass(frozen=True)
class ResolveRequirements:
    """Fetch requirements.txt from the bucket and resolve it into a lock."""

    label = "requirements"


@dataclass(frozen=True)
class BuildRuntime:
    """The virtualenv of the lock."""

    label = "runtime"


@dataclass(frozen=True)
class RunStartupScript:
    """Run the start-up script, and keep what it exports."""

    label = "start-up script"


@dataclass(frozen=True)
class StartPreloading:
    """The manifest's parent of the other processes, alone."""

    label = "preloading"


@dataclass(frozen=True)
class TakeBundle:
    """The first snapshot of the bucket's DAG folder."""

    label = "DAGs"


@dataclass(frozen=True)
class MakeTemplate:
    """The version's migrated template database."""

    label = "template database"


@dataclass(frozen=True)
class MakeDatabase:
    """Role and database, cloned from the template."""

    label = "database"


@dataclass(frozen=True)
class OpenDatabase:
    """Let its owner into the database again that a move has closed."""

    label = "open database"


@dataclass(frozen=True)
class AwaitSnapshot:
    """A new environment that is a copy waits until there is what it is made of."""

    label = "waiting for the snapshot"


@dataclass(frozen=True)
class RestoreDatabase:
    """Role and database, from the snapshot that the environment is a copy of."""

    label = "restored database"


@dataclass(frozen=True)
class PublishRoute:
    """The environment's host at the door."""

    label = "route"


@dataclass(frozen=True)
class ApplyProcesses:
    """The manifest, to the supervisor."""

    label = "processes"


@dataclass(frozen=True)
class ProveHealth:
    """Wait until API server, scheduler, DAG processor, triggerer and a worker have answered."""

    label = "health"


@dataclass(frozen=True)
class PrepareRequirements:
    """What an update asks for: fetch its requirements.txt and resolve it, beside the one in force."""

    label = "requirements"


@dataclass(frozen=True)
class PrepareRuntime:
    """The virtualenv of what an update asks for, beside the one in force."""

    label = "runtime"


@dataclass(frozen=True)
class PrepareStartup:
    """Run the start-up script of what an update asks for."""

    label = "start-up script"


@dataclass(frozen=True)
class SaveSnapshot:
    """A snapshot of what an update to another database replaces."""

    label = SAVING


@dataclass(frozen=True)
class ProveDatabase:
    """A database as the update needs it, made of a copy: restored, migrated."""

    label = "trial of the database"


@dataclass(frozen=True)
class RehearseUpdate:
    """Try what an update would run on with all current DAGs."""

    label = "rehearsal"


@dataclass(frozen=True)
class ReportTrial:
    """Say what a dry run's update would do."""

    label = "report"


@dataclass(frozen=True)
class CutOver:
    """From here on what an update asks for is in force, to be proven."""

    label = "cut over"


@dataclass(frozen=True)
class ClearTheWay:
    """Stop everything, so that the database may be copied."""

    label = "stop processes"


@dataclass(frozen=True)
class MoveDatabase:
    """The database that the new settings need, from the one in force."""

    label = "migration"


@dataclass(frozen=True)
class Release:
    """What was held on a database that is proven now may be scheduled."""

    label = "release"


@dataclass(frozen=True)
class RemoveOtherDatabases:
    """Those that are in force no more, or were tried only."""

    label = "remove old databases"


@dataclass(frozen=True)
class TakeSnapshot:
    """One that somebody asked for."""

    label = "snapshot that was asked for"


@dataclass(frozen=True)
class WidenFernetKey:
    """A new Fernet key beside the one in use."""

    label = "new Fernet key"


@dataclass(frozen=True)
class EncryptAnew:
    """Everything in the database with the new Fernet key; then the old one is given up."""

    label = "encrypt anew"


@dataclass(frozen=True)
class FinishRotation:
    """Every process has given up the old Fernet key."""

    label = "finish rotation"


@dataclass(frozen=True)
class EndReplaced:
    """Old copies of replaced processes that have not ended by themselves in time."""

    label = "end replaced processes"


@dataclass(frozen=True)
class EndDraining:
    """What is wanted no more and still finishes what it runs: another update waits for it."""

    label = "end draining workers"


@dataclass(frozen=True)
class StopProcesses:
    """Everything of it, and its supervisor."""

    label = "stop processes"


@dataclass(frozen=True)
class WithdrawRoute:
    """Take its host away from the door."""

    label = "withdraw route"


@dataclass(frozen=True)
class DropDatabase:
    """Database and role."""

    label = "drop database"


@dataclass(frozen=True)
class RemoveFolder:
    """Files; with `keep_logs` the logs stay for whoever asks why it failed."""

    keep_logs: bool = False
    label = "remove files"


@dataclass(frozen=True)
class RemoveUser:
    """The unix user."""

    label = "remove user"


@dataclass(frozen=True)
class Forget:
    """The last step of a deletion: the name is free."""

    label = "forget"


Step = (
    MakeFolder | ResolveRequirements | BuildRuntime | RunStartupScript | StartPreloading | TakeBundle | MakeTemplate
    | MakeDatabase | OpenDatabase | AwaitSnapshot | RestoreDatabase | PublishRoute | ApplyProcesses | ProveHealth
    | PrepareRequirements | PrepareRuntime | PrepareStartup | SaveSnapshot | ProveDatabase | RehearseUpdate
    | ReportTrial | CutOver | ClearTheWay | MoveDatabase | Release | RemoveOtherDatabases | TakeSnapshot
    | WidenFernetKey | EncryptAnew | FinishRotation
    | EndReplaced | EndDraining | StopProcesses | WithdrawRoute | DropDatabase | RemoveFolder | RemoveUser | Forget
)  # fmt: skip
