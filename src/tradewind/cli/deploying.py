"""Puts files into a directory bucket: `<data-dir>/buckets/<bucket>/<key>`.

Each file appears whole (written beside, then renamed), what tools leave behind (bytecode, version control, editors'
files) is left out, and nothing that lies in the bucket already is removed: somebody may have put it there by hand.
"""

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradewind.bundles.keys import ignored, ignored_name
from tradewind.cli.failures import Failure

DAGS = "dags"
# What a file is called in the bucket, by the member of the API that names its place there.
ARTEFACTS = {
    "RequirementsS3Path": "requirements.txt", "PluginsS3Path": "plugins.zip", "StartupScriptS3Path": "startup.sh",
}  # fmt: skip
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Deployed:
    """What was put where. `others` are files of the DAG folder that were there already."""

    folder: Path
    files: int
    others: int


def bucket_for(name: str) -> str:
    """An environment's own bucket: `tradewind-<name>`, with a digest where the name itself is none for a bucket."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if plain == name and len(plain) <= 50:  # noqa: PLR2004  (63 less what stands before)
        return f"tradewind-{plain}"
    return f"tradewind-{plain[:40].strip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def check_bucket(bucket: str) -> str:
    """The bucket's name. Raises Failure when no bucket can have it."""
    if not _BUCKET.fullmatch(bucket):
        raise Failure(f"cannot use the bucket {bucket}: a bucket's name has 3 to 63 of a-z, 0-9, '-' and '.'")
    return bucket


def artefacts(requirements: Path | None, plugins: Path | None, startup_script: Path | None) -> dict[str, Path]:
    """Files by the member that names their place in the bucket. Raises Failure for one that is not there."""
    named = dict(zip(ARTEFACTS, (requirements, plugins, startup_script), strict=True))
    found = {member: path for member, path in named.items() if path is not None}
    for path in found.values():
        if not path.is_file():
            raise Failure(f"cannot use {path}: there is no such file")
    return found


def check_dags(dags: Path) -> None:
    """Raise Failure for DAGs that are not there, before anything is made."""
    if not dags.exists():
        raise Failure(f"cannot use the DAGs {dags}: there is no such file or folder")


def put_artefacts(root: Path, files: Mapping[str, Path]) -> None:
    """Copy artefacts into a bucket's folder. Raises Failure."""
    try:
        for member, path in files.items():
            _put(path, root / ARTEFACTS[member])
    except OSError as error:
        raise Failure(f"cannot put files into {root}: {error.strerror}: {error.filename}") from error


def deploy(buckets: Path, bucket: str, dags: Path) -> Deployed:
    """Copy the DAGs. Raises Failure."""
    root = buckets / bucket
    target = root / DAGS
    try:
        target.mkdir(parents=True, exist_ok=True)
        put = set(_copies(dags, target))
        others = sum(1 for path, _ in _files(target) if path not in put)
    except OSError as error:
        raise Failure(f"cannot put files into the bucket {bucket}: {error.strerror}: {error.filename}") from error
    return Deployed(target, len(put), others)


def _copies(source: Path, target: Path) -> Iterator[Path]:
    if source.is_file():
        _put(source, target / source.name)
        yield target / source.name
        return
    if source.resolve() == target.resolve():  # they are in place
        yield from (path for path, _ in _files(target))
        return
    if target.resolve().is_relative_to(source.resolve()):
        raise Failure(f"cannot use the DAGs {source}: the bucket itself lies in that folder")
    for path, relative in _files(source):
        _put(path, target / relative)
        yield target / relative


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Every file that belongs to the DAGs, and its place. Links to files are followed: it is the user's own folder."""
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=False):
        folders[:] = sorted(name for name in folders if not ignored_name(name))
        for name in sorted(names):
            path = Path(parent) / name
            relative = path.relative_to(folder)
            if not ignored(str(relative)) and path.is_file():
                yield path, relative


def _refuse(error: OSError) -> None:
    raise error


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.new~")  # a name that no version of the DAGs takes up
    try:
        shutil.copyfile(source, scratch)
        scratch.chmod(0o644)
        scratch.replace(target)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink()
