"""A DAG bundle over immutable snapshots: what the bucket held at one moment, under the digest of its content.

    <path>/versions/<digest>/...      never changes; the control plane writes and removes it
    <path>/current -> versions/<digest>   the control plane swaps this link in one rename

The version of the bundle is the digest. A run keeps the version that it started with: tasks open `versions/<digest>`.
The DAG processor follows the link and always reads one whole snapshot: `path` is the snapshot's own folder, never the
link, so a file that is being parsed while the link moves still imports its neighbours of the same moment.
"""

import re
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.base import BaseDagBundle
from airflow.exceptions import AirflowException

try:
    from airflow.dag_processing.bundles.base import BundleVersion
except ImportError:  # Airflow before 3.3 takes the plain string
    BundleVersion = str  # type: ignore[assignment,misc]

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class SnapshotBundle(BaseDagBundle):
    """`path` is the folder that holds `versions/` and `current`."""

    supports_versioning = True

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(path)
        if self.version is not None and not _VERSION.fullmatch(self.version):
            raise AirflowException(f"cannot open DAG bundle {self.name!r}: {self.version!r} is not a version")
        self._followed: str | None = None
        self._looked = False

    def initialize(self) -> None:
        """Find the snapshot. A version that is gone is an error that says so; no snapshot at all yet is not."""
        if self.version is None:
            self.refresh()
        elif not self.path.is_dir():
            raise AirflowException(
                f"cannot open version {self.version} of DAG bundle {self.name!r}: its snapshot {self.path} is no"
                " longer kept. Clear the run to the latest version, or trigger a new one."
            )
        super().initialize()

    @property
    def path(self) -> Path:
        """Folder of the snapshot; of a bundle without any, a folder that does not exist."""
        return self.root / "versions" / (self._read() or "none")

    def newest(self) -> str | None:
        """Version that the link names now, None before the first one. Costs one system call."""
        try:
            return (self.root / "current").readlink().name
        except FileNotFoundError:
            return None

    def get_current_version(self) -> Any:
        """Version that this bundle reads."""
        version = self._read()
        return None if version is None else BundleVersion(version)

    def refresh(self) -> None:
        """Follow the link."""
        if self.version is not None:
            raise AirflowException(f"cannot refresh DAG bundle {self.name!r}: it is open at version {self.version}")
        self._followed, self._looked = self.newest(), True

    def moved(self) -> bool:
        """Whether the link names another version than the one that this bundle reads."""
        return self.version is None and self.newest() != self._followed

    def _read(self) -> str | None:
        # once it has followed the link, what it reads changes at a refresh only: Airflow compares before and after
        return self.version or (self._followed if self._looked else self.newest())
