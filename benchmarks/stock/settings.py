"""Settings of the stock contenders: what an installation cannot do without, and what makes deploying fastest. Pure.

For all of them only what connects the parts is set: executor, database, broker, secrets, ports, a way to sign in. Where
Airflow has a default, it stays. `FASTEST` is what `stock-fast` adds; why, by reading Airflow 3.3's DAG processor:

- a new file is found when the folder is listed: `refresh_interval` (300 s by default), looked at each
  `bundle_refresh_check_interval` (5); both are whole seconds and the loop runs once a second, so 1 is the least;
- a changed file is seen in every loop by its modification time, so `min_file_process_interval` (30) changes nothing
  here, and a smaller one would only parse unchanged files again and again;
- what was parsed is written only `min_serialized_dag_update_interval` (30 s) after it was written last; the API server
  trusts its cache as long. 0 turns both off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FASTEST: Mapping[str, str] = {
    "dag_processor.refresh_interval": "1",
    "dag_processor.bundle_refresh_check_interval": "1",
    "core.min_serialized_dag_update_interval": "0",
}


@dataclass(frozen=True)
class Setup:
    """One kind of stock installation. `extra` is what it sets beyond the necessary."""

    executor: str
    slots: int
    schedulers: int = 1
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_workers(self) -> bool:
        """Whether there is a Celery worker and a broker; LocalExecutor's slots are the scheduler's children."""
        return self.executor == "CeleryExecutor"


_MICRO, _SMALL = 3, 5  # slots of mw1.micro and mw1.small
SETUPS: Mapping[str, Setup] = {
    "stock": Setup("CeleryExecutor", _MICRO),
    "stock-fast": Setup("CeleryExecutor", _MICRO, extra=FASTEST),
    "stock-celery": Setup("CeleryExecutor", _SMALL),
    "stock-celery-2": Setup("CeleryExecutor", _SMALL, schedulers=2),
    "stock-local": Setup("LocalExecutor", _SMALL),
}


@dataclass(frozen=True)
class Ports:
    """Loopback ports of one installation. `logs` and `triggers` are those of log servers."""

    api: int
    broker: int
    logs: int
    triggers: int


@dataclass(frozen=True)
class Secrets:
    """Keys of one installation."""

    fernet_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    api_secret_key: str = field(repr=False)
    broker_password: str = field(repr=False)


def options(setup: Setup, ports: Ports, secrets: Secrets, database_url: str) -> dict[str, str]:
    """Options of an installation. `database_url` names no driver. Celery's results go to the database, by default."""
    database = database_url.partition("://")[2]
    slots = {"core.parallelism": str(setup.slots)}
    if setup.has_workers:
        slots = {
            "celery.broker_url": f"redis://:{secrets.broker_password}@127.0.0.1:{ports.broker}/0",
            "celery.worker_concurrency": str(setup.slots),
        }
    return {
        **setup.extra,
        **_connections(ports),
        **slots,
        "core.executor": setup.executor,
        "core.fernet_key": secrets.fernet_key,
        "database.sql_alchemy_conn": f"postgresql+psycopg2://{database}",
        "database.sql_alchemy_conn_async": f"postgresql+asyncpg://{database}",
        "api.secret_key": secrets.api_secret_key,
        "api_auth.jwt_secret": secrets.jwt_secret,
    }


def commands(setup: Setup) -> dict[str, tuple[str, ...]]:
    """Airflow's programs by name, with their arguments. A second scheduler is as stock's documents start one."""
    found: dict[str, tuple[str, ...]] = {"api-server": ("api-server",)}
    found |= {f"scheduler-{n}": ("scheduler", "--skip-serve-logs") for n in range(1, setup.schedulers + 1)}
    found |= {"dag-processor": ("dag-processor",), "triggerer": ("triggerer", "--skip-serve-logs")}
    if setup.has_workers:
        found["worker"] = ("celery", "worker", "--concurrency", str(setup.slots), "--skip-serve-logs")
    return found


def standalone_options(ports: Ports) -> dict[str, str]:
    """Options of `airflow standalone`: it finds everything else itself (SQLite, LocalExecutor, keys)."""
    return _connections(ports)


def _connections(ports: Ports) -> dict[str, str]:
    return {
        "api.base_url": f"http://127.0.0.1:{ports.api}",
        "api.host": "127.0.0.1",
        "api.port": str(ports.api),
        "core.execution_api_server_url": f"http://127.0.0.1:{ports.api}/execution/",
        "core.load_examples": "False",  # nobody deploys them, and they would only slow stock down
        "core.simple_auth_manager_all_admins": "True",  # a token without a password
        "logging.trigger_log_server_port": str(ports.triggers),
        "logging.worker_log_server_port": str(ports.logs),
    }


def surroundings(home: Path, virtualenv: Path, options: Mapping[str, str]) -> dict[str, str]:
    """The whole process environment. Bytecode is compiled already, analytics are off as at Tradewind's."""
    named = {f"AIRFLOW__{key.replace('.', '__', 1).upper()}": value for key, value in options.items()}
    return {
        "AIRFLOW_HOME": str(home),
        "DO_NOT_TRACK": "1",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": f"{virtualenv / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "SCARF_ANALYTICS": "false",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "VIRTUAL_ENV": str(virtualenv),
        **named,
    }


def broker_configuration(folder: Path, port: int, password: str) -> str:
    """Valkey as an environment's own broker has it."""
    lines = (
        "bind 127.0.0.1", f"port {port}", "protected-mode yes", f"requirepass {password}", f'dir "{folder}"',
        "daemonize no", 'logfile ""', "appendonly yes", "appendfsync everysec", 'save ""',
        "auto-aof-rewrite-min-size 16mb", "maxmemory-policy noeviction", "databases 2", "",
    )  # fmt: skip
    return "\n".join(lines)
