"""Airflow's command line writes logs to stderr, so that stdout holds what the command answers and nothing else.

Stock Airflow moves the handlers of `logging` for commands with `-o`, but leaves structlog's own loggers, and with them
every Python warning, on stdout: `dags list -o json` is no JSON where graphviz is missing. FAB configures logging once
more when it makes its application, so the function itself is replaced. Without it (another version), stock it is.
"""

import inspect
import sys
from typing import Any


def install() -> bool:
    """Configure once more, and for every later time, with stderr."""
    try:
        from airflow._shared import logging as shared
    except ImportError:
        return False

    from airflow import logging_config

    stock = shared.configure_logging
    if "output" not in inspect.signature(stock).parameters:
        return False

    def configure_logging(**given: Any) -> Any:
        given.setdefault("output", sys.stderr.buffer if given.get("json_output") else sys.stderr)
        return stock(**given)

    shared.configure_logging = configure_logging
    logging_config.configure_logging()
    return True
