"""The DAG processor's manager, taught that a snapshot changes as a whole.

Stock, a bundle's refresh finds new and deleted files, but a file that exists already is parsed again only when its
modification time is newer than its last parse, or after `min_file_process_interval` (30 s): a rollback to an older
snapshot, a change in a helper module, or a parse that was under way while the link moved would wait that long, and
until then runs would start on the old snapshot. Here, when the link moves:

- the bundle is refreshed at once (the link is read every turn of the loop, about once a second; nothing is written
  to the log or the database while it stands still),
- parses of the old snapshot are stopped, since their results would be filed under the new version,
- every file of the bundle is due, those first whose bytes differ from the old snapshot's.

And what is remembered of a callback's run is forgotten: a callback names a version, so it is another file to the
manager, one that has never been parsed. Stock takes that for the file's own state and parses it again in every turn of
the loop, for ever: a third of a core from the first callback on.
"""

import contextlib
import filecmp
import importlib
import signal
from collections import OrderedDict
from pathlib import Path
from typing import Any

from airflow.dag_processing.manager import DagFileInfo, DagFileProcessorManager

from tradewind_airflow.bundle import SnapshotBundle

_IDLE_REFRESH_SECONDS = 300
_OFTEN_IMPORTED = ("airflow.sdk.definitions.dag", "airflow.providers.standard.operators.python")


class SnapshotManager(DagFileProcessorManager):
    """Follows the links of snapshot bundles; other bundles are treated as stock."""

    _is_warm = False

    def _refresh_dag_bundles(self, known_files: dict[str, set[DagFileInfo]]) -> None:
        snapshots = [bundle for bundle in self._dag_bundles if isinstance(bundle, SnapshotBundle)]
        if len(snapshots) == len(self._dag_bundles):
            self.bundle_refresh_check_interval = _IDLE_REFRESH_SECONDS  # the link tells, not the clock
        before = {bundle.name: bundle.path for bundle in snapshots if bundle.is_initialized}
        self.request_bundle_refresh([bundle.name for bundle in snapshots if bundle.is_initialized and bundle.moved()])
        super()._refresh_dag_bundles(known_files=known_files)
        if not self._is_warm and not any(known_files.values()):
            self._warm_up()
        for bundle in snapshots:
            old = before.get(bundle.name)
            if old is not None and old != bundle.path:
                self._take_up(bundle.name, old, bundle.path, known_files.get(bundle.name, set()))

    def handle_parsing_result(self, file: DagFileInfo, *given: Any, **named: Any) -> None:
        """As stock, but for what it remembers of callbacks."""
        super().handle_parsing_result(file, *given, **named)
        if file.bundle_version is not None:
            self._file_stats.pop(file, None)

    def _warm_up(self) -> None:
        """While there is nothing to parse yet: get ready what the first file would wait seconds for."""
        self._is_warm = True
        for module in _OFTEN_IMPORTED:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        _ = self.client

    def _take_up(self, name: str, old: Path, new: Path, files: set[DagFileInfo]) -> None:
        """Make all files of the bundle due, the changed ones first. Callbacks keep the version that they name."""
        for file in [f for f in self._processors if f.bundle_name == name and f.bundle_version is None]:
            if not self._processors[file].had_callbacks:
                processor = self._processors.pop(file)
                processor.kill(signal.SIGKILL)
                processor.logger_filehandle.close()
        self._file_queue = OrderedDict(
            (f, None) for f in self._file_queue if f.bundle_name != name or f in self._callback_to_execute
        )
        for file, stat in self._file_stats.items():
            if file.bundle_name == name:
                stat.last_finish_time = None
        order = sorted(files, key=lambda f: (_same_bytes(old / f.rel_path, new / f.rel_path), f.rel_path))
        self._add_files_to_queue(order, mode="back")


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
