"""Fill an empty database once a version: `python -P -m tradewind_airflow.template`.

Migrates the database of `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN` (Airflow's tables and FAB's), then writes FAB's
permissions and default roles, all in one process. Environments get a copy of the result and never do either at start.
Running it again on what it made is harmless.
"""

import sys


def main() -> int:
    """Migrate and write the roles."""
    from airflow import settings

    settings.initialize()

    from airflow.utils.db import synchronize_log_template, upgradedb
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    providers_configuration_loaded(upgradedb)()
    synchronize_log_template()

    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as appbuilder:
        appbuilder.add_permissions(update_perms=True)
        appbuilder.sm.sync_roles()
    return 0


if __name__ == "__main__":
    sys.exit(main())
