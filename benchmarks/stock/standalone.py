"""`airflow standalone` on a fresh AIRFLOW_HOME, until its first DAG run has succeeded.

It is left as it is: SQLite, LocalExecutor, the keys that it makes for itself; only its ports are other ones and the
example DAGs are off (which favours it). The run comes from a DAG that is scheduled once and not paused, since nobody is
there to trigger it, and is read from its database.
"""

import shutil
import signal
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks import dags
from benchmarks.measuring import CannotMeasure
from benchmarks.programs import Program, running
from benchmarks.stock import settings
from benchmarks.stock.installation import free_ports
from benchmarks.watching import seconds_until

_DAG = "bench_once"
_SECONDS = 300.0


def seconds_to_first_run(virtualenv: Path, since: float | None = None) -> float:
    """From its start (or from `since`, monotonic) to the sight of a successful run. Stopped and removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="tradewind-bench-standalone-"))
    try:
        (home / "dags").mkdir()
        (home / "dags" / f"{_DAG}.py").write_text(dags.once(_DAG))
        environment = settings.surroundings(
            home, virtualenv, settings.standalone_options(settings.Ports(*free_ports(4)))
        )
        command = [str(virtualenv / "bin" / "airflow"), "standalone"]
        began = time.monotonic() if since is None else since
        with running(
            "standalone", command, environment=environment, directory=home, stop_signal=signal.SIGINT, stop_seconds=10
        ) as program:
            return seconds_until(
                lambda: _has_succeeded(home, program),
                limit=_SECONDS,
                what="airflow standalone's first run",
                since=began,
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _has_succeeded(home: Path, program: Program) -> bool:
    program.check()
    try:
        with closing(sqlite3.connect(f"file:{home / 'airflow.db'}?mode=ro", uri=True, timeout=1)) as connection:
            states = {row[0] for row in connection.execute("SELECT state FROM dag_run WHERE dag_id = ?", (_DAG,))}
    except sqlite3.Error:  # no file, no table yet, or just being written
        return False
    if "failed" in states:
        raise CannotMeasure(f"cannot measure airflow standalone: its first run failed\n{program.last_lines()}")
    return "success" in states
