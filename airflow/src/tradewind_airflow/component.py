"""The entry of every process of an environment: `python -P -m tradewind_airflow.component COMPONENT [ARGUMENT ...]`.

COMPONENT is scheduler, dag-processor, triggerer, api-server, worker or cli (any command of Airflow's own). It closes
the process to its neighbours before Airflow reads a secret, puts in the substitutions that the component needs, and
then runs Airflow's own command in the same process: signals and exit status are Airflow's.
"""

import os
import sys

from tradewind_airflow.closed import close_process, close_process_and_heirs

_COMMANDS = {
    "scheduler": ["scheduler"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer"],
    "api-server": ["api-server"],
    "worker": ["celery", "worker"],
    "cli": [],
}


def main(arguments: list[str]) -> int:
    """Become the component. Returns only where Airflow's command does."""
    if not arguments or arguments[0] not in _COMMANDS:
        sys.stderr.write(f"cannot start: name one of {', '.join(_COMMANDS)}\n")
        return 2
    component, *rest = arguments
    if component == "worker":
        close_process()  # what tasks execute is theirs
    else:
        close_process_and_heirs()
    os.umask(0o027)  # files are the environment's own
    sys.argv = ["airflow", *_COMMANDS[component], *rest]
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
