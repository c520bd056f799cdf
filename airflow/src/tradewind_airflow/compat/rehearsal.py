"""Parse every DAG file of one snapshot as the DAG processor does, and keep the results instead of storing them.

Files are found, parsed in processes of their own, timed out and given variables and connections by Airflow's own
manager; only its loop and its writing to the database are left out.
"""

import selectors
import time
from collections import OrderedDict, deque
from collections.abc import Collection
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.manager import DagFileInfo, DagFileProcessorManager

_WAIT_SECONDS = 0.2
_OUT_OF_TIME = "it took longer than dag_processor.dag_file_processor_timeout"
_ENDED = "the process that parsed it ended before it was done"


def parse(bundle_name: str, version: str, only: Collection[str] | None, seconds: float) -> dict[str, dict[str, Any]]:
    """What became of each file, by its path in the snapshot: `dags`, their ids, and `error`, None where it has none.

    `only` names the files to parse; None means all that may hold DAGs. Not to be parsed within `seconds`, which all
    files have, is an error too.
    """
    bundle = DagBundlesManager().get_bundle(bundle_name, version)
    bundle.initialize()
    manager = DagFileProcessorManager(max_runs=1)
    manager.selector = selectors.DefaultSelector()
    manager._dag_bundles = [bundle]  # noqa: SLF001
    found = [path for path in manager._find_files_in_bundle(bundle) if only is None or str(path) in only]  # noqa: SLF001
    files = [DagFileInfo(rel_path=path, bundle_name=bundle.name, bundle_path=bundle.path) for path in found]
    is_deque = isinstance(manager._file_queue, deque)  # noqa: SLF001  before 3.3
    manager._file_queue = deque(files) if is_deque else OrderedDict.fromkeys(files)  # noqa: SLF001
    late = f"it was not parsed within {seconds:.0f} seconds, in which all files have to be"
    missing = {str(path): {"dags": [], "error": late} for path in found}
    return missing | _run(manager, bundle.path, time.monotonic() + seconds)


def _run(manager: DagFileProcessorManager, root: Path, deadline: float) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {}
    under_way = manager._processors  # noqa: SLF001
    while (manager._file_queue or under_way) and time.monotonic() < deadline:  # noqa: SLF001
        manager._start_new_processes()  # noqa: SLF001
        manager._service_processor_sockets(timeout=_WAIT_SECONDS)  # noqa: SLF001
        for file in [file for file, process in under_way.items() if process.is_ready]:
            process = under_way.pop(file)
            process.logger_filehandle.close()
            results[str(file.rel_path)] = _outcome(process.parsing_result, root)
        before = set(under_way)
        manager._kill_timed_out_processors()  # noqa: SLF001
        for file in before - set(under_way):
            results[str(file.rel_path)] = {"dags": [], "error": _OUT_OF_TIME}
    manager.terminate()
    return results


def _outcome(result: Any, root: Path) -> dict[str, Any]:
    if result is None:
        return {"dags": [], "error": _ENDED}
    errors = [words.strip().replace(f"{root}/", "") for words in (result.import_errors or {}).values()]
    return {"dags": [dag.dag_id for dag in result.serialized_dags], "error": "\n".join(errors) or None}
