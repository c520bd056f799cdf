"""Close a process to its neighbours: tasks run as the same unix user as the scheduler and the API server.

A process that is not "dumpable" (prctl) cannot be read through /proc/<pid>/environ, /proc/<pid>/mem or ptrace by
others of its user. The flag goes to forks (DAG processor's and triggerer's children, Celery's slots) and is lost at
exec. Trusted components therefore pass on TRADEWIND_CLOSED=1, and `tradewind_airflow_closed.pth`, which Python reads at
its start, closes what they execute too (the API server's workers where there are several, multiprocessing's tracker)
within milliseconds. Tasks' own commands are not closed: workers do not set it.
"""

import ctypes
import os
import sys

VARIABLE = "TRADEWIND_CLOSED"
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


def close_process() -> bool:
    """Make this process unreadable for its neighbours. False where the system cannot (not Linux)."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        return True
    sys.stderr.write(f"cannot close the process to its neighbours: {os.strerror(ctypes.get_errno())}\n")
    return False


def close_process_and_heirs() -> bool:
    """Close this process and every Python that it will execute."""
    os.environ[VARIABLE] = "1"
    return close_process()


def process_is_closed() -> bool:
    """Whether this process is closed."""
    return sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
