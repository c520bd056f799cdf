"""A worker has no metadata database: take away the command line's habit of writing each start into its audit table.

Airflow's command line registers a callback that inserts a row into `log`. Without a database that would cost the
import of the whole ORM and leave an empty SQLite file in the environment's home.
"""


def install() -> bool:
    """Empty the command line's lists of callbacks."""
    from airflow.utils import cli_action_loggers

    lists = [
        getattr(cli_action_loggers, f"__{name}_exec_callbacks", None)  # not mangled: a module's names never are
        for name in ("pre", "post")
    ]
    if not all(isinstance(callbacks, list) for callbacks in lists):
        return False
    for callbacks in lists:
        callbacks.clear()
    return True
