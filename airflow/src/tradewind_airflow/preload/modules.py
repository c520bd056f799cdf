"""What the preloaded parent imports before anything is a fork of it.

The parent imports what at least two of scheduler, DAG processor, triggerer, API server and worker need, and what tasks
need, so that the worker has it. What only the
API server needs (its routes, Flask and FAB: three seconds) is left to it: in the parent it would make the others wait.

Not here, because they keep what a component's own configuration said: `airflow.cli` (defaults of the command line),
the Celery provider's executor (the broker's URL), Airflow's default logging configuration.
"""

import importlib

from tradewind_airflow.engine.warmth import MODULES as TASKS

_COMMON = (
    "airflow",
    "airflow.settings",
    "airflow.models",
    "airflow.models.dagbag",
    "airflow.models.renderedtifields",
    "airflow.serialization.serialized_objects",
    "airflow.providers_manager",
    "airflow.plugins_manager",
    "airflow.executors.base_executor",
    "airflow.jobs.scheduler_job_runner",
    "airflow.jobs.dag_processor_job_runner",
    "airflow.jobs.triggerer_job_runner",
    "airflow.dag_processing.manager",
    "airflow.dag_processing.dagbag",  # before 3.2 that is airflow.models.dagbag
    "airflow.sdk",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk._shared.logging.factory",
    "airflow.providers.standard.operators.bash",
    "airflow.providers.standard.operators.python",
    "airflow.providers.standard.operators.empty",
    "airflow.sdk.execution_time.timeout",
    "airflow.sdk.observability.stats",
    "airflow.utils.log.file_task_handler",
    "airflow.utils.log.log_stream_accumulator",
    "airflow.utils.log.timezone_aware",
    "airflow.utils.serve_logs",
    "concurrent.futures.process",
    "multiprocessing.queues",
    "psycopg2",
    "psycopg2.extras",
    "asyncpg",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "httpx",
    "httpcore",
    "uvicorn",
    "jinja2.ext",
    "rich_argparse",
    "rich_argparse._lazy_rich",
    "setproctitle",
)
# The triggerer, the DAG processor and the API server have the Execution API inside.
_EXECUTION_API = (
    "airflow.api_fastapi.app",
    "airflow.api_fastapi.execution_api.app",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.api_fastapi.execution_api.versions",
)
# The scheduler sends with Celery, the worker is Celery.
_CELERY = (
    "celery",
    "celery.app.base",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.log",
    "celery.app.events",
    "celery.backends.database",
    "celery.backends.redis",
    "celery.events.state",
    "celery.fixups.django",
    "celery.loaders.app",
    "celery.utils.deprecated",
    "celery.worker.worker",
    "kombu.transport.redis",
)

LISTS = {"preload": (*_COMMON, *_EXECUTION_API, *_CELERY, *TASKS)}


def import_for(component: str) -> list[str]:
    """Import what is known to be needed; answers what could not be imported, with the reason.

    A module that another Airflow version, or a user's requirements, do not have is no obstacle: whoever needs it will
    say so. Of Airflow's own, those that this version does not have are not worth a word.
    """
    missing = []
    for name in LISTS.get(component, ()):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("airflow."):
                missing.append(f"{name}: {error!r}")
        except Exception as error:  # noqa: BLE001  (whatever an import may raise)
            missing.append(f"{name}: {error!r}")
    return missing
