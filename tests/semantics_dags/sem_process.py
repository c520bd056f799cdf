"""A DAG file that asks at import what may change: each task's process must execute it. The tasks: semantics_looks."""

import os
import random
import time

from airflow.sdk import Variable, dag
from semantics_looks import tasks

AT_IMPORT = {"pid": os.getpid(), "time": time.time(), "drawn": random.random()}
SETTING = Variable.get("sem_undefined", default="nothing")


@dag(schedule=None, tags=["semantics"])
def sem_process():
    tasks(AT_IMPORT)


sem_process()
