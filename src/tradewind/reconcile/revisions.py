"""One revision: requirements.txt and its lock, plugins and start-up script of one generation, in a folder of its own.

What a bucket holds may change at any time; a revision never does. Its lock is written last: with it the revision is
complete. What an update leaves as it is comes from the revision in force.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tradewind.bundles import Bucket, read, unpack
from tradewind.domain.arns import bucket_name
from tradewind.domain.environments import Environment
from tradewind.domain.errors import CannotProvide
from tradewind.domain.manifests import ProcessState
from tradewind.recipe import startup
from tradewind.reconcile.folders import Folders, write_whole
from tradewind.reconcile.hands import LOCK, PLUGINS, REQUIREMENTS, SAID, STARTUP_SCRIPT, Hands
from tradewind.reconcile.starting_up import remove_other_overlays
from tradewind.runtime import users

_LOG_LIMIT = 1_000_000  # characters of the installer's output that are kept
PLUGINS_LIMIT = 1024**3  # bytes of plugins.zip: MWAA's guide recommends less


def resolve(hands: Hands, environment: Environment, in_force: Environment | None = None) -> None:
    """Fetch what the spec names, and resolve the requirements. `in_force`: what an update is to replace.

    Raises CannotProvide: what the bucket does not hold, an archive that may not be unpacked, the resolver's words.
    """
    bucket = hands.source_bucket(environment)
    if not bucket.exists():
        raise CannotProvide(f"cannot find {bucket.describe()}: it does not exist", "INCORRECT_CONFIGURATION")
    if in_force is None:
        open_bucket(hands, environment)
    revision = hands.layout(environment).revision(environment.revision)
    folders = Folders(hands.user(environment))
    folders.ours(revision.parent)
    folders.ours(revision)
    (revision / SAID).unlink(missing_ok=True)
    text = _requirements(hands, environment, in_force, bucket)
    write_whole(revision / REQUIREMENTS, text)
    plugins = _plugins(hands, environment, in_force, bucket)
    _keep(revision / PLUGINS, plugins)
    _keep(revision / STARTUP_SCRIPT, _script(hands, environment, in_force, bucket), folders)
    lock = None if in_force is None else _same_lock(hands, environment, in_force)
    if lock is None:
        spec = environment.spec
        version = hands.version_lock(spec.airflow_version)
        lock = hands.virtualenvs.resolve(
            text,
            version=spec.airflow_version,
            lock=version,
            plugins=hands.plugins(environment),
            tell=lambda said: _log_installing(hands, environment, said),
        )
    write_whole(revision / LOCK, lock)


def build(hands: Hands, environment: Environment) -> None:
    """The virtualenv of its lock. Raises CannotProvide with the installer's words."""
    lock = hands.lock(environment)
    if lock is None:
        raise RuntimeError(f"environment {environment.id} has no lock yet")
    hands.virtualenvs.build(
        lock, hands.plugins(environment), tell=lambda said: _log_installing(hands, environment, said)
    )


def _log_installing(hands: Hands, environment: Environment, said: str) -> None:
    """What the installer says, as a log: all of this revision, which keeps it where the environment cannot write."""
    layout = hands.layout(environment)
    kept = layout.revision(environment.revision) / SAID
    before = kept.read_text() if kept.exists() else ""
    text = (before + said)[-_LOG_LIMIT:]
    write_whole(kept, text)
    Folders(hands.user(environment)).write(layout.process_log("requirements_install"), text)


# -- fetching ------------------------------------------------------------------------------------------------------


def _requirements(hands: Hands, environment: Environment, in_force: Environment | None, bucket: Bucket) -> str:
    path, version = environment.spec.requirements_s3_path, environment.spec.requirements_s3_object_version
    if path is None:
        return ""
    if in_force is not None and version is not None and _same(environment, in_force, "requirements"):
        kept = hands.requirements(in_force)
        if kept is not None:
            return kept
    try:
        return read(bucket, path, version=version).decode("utf-8-sig")  # editors on Windows begin a file with a mark
    except UnicodeDecodeError as error:
        raise CannotProvide(f"cannot use {path}: it is not UTF-8 text", "INCORRECT_CONFIGURATION") from error


def _plugins(hands: Hands, environment: Environment, in_force: Environment | None, bucket: Bucket) -> str | None:
    """The digest of plugins.zip, once it is unpacked; None where there is none, or an empty file."""
    path, version = environment.spec.plugins_s3_path, environment.spec.plugins_s3_object_version
    if path is None:
        return None
    if in_force is not None and version is not None and _same(environment, in_force, "plugins"):
        return hands.plugins_digest(in_force)
    user = hands.user(environment)
    with _fetched(bucket, path, version, PLUGINS_LIMIT) as (archive, digest):
        if archive.stat().st_size == 0:
            return None
        target = hands.layout(environment).plugins(digest)
        Folders(user).ours(target.parent)
        if not target.is_dir():
            unpack(archive, target, path, None if user is None else user.gid)
    return digest


def _script(hands: Hands, environment: Environment, in_force: Environment | None, bucket: Bucket) -> str | None:
    path, version = environment.spec.startup_script_s3_path, environment.spec.startup_script_s3_object_version
    if path is None:
        return None
    if in_force is not None and version is not None and _same(environment, in_force, "startup_script"):
        kept = hands.startup_script(in_force)
        if kept is not None:
            return kept
    try:
        return read(bucket, path, version=version, limit=startup.LIMIT).decode()
    except UnicodeDecodeError as error:
        raise CannotProvide(f"cannot use {path}: it is not UTF-8 text", "INCORRECT_CONFIGURATION") from error


@contextmanager
def _fetched(bucket: Bucket, path: str, version: str | None, limit: int) -> Iterator[tuple[Path, str]]:
    """An object in a temporary file, and the digest of its content."""
    with tempfile.NamedTemporaryFile(prefix="tradewind-") as file:
        sink = _Hashing(file.file)
        bucket.copy(path, sink, version=version, limit=limit)
        file.flush()
        yield Path(file.name), sink.digest.hexdigest()[:32]


class _Hashing:
    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        self.digest.update(chunk)
        return self.file.write(chunk)


def _same(environment: Environment, in_force: Environment, artefact: str) -> bool:
    """Whether both name the same object and version of the same bucket."""
    then, now = environment.spec, in_force.spec
    members = ("source_bucket_arn", f"{artefact}_s3_path", f"{artefact}_s3_object_version")
    return all(getattr(then, member) == getattr(now, member) for member in members)


def _keep(path: Path, text: str | None, folders: Folders | None = None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
    elif folders is None:
        write_whole(path, text)
    else:
        folders.write(path, text)


def open_bucket(hands: Hands, environment: Environment) -> None:
    """As root: let the environment's user read and write its directory bucket, through a group of the bucket's.

    For an update only when it is put in force: what is only tried gets no rights.
    """
    folder = hands.bucket_folder(bucket_name(environment.spec.source_bucket_arn))
    if folder is None or not hands.host.as_root:
        return
    group = users.bucket_group(folder)
    gid = users.ensure_group(group)
    users.join(environment.id.unix_user, group)
    if gid is not None:
        os.chown(folder, -1, gid)
        folder.chmod(0o2770)


# -- taking over ---------------------------------------------------------------------------------------------------


def _same_lock(hands: Hands, environment: Environment, in_force: Environment) -> str | None:
    """The lock in force, if nothing that it was resolved from differs. An update without a change resolves anew."""
    is_same = (
        environment.spec != in_force.spec
        and environment.spec.airflow_version == in_force.spec.airflow_version
        and hands.requirements(environment) == hands.requirements(in_force)
        and hands.plugins_digest(environment) == hands.plugins_digest(in_force)
    )
    return hands.lock(in_force) if is_same else None


def remove_others(hands: Hands, environment: Environment) -> None:
    """Remove what neither the settings in force nor those asked for need, nor who still drains."""
    layout = hands.layout(environment)
    ending = {ProcessState.STOPPING, ProcessState.UNKNOWN}
    if any(
        process.waits or process.state in ending for process in hands.runtime.observe(str(environment.id)).processes
    ):
        return
    kept = {environment.revision, environment.coming.revision}
    revisions = layout.revision(environment.revision or 1).parent
    for folder in revisions.iterdir() if revisions.is_dir() else ():
        if folder.name not in {str(number) for number in kept}:
            shutil.rmtree(folder, ignore_errors=True)
    digests = {hands.plugins_digest(environment), hands.plugins_digest(environment.coming)}
    plugins = layout.plugins("none").parent
    for folder in plugins.iterdir() if plugins.is_dir() else ():
        if folder.name not in digests:
            shutil.rmtree(folder, ignore_errors=True)
    remove_other_overlays(hands, environment)
