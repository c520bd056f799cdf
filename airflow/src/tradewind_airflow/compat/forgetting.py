"""Children that run the user's code forget the secrets of the component that forked them.

The DAG processor parses DAG files and the triggerer runs triggers in forks of processes that hold the database's URL
and the Fernet key. Stock Airflow makes such a child lose its ORM (`block_orm_access`, called between the fork and the
user's code) but leaves the variables in `os.environ` and `conf`. Here the same moment also takes those away, so code
at the top of a DAG file reads no secret from its environment or configuration. (It is not a wall: the child's memory
is a copy of its parent's.)
"""

import os
import re
import sys

SECRET_VARIABLES = re.compile(
    r"AIRFLOW__(CORE__(FERNET_KEY|SQL_ALCHEMY_CONN)|DATABASE__SQL_ALCHEMY_CONN(_ASYNC)?|API__SECRET_KEY"
    r"|API_AUTH__JWT_SECRET|TRADEWIND__ASSERTION_SECRET|CELERY__(BROKER_URL|RESULT_BACKEND))"
)


def install() -> bool:
    """Wrap the function that every supervised child calls before the user's code."""
    from airflow.sdk.execution_time import supervisor

    stock = getattr(supervisor, "block_orm_access", None)
    if not callable(stock) or "block_orm_access" not in supervisor._fork_main.__code__.co_names:  # noqa: SLF001
        return False

    def block_access() -> None:
        forget()
        stock()

    supervisor.block_orm_access = block_access
    return True


def forget() -> None:
    """Take secrets from this process's environment and from configurations that were already read."""
    for name in [name for name in os.environ if SECRET_VARIABLES.fullmatch(name)]:
        del os.environ[name]
    crypto = sys.modules.get("airflow.models.crypto")
    if crypto is not None:
        crypto._fernet = None  # noqa: SLF001  the cached key
