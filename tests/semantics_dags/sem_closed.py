"""A DAG file whose parse is closed: its tasks may be forks of a process that has executed it. See semantics_looks."""

from airflow.sdk import dag
from semantics_looks import tasks

print("printed while the file was parsed")


@dag(schedule=None, tags=["semantics"])
def sem_closed():
    tasks({})


sem_closed()
