"""Ending: everything that a data directory's service started, and nothing else.

Environments first, all at once (tasks that run get some seconds), then the host's processes. What to stop is
known from the supervisors' own records, ids with start times, so this works after a kill of the service too.
"""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import psutil

from tradewind.bootstrap import directory
from tradewind.bootstrap.announcement import forget, recall
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.errors import TradewindError
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST
from tradewind.settings import Settings

_TASK_SECONDS = 20.0
_SERVICE_SECONDS = 120.0
_ENDING_SECONDS = 10.0


def bring_down(settings: Settings) -> bool:
    """Stop the service and all it started. False when nothing ran. Returns when it is gone."""
    layout = settings.layout
    if not layout.data.is_dir():
        return False
    announcement = recall(layout)
    process = announcement.process() if announcement is not None else None
    ran = bool(runtime_of(layout).owners())
    if process is not None:
        ran = True
        process.terminate()
        deadline = time.monotonic() + _SERVICE_SECONDS
        while directory.is_held(layout):
            if time.monotonic() > deadline:
                raise TradewindError(f"cannot stop the service: process {process.pid} does not end")
            time.sleep(0.1)
        with contextlib.suppress(psutil.TimeoutExpired):  # it has let go of everything, and ends now
            process.wait(_ENDING_SECONDS)
    elif directory.is_held(layout):
        raise TradewindError("cannot stop the service: it is just starting; try again in some seconds")
    with directory.held(layout):
        stop_everything(layout)
        forget(layout)
    return ran


def stop_everything(layout: Layout) -> None:
    """Stop every owner's processes: environments first, then the host's."""
    runtime = runtime_of(layout)
    environments = [owner for owner in runtime.owners() if owner != HOST]
    with ThreadPoolExecutor(max(1, len(environments))) as pool:
        list(pool.map(lambda owner: runtime.stop(owner, patience=_TASK_SECONDS), environments))
    runtime.stop(HOST)
    _remove_sockets(layout)


def _remove_sockets(layout: Layout) -> None:
    """A folder of sockets that lies elsewhere, because the data directory's path is long, must not stay behind."""
    if layout.run.parent == layout.data or not layout.run.is_dir() or layout.run.is_symlink():
        return
    for path in layout.run.iterdir():
        if path.is_socket():
            path.unlink()
    with contextlib.suppress(OSError):  # something that is not ours lies there
        layout.run.rmdir()
