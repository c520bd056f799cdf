"""Moving an environment to another database: one with another schema, or one that is restored from a snapshot.

The database in force is never changed. Its successor has a name of its own; it is proven on a copy first, made while
nobody works, and held until the environment has proven itself on it: nothing is scheduled there, so that the way back,
which is the old database, misses nothing. docs/snapshots.md.
"""

import dataclasses
import json

from tradewind.domain.environments import Environment, Phase
from tradewind.domain.snapshots import Kind, SnapshotState, automatic_id
from tradewind.recipe.processes import PRELOAD
from tradewind.reconcile import saving
from tradewind.reconcile.executing import ADOPTION, MIGRATION, execute
from tradewind.reconcile.folders import remove_tree
from tradewind.reconcile.hands import Hands
from tradewind.reconcile.template import schema

STOP_SECONDS = 10.0  # for what runs: tasks that take longer end with their workers, as on MWAA

# What was queued is in a broker whose messages are thrown away: it is to be queued anew.
_REQUEUE = """
    UPDATE task_instance
    SET state = 'scheduled', external_executor_id = NULL, queued_dttm = NULL, queued_by_job_id = NULL
    WHERE state = 'queued'
"""


def target(hands: Hands, environment: Environment) -> str:
    """The database that what is being prepared will run on: the one in force, unless that cannot be."""
    coming = environment.coming
    if coming is environment or not _moves(hands, environment):
        return environment.database
    if environment.asked is None and environment.tried is not None:
        return f"{environment.id.database}_trial{environment.tried.number}"
    return f"{environment.id.database}_{environment.generation}"


def _moves(hands: Hands, environment: Environment) -> bool:
    """Whether it is restored, or its schema is another: locks tell that, and before there is one the version."""
    coming = environment.coming
    if coming.origin is not None or coming.spec.airflow_version != environment.spec.airflow_version:
        return True
    locks = hands.lock(environment), hands.lock(coming)
    return None not in locks and len({schema(lock or "") for lock in locks}) > 1


def proof(hands: Hands, environment: Environment) -> str:
    """The database that the rehearsal runs on. What is restored is proven as it is; of the rest, a copy."""
    name = target(hands, environment)
    is_copy = name != environment.database and environment.asked is not None and environment.origin is None
    return f"{name}_proof" if is_copy else name


def is_proven(hands: Hands, environment: Environment) -> bool:
    """Whether what is being prepared keeps its database, or was proven on the one that it needs."""
    name = proof(hands, environment)
    return name == environment.database or hands.databases.is_ready(name)


def save(hands: Hands, environment: Environment) -> None:
    """The snapshot that an update to another version takes: once, however often the update is begun."""
    id_ = automatic_id(environment.id, environment.generation)
    hands.records.ask(id_, environment, Kind.AUTOMATIC)
    snapshot = hands.records.get(id_)
    if snapshot is None:
        raise RuntimeError(f"snapshot {id_} is being removed")
    saving.take(hands, environment, snapshot)


def is_saved(hands: Hands, environment: Environment) -> bool:
    """Whether that snapshot has been taken."""
    snapshot = hands.records.get(automatic_id(environment.id, environment.generation))
    return snapshot is not None and snapshot.state is SnapshotState.AVAILABLE


def prove(hands: Hands, environment: Environment) -> None:
    """Bring a restored copy of the database to the schema of what is being prepared. Raises CannotProvide."""
    name = proof(hands, environment)
    if name == environment.database:
        return
    if environment.coming.origin is not None:
        restore(hands, environment, name)
        return
    dump = saving.dump_of(hands, automatic_id(environment.id, environment.generation))
    if environment.asked is None:
        dump = hands.layout(environment).revision(environment.coming.revision) / "trial.dump"
        hands.dumps.write(environment.database, hands.owner(environment), dump)

    def fill(database: str) -> None:
        hands.dumps.read(dump, database, hands.owner(environment))
        migrate(hands, environment, environment.coming, database)

    try:
        hands.databases.make(name, hands.owner(environment), fill)
    finally:
        if environment.asked is None:
            dump.unlink()


def restore(hands: Hands, environment: Environment, database: str) -> None:
    """Make a database of what a snapshot holds. Raises CannotProvide."""
    origin = environment.origin
    snapshot = None if origin is None else saving.available(hands, origin)
    if origin is None or snapshot is None:
        raise RuntimeError(f"there is no snapshot to restore {database} from")

    def fill(name: str) -> None:
        hands.dumps.read(saving.dump_of(hands, snapshot.id), name, hands.owner(environment))
        hands.databases.execute(name, hands.owner(environment), _REQUEUE)
        is_copy = environment.proven is None
        if is_copy or snapshot.fernet_key != environment.secrets.fernet_key:
            arguments = (origin.connections.value, *(("copy",) if is_copy else ()))
            key = snapshot.fernet_key.encode()
            _execute(hands, environment, name, ADOPTION, *arguments, purpose="adopt the database", stdin=key)

    hands.databases.ensure_role(environment.id, environment.secrets.database_password)
    hands.databases.make(database, hands.owner(environment), fill)


def clear_the_way(hands: Hands, environment: Environment) -> None:
    """Stop everything, so that nobody works on the old database or takes an order that was given there.

    Workers first: what ends while it may still be told. The new parent of all processes is importing meanwhile.
    """
    wanted = hands.manifest(environment, hands.lock(environment) or "")
    parent = tuple(process for process in wanted.processes if process.name == PRELOAD)
    others = hands.manifest(environment.before, hands.lock(environment.before) or "").processes
    staying = tuple(process for process in others if not process.drains and process.name != PRELOAD)
    for processes in ((*parent, *staying), parent):
        hands.runtime.apply(dataclasses.replace(wanted, processes=processes))
        hands.runtime.end_replaced(str(environment.id), patience=STOP_SECONDS, unwanted=True)
    hands.databases.execute(environment.before.database, hands.owner(environment), _REQUEUE)
    layout = hands.layout(environment)
    for entry in layout.broker.iterdir():
        if entry.name != "valkey.conf":
            remove_tree(entry)
    layout.hold(environment.database).touch(mode=0o640)


def move(hands: Hands, environment: Environment) -> None:
    """The successor: a copy of the database in force, with the schema of what is put in force."""
    hands.databases.copy(
        environment.before.database,
        environment.database,
        hands.owner(environment),
        lambda database: migrate(hands, environment.before, environment, database),
    )


def release(hands: Hands, environment: Environment) -> None:
    """What runs on the database may schedule."""
    hands.layout(environment).hold(environment.database).unlink(missing_ok=True)


def remove_others(hands: Hands, environment: Environment) -> None:
    """Databases that were in force before, or were only tried, and what was held there."""
    now = hands.environments.get(environment.id)  # what is in force may be another by now: a second control plane
    if now is None or now.phase not in {Phase.READY, Phase.DRAINING} or now.coming is not now:
        return
    hands.databases.drop_others(environment.id, (now.database,))
    for file in hands.layout(environment).root.glob("hold-*"):
        if file != hands.layout(environment).hold(now.database):
            file.unlink(missing_ok=True)


def migrate(hands: Hands, now: Environment, then: Environment, database: str) -> None:
    """Bring a database from the schema of `now` to that of `then`. Raises CannotProvide with Airflow's words.

    Only the newer runtime knows the steps, and only the older one the revision that it ends at, and its permissions.
    """
    before, after = (schema(hands.lock(each) or "") for each in (now, then))
    if before == after:
        return
    purpose = f"bring the database to Airflow {'.'.join(str(part) for part in after[0])}"
    if after < before:
        heads = json.loads(_execute(hands, then, database, MIGRATION, "heads", purpose=purpose))
        _execute(hands, now, database, MIGRATION, "down", heads["airflow"], heads["fab"], purpose=purpose)
    _execute(hands, then, database, MIGRATION, "up", purpose=purpose)


def _execute(
    hands: Hands, environment: Environment, database: str, *words: str, purpose: str, stdin: bytes = b""
) -> bytes:
    """A module of ours on one of the environment's databases."""
    owner = hands.owner(environment)
    url = hands.databases.server.url(database, user=owner.role, password=owner.password)
    return execute(hands, environment, url, words, purpose=purpose, stdin=stdin)
