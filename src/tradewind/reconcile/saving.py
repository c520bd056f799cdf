"""Snapshots of environments: taken from one that works, kept beside it, and what is made of them.

A snapshot's folder holds `database.dump`, `revision/` with the artefacts and the lock that it ran with, and
`plugins/` with what was in plugins.zip. DAGs are the bucket's, and are not in it.
"""

import stat
from pathlib import Path

import structlog

from tradewind.domain.environments import Environment, Origin
from tradewind.domain.errors import CannotProvide
from tradewind.domain.snapshots import Kind, Snapshot, SnapshotState
from tradewind.reconcile.folders import Folders, copy_tree, remove_tree, write_whole
from tradewind.reconcile.hands import LOCK, PLUGINS, REQUIREMENTS, STARTUP_SCRIPT, STARTUP_VARIABLES, Hands

_log = structlog.get_logger(__name__)
_DUMP = "database.dump"
_REVISION = "revision"
_UNPACKED = "plugins"
# The lock is the last: with it a revision is complete.
_FILES = (REQUIREMENTS, PLUGINS, STARTUP_SCRIPT, STARTUP_VARIABLES, LOCK)


def take(hands: Hands, environment: Environment, snapshot: Snapshot) -> None:
    """Take what was asked for, from what is in force. Whoever works in the environment goes on working."""
    folder = hands.host.layout.snapshots / snapshot.id
    remove_tree(folder)
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    revision = folder / _REVISION
    revision.mkdir(mode=0o700)
    source = hands.layout(environment).revision(environment.revision)
    for name in _FILES:
        if (source / name).is_file():
            write_whole(revision / name, (source / name).read_text())
    plugins = hands.plugins(environment)
    if plugins is not None:
        copy_tree(plugins, folder / _UNPACKED, None)
    hands.dumps.write(environment.database, hands.owner(environment), folder / _DUMP)
    key = environment.secrets.fernet_key
    if not hands.records.finish(snapshot.id, spec=environment.spec, fernet_key=key, size=_size(folder)):
        remove_tree(folder)
        raise RuntimeError(f"snapshot {snapshot.id} was deleted while it was taken")


def dump_of(hands: Hands, id_: str) -> Path:
    """The dump of a snapshot that has been taken."""
    return hands.host.layout.snapshots / id_ / _DUMP


def available(hands: Hands, origin: Origin) -> Snapshot | None:
    """The snapshot that a generation comes from; None while it is being taken. Raises CannotProvide: there is none."""
    snapshot = hands.records.get(origin.snapshot)
    if snapshot is None:
        raise CannotProvide(f"cannot restore {origin.snapshot}: there is no such snapshot any more")
    if snapshot.state is SnapshotState.FAILED:
        raise CannotProvide(f"cannot restore {origin.snapshot}: {snapshot.error}")
    return snapshot if snapshot.state is SnapshotState.AVAILABLE else None


def adopt(hands: Hands, environment: Environment, origin: Origin) -> None:
    """Make a revision of what a snapshot holds: the same lock, whatever bucket and registry hold by now."""
    kept = hands.host.layout.snapshots / origin.snapshot
    if not (kept / _REVISION / LOCK).is_file():
        raise CannotProvide(f"cannot restore {origin.snapshot}: its files are not there any more")
    layout, user = hands.layout(environment), hands.user(environment)
    folders = Folders(user)
    revision = layout.revision(environment.revision)
    for folder in (revision.parent, revision):
        folders.ours(folder)
    if (kept / _UNPACKED).is_dir():
        target = layout.plugins((kept / _REVISION / PLUGINS).read_text())
        folders.ours(target.parent)
        if not target.is_dir():
            copy_tree(kept / _UNPACKED, target, None if user is None else user.gid)
    for name in _FILES:
        if not (kept / _REVISION / name).is_file():
            (revision / name).unlink(missing_ok=True)
        elif name == STARTUP_SCRIPT:
            folders.write(revision / name, (kept / _REVISION / name).read_text())
        else:
            write_whole(revision / name, (kept / _REVISION / name).read_text())


def let_go(hands: Hands, environment: Environment) -> None:
    """The copy has been made, or cannot be: a snapshot that was taken for it alone may go."""
    snapshot = None if environment.origin is None else hands.records.get(environment.origin.snapshot)
    if snapshot is not None and snapshot.kind is Kind.FORK:
        hands.records.want_deleted(snapshot.id)


def remove_unwanted(hands: Hands) -> None:
    """Files first, so that nothing is forgotten that is still there."""
    for id_ in hands.records.unwanted():
        try:
            remove_tree(hands.host.layout.snapshots / id_)
        except OSError as error:  # the others may go all the same
            _log.warning("snapshot", action="kept", snapshot=id_, reason=str(error))
        else:
            hands.records.forget(id_)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if stat.S_ISREG(file.lstat().st_mode))
