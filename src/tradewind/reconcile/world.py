"""World: one environment as observed, facet by facet. The planner sees this and the wanted environment only."""

from dataclasses import dataclass, field

from tradewind.domain.manifests import ObservedManifest, ProcessState


@dataclass(frozen=True)
class World:
    """What was seen. Unless said otherwise a False means absent, incomplete or out of date: to be made."""

    folder: bool = False  # unix user, folders and fixed files
    lock: bool = False  # the requirements were resolved and the lock saved
    runtime: bool = False  # the virtualenv of that lock is built
    startup: bool = False  # the start-up script was run, or there is none
    template: bool = False  # the version's template database
    database: bool = False  # the environment's own database, complete
    bundle: str | None = None  # the snapshot in force
    processes_current: bool = False  # exactly the wanted processes are under supervision and none has given up
    processes_left: bool = False  # anything of it runs or may run
    route: bool = False  # the door sends its host to it
    database_left: bool = False  # a database or role of it exists
    user_left: bool = False  # its unix user exists
    proven: bool = False  # health was proven with the settings in force
    replaced: bool = False  # a new copy waits for its old one to end
    draining: bool = False  # what is wanted no more still finishes what it runs
    moves: bool = False  # what an update asks for needs another database
    held: bool = False  # what runs on the database schedules nothing
    other_databases: bool = False  # there are more than the one in force
    snapshot_asked: bool = False  # somebody waits for one
    coming_lock: bool = False  # what an update asks for: resolved
    coming_runtime: bool = False  # and its virtualenv is built
    coming_startup: bool = False  # and its start-up script was run
    coming_saved: bool = False  # and there is a snapshot of what it would replace
    coming_database: bool = False  # and a database for it was proven
    coming_rehearsed: bool = False  # and it was tried with all current DAGs
    observed: ObservedManifest = field(default_factory=lambda: ObservedManifest(""))

    @property
    def given_up(self) -> tuple[str, ...]:
        """Processes that died too often to be tried again by their supervisor."""
        return tuple(p.name for p in self.observed.processes if p.state is ProcessState.FATAL)
