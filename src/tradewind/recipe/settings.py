"""From a spec to the exact process environments of one Airflow environment: pure functions, no input or output.

Airflow reads `AIRFLOW__SECTION__KEY` before any file, so everything that we decide is an environment variable and the
one configuration file (`CONFIGURATION_FILE`) says nothing but that. The file must exist all the same: without one
Airflow writes its own, with a Fernet key, a JWT secret and every variable's value in it, where tasks can read them.

Two kinds of process, two functions:

- `trusted_settings`: scheduler, DAG processor, triggerer, API server and Airflow's command line. They hold secrets,
  each only those that it needs, and keep them out of reach through `tradewind_airflow.component`. Their AIRFLOW_HOME is
  `trusted_home`: not writable by the environment's user, because Airflow imports code from there.
- `worker_settings`: workers and, by inheritance, tasks. They hold the broker's and the results' URLs (both Valkey) and
  nothing else. AIRFLOW_HOME is the environment's own home.

Precedence, as MWAA's: opinionated < the user's AirflowConfigurationOptions < essential. Essential options that a user
sets are ignored silently (MWAA does the same); those that MWAA refuses are in the domain's rules.
"""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tradewind.domain.environments import Ports, Secrets
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import EnvironmentLayout
from tradewind.domain.rules import ENGINE_OPTION, ZYGOTES, ZYGOTES_OPTION
from tradewind.domain.specs import Spec
from tradewind.recipe.execution_roles import role_variables
from tradewind.recipe.options import allowed, variables
from tradewind.recipe.sizes import EnvironmentClass, classes

BUNDLE_NAME = "dags"
COMPONENTS = ("scheduler", "worker", "webserver")  # MWAA's kinds
SESSION_SECONDS = 12 * 3600  # MWAA's web session
CONFIGURATION_FILE = (
    "# Tradewind: every setting is an environment variable of its process. This file keeps Airflow from writing one.\n"
)

TRIAL_LIMITS = {"TRADEWIND_MEMORY_BYTES": str(4 * 1024**3)}  # for each process of what is only tried

_DEFAULT_QUEUE = "default"
# A slot is the zygote of its tasks: after so many, or above so many KiB, Celery replaces it, between two tasks.
_SLOT_LIMITS = {"worker_max_tasks_per_child": 1000, "worker_max_memory_per_child": 1024 * 1024}
_AUTOSCALE = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*")


class Component(StrEnum):
    """Kinds of trusted process. CLI is Airflow's own command, run by the control plane for `/aws_mwaa/cli`."""

    SCHEDULER = "scheduler"
    DAG_PROCESSOR = "dag-processor"
    TRIGGERER = "triggerer"
    API_SERVER = "api-server"
    CLI = "cli"


@dataclass(frozen=True)
class RecipeInputs:
    """All that settings and processes of one environment follow from.

    Secrets hold letters, digits, `-`, `_` and `=` only: Airflow expands `$` and `~` in variables.
    """

    id: EnvironmentId
    name: str
    spec: Spec
    ports: Ports
    secrets: Secrets = field(repr=False)
    region: str
    account_id: str
    layout: EnvironmentLayout
    runtime: Path  # the virtualenv
    valkey_server: Path  # the broker's binary
    user: str | None  # unix user of every process, or None: stay as is
    database_url: str = field(repr=False)  # postgresql://role:password@host:port/database, no driver named
    base_url: str  # what a browser sees: https://<id>.<region>.<domain>[:port]
    extra_environment: Mapping[str, str] = field(default_factory=dict)  # given to all, e.g. where buckets lie
    workers: str = ""  # the series of the workers
    plugins: Path | None = None  # where plugins.zip was unpacked
    # what the start-up script exported, by MWAA's kind of component: scheduler, worker, webserver
    startup: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hold: Path | None = None  # while it is there nothing is scheduled and no order is taken
    overlays: Mapping[str, Path] = field(default_factory=dict)  # where what it installed lies, likewise
    api_url: str = ""  # where this service answers; without it nothing is said of execution roles
    ca_bundle: Path = Path()  # public roots and those of this service

    @property
    def options(self) -> Mapping[str, str]:
        """AirflowConfigurationOptions."""
        return self.spec.airflow_configuration_options

    @property
    def gives_credentials(self) -> bool:
        """Whether a process of the environment hands out credentials of its execution role."""
        return bool(self.api_url and self.ports.credentials)

    @property
    def size(self) -> EnvironmentClass:
        """The environment class."""
        return classes()[self.spec.environment_class]


def trusted_home(layout: EnvironmentLayout) -> Path:
    """AIRFLOW_HOME of the trusted processes: the service's own, 0755, not writable by the environment's user."""
    return layout.root / "airflow"


def configuration_file(layout: EnvironmentLayout) -> Path:
    """AIRFLOW_CONFIG of every process: holds CONFIGURATION_FILE, the service's own, 0644."""
    return trusted_home(layout) / "airflow.cfg"


def plugins_folder(inputs: RecipeInputs) -> Path:
    """Where Airflow looks for plugins; without any, a folder that does not exist."""
    return inputs.plugins or inputs.layout.plugins("none")


def triggerer_is_enabled(options: Mapping[str, str]) -> bool:
    """MWAA's own option `mwaa.triggerer_enabled`, True unless it says false."""
    return options.get("mwaa.triggerer_enabled", "true").strip().lower() not in {"false", "f", "0", "no"}


def runs_stock_engine(inputs: RecipeInputs) -> bool:
    """Whether tasks are scheduled and started as in stock Airflow.

    Where the option `tradewind.engine` says `stock`, and on versions without `[sdk] coordinators` (before 3.3).
    """
    version = tuple(int(part) for part in inputs.spec.airflow_version.split(".")[:2])
    return version < (3, 3) or inputs.options.get(ENGINE_OPTION) == "stock"


def slots_per_worker(inputs: RecipeInputs) -> int:
    """Tasks that one worker runs at once: the maximum of `celery.worker_autoscale` where the user sets it."""
    match = _AUTOSCALE.fullmatch(inputs.options.get("celery.worker_autoscale", ""))
    return max(1, int(match[1]), int(match[2])) if match else inputs.size.slots


def broker_url(inputs: RecipeInputs) -> str:
    """Celery's queues: database 0 of the environment's Valkey."""
    return f"redis://:{inputs.secrets.broker_password}@127.0.0.1:{inputs.ports.broker}/0"


def result_url(inputs: RecipeInputs) -> str:
    """Celery's results: database 1. Unset, the provider would fall back to the metadata database."""
    return f"redis://:{inputs.secrets.broker_password}@127.0.0.1:{inputs.ports.broker}/1"


def trusted_settings(inputs: RecipeInputs, component: Component) -> dict[str, str]:
    """Whole process environment of one trusted component."""
    home = trusted_home(inputs.layout)
    essential = {**_essential(inputs), **_secrets_of(inputs, component)}
    opinionated = _opinionated(inputs, _MODULE_OF[component])
    if component is Component.SCHEDULER:
        opinionated["core.parallelism"] = _parallelism(inputs)
    return {
        **_process_environment(inputs, home, _MWAA_COMPONENT[component]),
        "PYTHONSAFEPATH": "1",  # never import from the working directory
        # what sessions are called at PostgreSQL: by this a scheduler knows its own notifications
        "PGAPPNAME": f"tradewind-{component.value}",
        **variables({**opinionated, **allowed(inputs.options), **essential}),
        **inputs.startup.get(_MWAA_COMPONENT[component], {}),
        **_hold(inputs, component),
    }


_HELD = frozenset({Component.SCHEDULER, Component.TRIGGERER, Component.API_SERVER})


def _hold(inputs: RecipeInputs, component: Component) -> dict[str, str]:
    """Who schedules and who takes orders has to know."""
    is_held = inputs.hold is not None and component in _HELD
    return {"TRADEWIND_HOLD": str(inputs.hold)} if is_held else {}


def rehearsal_settings(inputs: RecipeInputs, bundle: Path, logs: Path) -> dict[str, str]:
    """The DAG processor's, for a process that tries DAGs: other snapshots perhaps, and a folder for its own logs."""
    ours = {
        "dag_processor.dag_bundle_config_list": _bundles(bundle),
        "logging.dag_processor_child_process_log_directory": str(logs),
    }
    return trusted_settings(inputs, Component.DAG_PROCESSOR) | variables(ours) | TRIAL_LIMITS


def database_settings(inputs: RecipeInputs, url: str) -> dict[str, str]:
    """Airflow's command line's, for a module of ours that works on a database: of nothing that the user set.

    Neither options nor plugins, nor what a start-up script exported or installed: a template is shared, and what a
    migration does depends on versions alone. The process is closed from Python's start on: tasks may run beside it.
    """
    spec = dataclasses.replace(inputs.spec, airflow_configuration_options={})
    bare = dataclasses.replace(inputs, database_url=url, spec=spec, plugins=None, startup={}, overlays={})
    return trusted_settings(bare, Component.CLI) | TRIAL_LIMITS | {"TRADEWIND_CLOSED": "1"}


def worker_settings(inputs: RecipeInputs) -> dict[str, str]:
    """Whole process environment of a worker: its tasks inherit it, so it holds no secret but the broker's password."""
    opinionated = _opinionated(inputs, "TaskLogs")
    # the process-wide level is that of the tasks' logs; Celery's own has an option of its own
    opinionated["logging.celery_logging_level"] = _level(inputs, "WorkerLogs")
    # parsing needs a key only to *store* connections, and a worker stores none
    essential = {**_essential(inputs), "core.fernet_key": "", "database.sql_alchemy_conn": "sqlite://"}
    return {
        **_process_environment(inputs, inputs.layout.home, "worker"),
        **variables({**opinionated, **allowed(inputs.options), **essential}),
        **inputs.startup.get("worker", {}),
    }


_MWAA_COMPONENT = {
    Component.SCHEDULER: "scheduler",
    Component.DAG_PROCESSOR: "scheduler",
    Component.TRIGGERER: "scheduler",
    Component.API_SERVER: "webserver",
    Component.CLI: "webserver",
}
_MODULE_OF = {
    Component.SCHEDULER: "SchedulerLogs",
    Component.DAG_PROCESSOR: "DagProcessingLogs",
    Component.TRIGGERER: "SchedulerLogs",
    Component.API_SERVER: "WebserverLogs",
    Component.CLI: "WebserverLogs",
}


def _process_environment(inputs: RecipeInputs, home: Path, mwaa_component: str) -> dict[str, str]:
    overlay = inputs.overlays.get(mwaa_component)
    programs = [inputs.runtime / "bin", *([] if overlay is None else [overlay / "bin"])]
    return {
        **inputs.extra_environment,
        **_role(inputs, mwaa_component),
        **({} if overlay is None else {"TRADEWIND_OVERLAY": str(overlay)}),
        "AIRFLOW_CONFIG": str(configuration_file(inputs.layout)),
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "AIRFLOW_ENV_ID": str(inputs.id),
        "AIRFLOW_ENV_NAME": inputs.name,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_VERSION": inputs.spec.airflow_version,
        "AWS_DEFAULT_REGION": inputs.region,
        "AWS_EXECUTION_ENV": f"Amazon_MWAA_{inputs.spec.airflow_version.replace('.', '')}",
        "AWS_REGION": inputs.region,
        "CUSTOMER_ACCOUNT_ID": inputs.account_id,
        "DO_NOT_TRACK": "1",
        "HOME": str(inputs.layout.home),
        "LANG": "C.UTF-8",
        "MWAA_AIRFLOW_COMPONENT": mwaa_component,
        "PATH": ":".join([*map(str, programs), "/usr/local/bin:/usr/bin:/bin"]),
        "PYTHONUNBUFFERED": "1",
        "SCARF_ANALYTICS": "false",
        "VIRTUAL_ENV": str(inputs.runtime),
    }


def _role(inputs: RecipeInputs, mwaa_component: str) -> dict[str, str]:
    if not inputs.gives_credentials:
        return {}
    exported = inputs.startup.get(mwaa_component, {})
    return role_variables(
        inputs.ports, inputs.secrets, api_url=inputs.api_url, bundle=inputs.ca_bundle, exported=exported
    )


def _opinionated(inputs: RecipeInputs, module: str) -> dict[str, str]:
    slots = slots_per_worker(inputs)
    return {
        "api.worker_timeout": "120",
        "api.workers": "1",
        # only schedulers read it, and more workers must not restart others; stock's executor keeps what was imported
        **({"core.parallelism": _parallelism(inputs)} if runs_stock_engine(inputs) else {}),
        **({} if runs_stock_engine(inputs) else {"celery.extra_celery_config": json.dumps(_SLOT_LIMITS)}),
        "celery.sync_parallelism": "1",
        "celery.worker_autoscale": f"{slots},{slots}",
        "celery.worker_prefetch_multiplier": "1",
        "core.hostname_callable": "socket.gethostname",  # the stock one asks DNS, which may be slow or absent
        "core.min_serialized_dag_update_interval": "0",  # stock, a change within 30 s of the last one waits
        "core.rerun_with_latest_version": "True",
        "core.sensitive_var_conn_names": "proxy,proxies",
        "dag_processor.bundle_refresh_check_interval": "2",
        "dag_processor.parsing_processes": str(inputs.size.parsing_processes),
        "dag_processor.print_stats_interval": "300",
        "database.check_migrations": "False",  # the database comes migrated; the check costs a start seconds
        "fab.update_fab_perms": "False",  # roles come with the template database
        "logging.colored_console_log": "False",
        "logging.file_task_handler_new_file_permissions": "0o640",
        "logging.file_task_handler_new_folder_permissions": "0o750",
        "logging.logging_level": _level(inputs, module),
        "scheduler.task_queued_timeout": "1800",
        "triggerer.capacity": str(inputs.size.triggers),
        "usage_data_collection.enabled": "False",
    }


def _parallelism(inputs: RecipeInputs) -> str:
    slots = slots_per_worker(inputs)
    return str(max(slots, math.ceil(inputs.spec.max_workers * slots / max(1, inputs.spec.schedulers) * 1.5)))


def _level(inputs: RecipeInputs, module: str) -> str:
    logging = inputs.spec.logging.get(module)
    return logging.level if logging is not None else "INFO"


def _essential(inputs: RecipeInputs) -> dict[str, str]:
    layout = inputs.layout
    return {
        "api.base_url": inputs.base_url.rstrip("/"),
        "api.host": "127.0.0.1",
        "api.port": str(inputs.ports.api),
        "api.server_type": "uvicorn",
        "celery.broker_url": broker_url(inputs),
        "celery.result_backend": result_url(inputs),
        "celery.worker_concurrency": str(slots_per_worker(inputs)),
        # tasks know the broker's password: nobody may order workers about through it
        "celery.worker_enable_remote_control": "False",
        "celery_broker_transport_options.visibility_timeout": "86400",
        "core.auth_manager": "tradewind_airflow.auth.TradewindFabAuthManager",
        "core.execution_api_server_url": f"http://127.0.0.1:{inputs.ports.api}/execution/",
        **_engine(inputs),
        "core.load_examples": "False",
        "core.multi_team": "False",
        "core.plugins_folder": str(plugins_folder(inputs)),
        "core.unit_test_mode": "False",
        "dag_processor.dag_bundle_config_list": _bundles(layout.bundle),
        "dag_processor.dag_bundle_storage_path": str(layout.home / "bundles"),
        "dag_processor.stale_bundle_cleanup_interval": "0",  # snapshots are the control plane's to remove
        "execution_api.jwt_expiration_time": "86400",  # a task may wait long in its queue
        "fab.auth_role_public": "",
        "fab.config_file": str(trusted_home(layout) / "webserver_config.py"),
        "fab.cookie_secure": str(inputs.base_url.startswith("https:")),
        "fab.enable_proxy_fix": "True",
        "logging.base_log_folder": str(layout.task_logs),
        "logging.dag_processor_child_process_log_directory": str(layout.logs / "dag_processor"),
        "logging.remote_logging": "False",
        "metrics.statsd_on": "False",
        "operators.default_queue": _DEFAULT_QUEUE,
        "tradewind.environment_id": str(inputs.id),
        "triggerer.queues_enabled": "False",
    }


def _bundles(folder: Path) -> str:
    bundle = {
        "name": BUNDLE_NAME,
        "classpath": "tradewind_airflow.bundle.SnapshotBundle",
        "kwargs": {"path": str(folder), "refresh_interval": 2},
    }
    return json.dumps([bundle])


def _engine(inputs: RecipeInputs) -> dict[str, str]:
    """Who schedules and who starts tasks: docs/engine.md."""
    if runs_stock_engine(inputs):
        return {"core.executor": "CeleryExecutor"}
    return {
        "core.executor": "tradewind_airflow.engine.executor.EventDrivenCeleryExecutor",
        "scheduler.scheduler_idle_sleep_time": "0",  # the executor waits instead, for events
        "sdk.coordinators": _merged(
            inputs,
            "sdk.coordinators",
            {"tradewind": {"classpath": "tradewind_airflow.engine.coordinator.WarmCoordinator"}},
        ),
        "sdk.queue_to_coordinator": _merged(inputs, "sdk.queue_to_coordinator", {_DEFAULT_QUEUE: "tradewind"}),
        ZYGOTES_OPTION: inputs.options.get(ZYGOTES_OPTION, ZYGOTES[0]),
    }


def _merged(inputs: RecipeInputs, option: str, ours: Mapping[str, object]) -> str:
    """A JSON object of ours and the user's own (the rules have read it). Theirs counts where both name a key."""
    return json.dumps({**ours, **json.loads(inputs.options.get(option, "{}"))})


def _secrets_of(inputs: RecipeInputs, component: Component) -> dict[str, str]:
    database = inputs.database_url.partition("://")[2]
    secrets = {
        "core.fernet_key": inputs.secrets.fernet_key,
        "database.sql_alchemy_conn": f"postgresql+psycopg2://{database}",
        "database.sql_alchemy_conn_async": f"postgresql+asyncpg://{database}",
    }
    if component in {Component.SCHEDULER, Component.API_SERVER}:
        secrets["api_auth.jwt_secret"] = inputs.secrets.jwt_secret
    if component is Component.API_SERVER:
        secrets["api_auth.jwt_expiration_time"] = str(SESSION_SECONDS)
        secrets["api.secret_key"] = inputs.secrets.api_secret_key
        secrets["tradewind.assertion_secret"] = inputs.secrets.assertion_secret
    return secrets
