"""Runs in Dagster's virtualenv: a line of JSON says how many ops and which executor, a line of JSON answers how long.

`multiprocess` (the default of a job) starts a process for each op, `in_process` runs all ops in this one. Seconds are
from the run's creation to its end, as the instance's storage has recorded them. The way through Dagster's daemon and
code server, which starts a process for each run, is not in it.
"""

import json
import os
import sys
from pathlib import Path

from dagster import (
    DagsterInstance,
    In,
    JobDefinition,
    Nothing,
    build_reconstructable_job,
    execute_job,
    job,
    op,
)


def fib(n: int) -> int:
    """Slowly."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def line(tasks: int, n: int) -> JobDefinition:
    """A job of ops in a line."""

    @op(ins={"earlier": In(Nothing)})
    def work() -> int:
        return fib(n)

    @job(name="line")
    def in_a_line() -> None:
        earlier = None
        for place in range(tasks):
            here = work.alias(f"work_{place}")
            earlier = here() if earlier is None else here(earlier)

    return in_a_line


def seconds_of(instance: DagsterInstance, tasks: int, n: int, executor: str) -> float:
    """Run once."""
    found = build_reconstructable_job(
        "dagster_jobs",
        "line",
        reconstructable_args=(tasks, n),
        reconstructor_working_directory=str(Path(__file__).parent),
    )
    config = {"execution": {"config": {executor: {}}}}
    with execute_job(found, instance=instance, run_config=config) as result:
        if not result.success:
            raise RuntimeError("the run failed")
        record = instance.get_run_record_by_id(result.run_id)
    if record is None or record.end_time is None:
        raise RuntimeError("the run has no record of its end")
    return record.end_time - record.create_timestamp.timestamp()


def main() -> None:
    """Answer until standard input ends."""
    # standard output is for answers only: whatever else is printed goes where errors go
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with DagsterInstance.get() as instance:
        for request in sys.stdin:
            asked = json.loads(request)
            try:
                seconds = seconds_of(instance, asked["tasks"], asked["n"], asked["executor"])
                answer: dict[str, object] = {"seconds": seconds}
            except Exception as error:  # noqa: BLE001  (the one who asks tells it)
                answer = {"error": repr(error)}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
