"""What the tasks of the contract tests write down about themselves: a line of JSON each, in a file of their own home.

XComs cannot carry it all: a task that dies leaves none, a next try clears those of the last one, and callbacks and
other processes have none. One `write` of a short line to a file opened for appending is whole.
"""

import json
import os
import time
from pathlib import Path

NOTES = Path(os.environ["HOME"]) / "semantics-notes.jsonl"


def note(what: str, **more: object) -> None:
    """Write that `what` happened, here and now, in this try of this task."""
    line = {
        "what": what,
        "dag": os.environ.get("AIRFLOW_CTX_DAG_ID"),
        "run": os.environ.get("AIRFLOW_CTX_DAG_RUN_ID"),
        "task": os.environ.get("AIRFLOW_CTX_TASK_ID"),
        "try": int(os.environ.get("AIRFLOW_CTX_TRY_NUMBER") or 0),
        "pid": os.getpid(),
        "at": time.time(),
        **more,
    }
    with NOTES.open("ab", buffering=0) as file:
        file.write(json.dumps(line, default=str).encode() + b"\n")


def note_of_shell(what: str) -> str:
    """The command by which a task's shell writes the same; `child` is the shell's process id."""
    fields = {
        "what": what, "dag": "$AIRFLOW_CTX_DAG_ID", "run": "$AIRFLOW_CTX_DAG_RUN_ID", "task": "$AIRFLOW_CTX_TASK_ID",
        "try": "N$AIRFLOW_CTX_TRY_NUMBER", "map": "N{{ ti.map_index }}", "ti": "{{ ti.id }}", "pid": "N$PPID",
        "child": "N$$", "at": "N$(date +%s.%N)",
    }  # fmt: skip
    # N: a number, without quotation marks
    quoted = {name: value[1:] if value.startswith("N") else f'\\"{value}\\"' for name, value in fields.items()}
    pairs = [f'\\"{name}\\": {value}' for name, value in quoted.items()]
    return f'echo "{{{", ".join(pairs)}}}" >> {NOTES}'
