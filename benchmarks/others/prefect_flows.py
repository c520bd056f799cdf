"""Runs in Prefect's virtualenv: a line of JSON says how many tasks, a line of JSON answers how long the flow run took.

A flow calls its tasks one after the other, in this process and thread: Prefect isolates nothing here. Seconds are from
the flow run's creation to its end, as Prefect's server has recorded them.
"""

import json
import os
import sys

from prefect import flow, get_client, task


def fib(n: int) -> int:
    """Slowly."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@task
def work(n: int) -> int:
    """One task."""
    return fib(n)


@flow
def line(tasks: int, n: int) -> None:
    """Tasks in a line."""
    for _ in range(tasks):
        work(n)


def seconds_of(tasks: int, n: int) -> float:
    """Run once."""
    state = line(tasks, n, return_state=True)
    if not state.is_completed():
        raise RuntimeError(f"the flow run ended {state.name}: {state.message}")
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
    return (run.end_time - run.created).total_seconds()


def main() -> None:
    """Answer until standard input ends."""
    # standard output is for answers only: whatever else is printed goes where errors go
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for request in sys.stdin:
        asked = json.loads(request)
        try:
            answer: dict[str, object] = {"seconds": seconds_of(asked["tasks"], asked["n"])}
        except Exception as error:  # noqa: BLE001  (the one who asks tells it)
            answer = {"error": repr(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
