"""The entry of every process of an environment: `python -P -m tradewind_airflow.component COMPONENT [ARGUMENT ...]`.

COMPONENT is scheduler, dag-processor, triggerer, api-server, worker, cli (any command of Airflow's own) or preload (the
parent that the others are forked from). It closes the process to its neighbours before Airflow reads a secret, puts in
the substitutions that the component needs, and then runs Airflow's own command in the same process, or in a child of
the preloaded parent that this process stands in for: signals and exit status are Airflow's either way.

Nothing is imported up here that a stand-in does not need.
"""

import contextlib
import os
import sys

from tradewind_airflow.closed import close_process, close_process_and_heirs
from tradewind_airflow.preload import asking
from tradewind_airflow.roomy import with_room

_COMMANDS = {
    "scheduler": ["scheduler"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer"],
    "api-server": ["api-server"],
    "worker": ["celery", "worker"],
    "cli": [],
}
_PRELOAD = "preload"


def main(arguments: list[str]) -> int:
    """Become the component. Returns only where Airflow's command does."""
    if not arguments or arguments[0] not in {*_COMMANDS, _PRELOAD}:
        sys.stderr.write(f"cannot start: name one of {', '.join((*_COMMANDS, _PRELOAD))}\n")
        return 2
    component, *rest = arguments
    if component == _PRELOAD:
        return _preload()
    if component == "worker":
        close_process()  # what tasks execute is theirs
    else:
        close_process_and_heirs()
    status = asking.stand_in(component, rest)
    return _run(component, rest) if status is None else status


def _preload() -> int:
    """Serve as the preloaded parent; in each of its children, run what the child was asked to be."""
    from tradewind_airflow.preload import child, parent

    forked = parent.main()
    if isinstance(forked, int):
        return forked
    with contextlib.suppress(ImportError):
        import setproctitle

        setproctitle.setproctitle(f"airflow {forked.part.component}")
    with child.reporting(forked.connection):
        return _run(forked.part.component, forked.part.arguments)


def _run(component: str, arguments: list[str]) -> int:
    """Airflow's own command, in this process."""
    os.umask(0o027)  # files are the environment's own
    sys.argv = ["airflow", *_COMMANDS[component], *arguments]
    _substitute(component)

    from airflow.__main__ import main as airflow_main

    airflow_main()
    return 0


def _substitute(component: str) -> None:
    if component == "cli":
        from tradewind_airflow.compat import logs_on_stderr

        logs_on_stderr.install()
    if component == "dag-processor":
        from tradewind_airflow.compat import snapshots

        snapshots.install()
    if component in {"dag-processor", "triggerer"}:
        from tradewind_airflow.compat import forgetting

        forgetting.install()
    if component == "worker":
        from tradewind_airflow.compat import ledgers

        ledgers.install()
    if component == "triggerer":
        from tradewind_airflow.compat import noticed_ends

        noticed_ends.install()
    if component in {"scheduler", "triggerer", "api-server"}:
        from tradewind_airflow.compat import holding

        holding.install(component)
    if os.environ.get("AIRFLOW__CORE__EXECUTOR", "").startswith("tradewind_airflow.engine."):
        _substitute_for_the_engine(component)


def _substitute_for_the_engine(component: str) -> None:
    if component == "scheduler":
        from tradewind_airflow.compat import dag_run_steps

        dag_run_steps.install()
    if component == "api-server":
        from tradewind_airflow.compat import execution_door

        execution_door.install()
    if component == "worker":
        from tradewind_airflow.engine import warmth

        warmth.prepare()
        from tradewind_airflow.engine.coordinator import WarmCoordinator

        WarmCoordinator.prepare()


if __name__ == "__main__":
    sys.exit(with_room(main, sys.argv[1:]))
