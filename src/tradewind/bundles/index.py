"""What is known of each file of the version in force: its tag in the bucket and the hash of its content.

It is kept beside the versions (`index.json`) so that a restarted control plane does not read every file again.
It is a cache and nothing more: one that is absent, broken, or of another version or bucket is made anew from
the version's own files, with empty tags, which makes the next look at the bucket compare contents.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.bundles.versions import Versions

UNKNOWN_TAG = ""
_NAME = "index.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the bucket's tag when it was read, and the SHA-256 of what was read."""

    tag: str
    content: str


@dataclass(frozen=True)
class InForce:
    """The version that `current` names. `version` is empty before the first one."""

    version: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)


def version_of(entries: Mapping[str, Entry]) -> str:
    """The name of a version: a digest over its paths and contents, nothing else."""
    digest = hashlib.sha256()
    for path in sorted(entries):
        encoded = path.encode()
        digest.update(b"%d:%b=%b;" % (len(encoded), encoded, entries[path].content.encode()))
    return digest.hexdigest()[:32]


def load(versions: Versions, source: str) -> InForce:
    """What is in force for this source (a bucket and a prefix, in words)."""
    version = versions.current()
    if version is None:
        return InForce()
    try:
        document = json.loads((versions.folder / _NAME).read_bytes())
        if (document["format"], document["version"], document["source"]) == (_FORMAT, version, source):
            return InForce(version, {path: Entry(*entry) for path, entry in document["files"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    top = versions.path(version)
    return InForce(version, {path: Entry(UNKNOWN_TAG, _hash(top / path)) for path in versions.files(version)})


def save(versions: Versions, source: str, state: InForce) -> None:
    """Write the cache, whole or not at all. Only the service's own user reads it."""
    files = {path: (entry.tag, entry.content) for path, entry in state.entries.items()}
    document = {"format": _FORMAT, "version": state.version, "source": source, "files": files}
    fresh = versions.folder / (_NAME + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(document, file)
    fresh.replace(versions.folder / _NAME)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
