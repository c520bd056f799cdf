"""Keys of objects, and which of them can be files of a snapshot.

A key is relative and `/`-separated (`dags/team/etl.py`); S3 allows nearly any text, a file system does not.
People write MWAA's paths with or without slashes around them (`dags`, `dags/`, `/dags`): all mean the same,
and the empty path is the whole bucket.

What editors, version control and Python leave beside a file never belongs to a version: it would change
the version without changing any DAG. Everything else is kept, `.airflowignore` and data files included.
"""

import os
import re
from collections.abc import Collection

from tradewind.domain.errors import CannotProvide

IGNORED_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints"}
)
_IGNORED_FILES = re.compile(
    r".*\.py[co]"  # bytecode
    r"|.*~"  # backups of many editors
    r"|\.#.*|\#.*\#"  # Emacs: lock and auto-save
    r"|\..*\.sw[a-z]|4913"  # Vim: swap files, and the probe it makes before it saves
    r"|\.nfs[0-9a-f]+|\.DS_Store|\.directory|Thumbs\.db",
    re.DOTALL,
)
_LONGEST_NAME = 255  # bytes of one component on every file system of Linux
_LONGEST_PATH = 2048  # bytes; PATH_MAX is 4096 and the data directory stands before it


def normalise(path: str) -> str:
    """A path as MWAA's users write it, as a key: no slash at either end. Raises CannotProvide when it can be none."""
    key = path.strip("/")
    if key and (reason := unsuitable(key)):
        raise CannotProvide(f"cannot use the path {path!r}: {reason}", "INVALID_PATH")
    return key


def folder(key: str) -> str:
    """What the keys below a normalised prefix start with."""
    return f"{key}/" if key else ""


def ignored(path: str) -> bool:
    """Whether a path, relative to the DAG folder, is litter of a tool rather than a part of the DAGs."""
    *folders, name = path.split("/")
    return not IGNORED_FOLDERS.isdisjoint(folders) or _IGNORED_FILES.fullmatch(name) is not None


def ignored_name(name: str) -> bool:
    """The same for one name, so that a walk does not enter what it would drop."""
    return name in IGNORED_FOLDERS or _IGNORED_FILES.fullmatch(name) is not None


def unsuitable(path: str) -> str | None:
    """Why this path cannot be a file below a folder; None when it can. Unicode, spaces and newlines can."""
    parts = path.split("/")
    if "" in parts:
        return "a part of it is empty"
    if "." in parts or ".." in parts:
        return "it has a part that is . or .."
    if "\0" in path:
        return "it holds a zero byte"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8: Airflow could not store it in its database
        return "it is not valid UTF-8"
    if len(encoded) > _LONGEST_PATH or any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        return "it is too long for a file system"
    return None


def shadowed(paths: Collection[str]) -> frozenset[str]:
    """Paths that are also a folder of another one (S3 can hold `a` and `a/b`): the folder wins."""
    known = frozenset(paths)
    found = set()
    for path in known:
        end = path.rfind("/")
        while end > 0:
            if path[:end] in known:
                found.add(path[:end])
            end = path.rfind("/", 0, end)
    return frozenset(found)
