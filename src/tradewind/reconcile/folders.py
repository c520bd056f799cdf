"""Folders and files of one environment, each with the right owner.

As root an environment's folder belongs to the service and is readable by the environment's group; a few folders inside
belong to the environment's user. Where that user may write, nothing that lies there is followed or trusted.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from tradewind.domain.whole_files import replace_whole
from tradewind.runtime import users


@dataclass(frozen=True)
class Folders:
    """Makes folders and files of one environment with the right owner. Without root everything is ours anyway."""

    user: users.UnixUser | None

    def ours(self, path: Path) -> None:
        """Ours; the environment's user may read."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o750 if self.user else 0o700)
        if self.user:
            os.chown(path, 0, self.user.gid)

    def theirs(self, path: Path) -> None:
        """The environment's user's own."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o750 if self.user else 0o700)
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)

    def private(self, path: Path) -> None:
        """The service's alone."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)

    def write(self, path: Path, text: str) -> None:
        """A file of ours that the environment's user may read."""
        write_whole(path, text, 0o640 if self.user else 0o600, None if self.user is None else self.user.gid)


def write_whole(path: Path, text: str, mode: int = 0o600, gid: int | None = None) -> None:
    """Replace a file as a whole; one that holds the text already stays."""
    if not _holds(path, text):
        replace_whole(path, text, mode, gid)


def _holds(path: Path, text: str) -> bool:
    """Whether it is a file with that text. What an environment's user may have put there must not hold us up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and file.read() == text.encode()


def remove_tree(path: Path) -> None:
    """Remove a file, a link or a whole folder, in which somebody else may be at work: no link is followed."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    if os.geteuid() != 0:  # snapshots are read-only folders, which only root may empty as they are
        for _, _, _, descriptor in os.fwalk(path):
            os.fchmod(descriptor, 0o700)
    shutil.rmtree(path)


def copy_tree(source: Path, target: Path, gid: int | None) -> None:
    """Copy a folder of read-only files of ours, whole or not at all; that group may read the copy."""
    building = target.with_name(f".{target.name}.new")
    remove_tree(building)
    shutil.copytree(source, building)
    if gid is not None:
        for parent, _, files in os.walk(building):
            for path in (Path(parent), *(Path(parent) / name for name in files)):
                os.chown(path, 0, gid)
    building.rename(target)


def give_to_us(path: Path) -> None:
    """As root: take over what belonged to a user who is about to go."""
    if os.geteuid() != 0 or not path.exists():
        return
    for parent, folders, files in os.walk(path):
        os.lchown(parent, 0, 0)
        for name in (*folders, *files):
            os.lchown(Path(parent) / name, 0, 0)
