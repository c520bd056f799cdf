"""Prefect and Dagster, for B1 and B2: the nearest that each has to "one DAG, tasks in a line".

Each has a virtualenv of its own from a lock with hashes (`benchmarks/locks/`) and a program that stays up and runs a
line of tasks when asked (`prefect_flows.py`, `dagster_jobs.py`): a line of JSON in, a line of JSON out. So interpreter
start and imports count for neither. Times are from their own records: from the run's creation to its end.
"""

from benchmarks.others.playing import PLAYERS, Player, playing

__all__ = ["PLAYERS", "Player", "playing"]
