"""Let `airflow dag-processor` use our manager (see `snapshot_manager` for what it does and why)."""


def install() -> bool:
    """Put our manager in the command's place for Airflow's, if this Airflow has what it builds on."""
    from airflow.cli.commands import dag_processor_command
    from airflow.dag_processing import manager

    stock = getattr(dag_processor_command, "DagFileProcessorManager", None)
    needed = {"_refresh_dag_bundles", "request_bundle_refresh", "_add_files_to_queue"}
    if stock is not manager.DagFileProcessorManager or not all(hasattr(stock, name) for name in needed):
        return False

    from tradewind_airflow.compat.snapshot_manager import SnapshotManager

    dag_processor_command.DagFileProcessorManager = SnapshotManager
    return True
