"""Fill an empty database once a version: `python -P -m tradewind_airflow.template`.

Migrates the database of `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN` (Airflow's tables and FAB's), then writes FAB's
permissions and default roles, all in one process. Environments get a copy of the result and never do either at start.
Running it again on what it made is harmless. It is `migration up`: that brings a database with content here as well.
"""

import sys

from tradewind_airflow import migration


def main() -> int:
    """Migrate and write the roles."""
    return migration.main(["up"])


if __name__ == "__main__":
    sys.exit(main())
