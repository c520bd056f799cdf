"""Looking at one environment: every facet of the World, from the files, the database and the supervisor.

Nothing is remembered between passes except by the things themselves (marks, rows, supervisors), so a
control plane that starts anew sees the same as the one before it.
"""

from tradewind.domain.environments import Environment, Phase
from tradewind.domain.manifests import Manifest, ObservedManifest, ProcessState
from tradewind.reconcile import moving
from tradewind.reconcile.hands import REHEARSED, Hands
from tradewind.reconcile.template import template_digest
from tradewind.reconcile.world import World
from tradewind.runtime.users import find

FOLDER_MARK = ".made"
_AT_WORK = {ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF, ProcessState.STOPPING}


def observe(hands: Hands, environment: Environment) -> World:
    """The world of one environment, now."""
    layout = hands.layout(environment)
    lock = hands.lock(environment)
    is_coming = environment.asked is not None or environment.tried is not None
    coming = hands.lock(environment.coming) if is_coming else None
    seen = hands.runtime.observe(str(environment.id))
    runtime = lock is not None and hands.virtualenvs.is_built(hands.virtualenvs.digest(lock))
    stored = hands.databases.look(environment.id, None if lock is None else template_digest(lock))
    moves = is_coming and moving.target(hands, environment) != environment.database
    return World(
        folder=(layout.root / FOLDER_MARK).exists(),
        lock=lock is not None,
        runtime=runtime,
        startup=hands.is_started_up(environment),
        template=stored.template,
        database=stored.databases.get(environment.database, False),
        bundle=hands.snapshots_of(environment).current(),
        processes_current=lock is not None and _is_current(hands.manifest(environment, lock), seen),
        processes_left=str(environment.id) in hands.runtime.owners(),
        route=hands.published(environment),
        database_left=stored.role or bool(stored.databases),
        user_left=hands.host.as_root and find(environment.id.unix_user) is not None,
        proven=environment.phase in {Phase.READY, Phase.DRAINING},
        replaced=any(process.waits for process in seen.processes),
        draining=lock is not None and _drains(hands.manifest(environment, lock), seen),
        coming_lock=coming is not None,
        coming_runtime=coming is not None and hands.virtualenvs.is_built(hands.virtualenvs.digest(coming)),
        coming_startup=coming is not None and hands.is_started_up(environment.coming),
        moves=moves,
        held=layout.hold(environment.database).exists(),
        other_databases=any(name != environment.database for name in stored.databases),
        snapshot_asked=hands.records.pending(environment.id) is not None,
        coming_saved=not moves or moving.is_saved(hands, environment),
        coming_database=not moves or moving.is_proven(hands, environment),
        coming_rehearsed=(layout.revision(environment.coming.revision) / REHEARSED).exists(),
        observed=seen,
    )


def _is_current(wanted: Manifest, seen: ObservedManifest) -> bool:
    if not seen.supervised or seen.generation != wanted.generation:
        return False
    names = {process.name for process in wanted.processes}
    digests = {
        process.name: process.digest
        for process in seen.processes
        if process.state in _AT_WORK and not (process.state is ProcessState.STOPPING and process.name not in names)
    }
    return digests == {process.name: process.digest() for process in wanted.processes}


def _drains(wanted: Manifest, seen: ObservedManifest) -> bool:
    """Whether something that is wanted no more still ends; without a supervisor all that lives is UNKNOWN."""
    names = {process.name for process in wanted.processes}
    ending = {ProcessState.STOPPING, ProcessState.UNKNOWN}
    return any(process.state in ending and process.name not in names for process in seen.processes)
