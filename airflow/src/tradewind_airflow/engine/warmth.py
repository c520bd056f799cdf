"""What a worker has ready before its slots are forked, so that no task's process has to make it again.

Imports are the greatest part: Airflow's task runner, the DAG parser, everything that `airflow.sdk` offers to DAG files
(it imports lazily), the operators of the standard provider. After them come the decoders of the messages between a
task and its supervisor, which Airflow builds anew in each task's process from the same types (15 ms of CPU).

Nothing here reads a DAG file, opens a connection, starts a thread or draws a random number. What cannot be imported is
passed over: whoever needs it will say so.
"""

import contextlib
import functools
import importlib

from tradewind_airflow.engine import generators

MODULES = (
    "airflow.dag_processing.bundles.manager",
    "airflow.dag_processing.dagbag",
    "airflow.executors.workloads",
    "airflow.providers.standard.decorators.bash",
    "airflow.providers.standard.decorators.branch_python",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.sensor",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.providers.standard.operators.bash",
    "airflow.providers.standard.operators.branch",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.operators.python",
    "airflow.providers.standard.operators.trigger_dagrun",
    "airflow.providers.standard.sensors.python",
    "airflow.sdk.api.client",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.definitions.mappedoperator",
    "airflow.sdk.execution_time.coordinator",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.serde",
    "airflow.version",
    "jinja2.ext",
    "tradewind_airflow.bundle",
    "tradewind_airflow.engine.coordinator",
)


def prepare() -> None:
    """Get ready, once, before slots are forked."""
    with generators.remembering():
        for name in MODULES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        _import_what_dag_files_may_name()
    _keep_decoders()


def _import_what_dag_files_may_name() -> None:
    import airflow.sdk

    for name in airflow.sdk.__all__:
        with contextlib.suppress(ImportError, AttributeError):
            getattr(airflow.sdk, name)
    with contextlib.suppress(ImportError, AttributeError):
        _ = airflow.sdk.task.python, airflow.sdk.task.bash, airflow.sdk.task.branch


def _keep_decoders() -> None:
    """One decoder a type. They hold no state but the schema that they were built from."""
    from airflow.sdk.execution_time import comms, task_runner
    from pydantic import JsonValue, TypeAdapter

    kept = functools.lru_cache(maxsize=32)(TypeAdapter)

    def decoder(type_: object) -> object:
        try:
            return kept(type_)
        except TypeError:  # a type that cannot be hashed
            return TypeAdapter(type_)

    for module, types in ((comms, (comms.ToTask,)), (task_runner, (JsonValue,))):
        if getattr(module, "TypeAdapter", None) is TypeAdapter:
            module.TypeAdapter = decoder  # type: ignore[attr-defined]
            for type_ in types:
                decoder(type_)
