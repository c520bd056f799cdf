"""Looking at one environment: every facet of the World, from the files, the database and the supervisor.

Nothing is remembered between passes except by the things themselves (marks, rows, supervisors), so a
control plane that starts anew sees the same as the one before it.
"""

from tradewind.domain.environments import Environment
from tradewind.domain.manifests import Manifest, ObservedManifest, ProcessState
from tradewind.reconcile.hands import Hands
from tradewind.reconcile.template import template_digest
from tradewind.reconcile.world import World
from tradewind.runtime.users import find

FOLDER_MARK = ".made"
_AT_WORK = {ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF, ProcessState.STOPPING}


def observe(hands: Hands, environment: Environment) -> World:
    """The world of one environment, now."""
    layout = hands.layout(environment)
    lock = hands.lock(environment)
    seen = hands.runtime.observe(str(environment.id))
    runtime = lock is not None and hands.virtualenvs.is_built(hands.virtualenvs.digest(lock))
    return World(
        folder=(layout.root / FOLDER_MARK).exists(),
        lock=lock is not None,
        runtime=runtime,
        template=lock is not None and hands.databases.has_template(template_digest(lock)),
        database=hands.databases.is_ready(environment.id),
        bundle=hands.snapshots_of(environment).current(),
        processes_current=lock is not None and _is_current(hands.manifest(environment, lock), seen),
        processes_left=str(environment.id) in hands.runtime.owners(),
        route=hands.published(environment),
        database_left=hands.databases.exists(environment.id),
        user_left=hands.host.as_root and find(environment.id.unix_user) is not None,
        proven=environment.observed_generation == environment.generation,
        observed=seen,
    )


def _is_current(wanted: Manifest, seen: ObservedManifest) -> bool:
    if not seen.supervised or seen.generation != wanted.generation:
        return False
    digests = {process.name: process.digest for process in seen.processes if process.state in _AT_WORK}
    return digests == {process.name: process.digest() for process in wanted.processes}
