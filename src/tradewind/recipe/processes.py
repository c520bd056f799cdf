"""The processes of one Airflow environment, as the runtime is to keep them: a pure function of RecipeInputs.

`broker`, `api-server`, `scheduler-N`, `dag-processor`, `triggerer` and `worker-N`, one program each. Every Airflow
process starts through `tradewind_airflow.component`, which closes the process to its neighbours before Airflow reads
a secret. Workers drain: TERM lets running tasks end (up to 12 hours, MWAA's longest), so their supervisor's death must
not stop them.

Workers tell that they live by Celery's own events: heartbeats stay on, mingle and gossip (talk among workers) are off.
"""

from tradewind.domain.manifests import Process
from tradewind.recipe.settings import (
    Component,
    RecipeInputs,
    triggerer_is_enabled,
    trusted_home,
    trusted_settings,
    worker_settings,
)

DRAIN_SECONDS = 12 * 3600


def broker_configuration(inputs: RecipeInputs) -> str:
    """Valkey's configuration file, to be written to `layout.broker / "valkey.conf"` (0640: it holds the password)."""
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {inputs.ports.broker}",
            "protected-mode yes",
            f"requirepass {inputs.secrets.broker_password}",
            f'dir "{inputs.layout.broker}"',
            "daemonize no",
            'logfile ""',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "auto-aof-rewrite-min-size 16mb",
            "maxmemory-policy noeviction",
            "databases 2",
            "",
        ]
    )


def environment_processes(inputs: RecipeInputs) -> tuple[Process, ...]:
    """Everything that runs for the environment at this spec."""
    schedulers = [
        _trusted(inputs, f"scheduler-{n}", Component.SCHEDULER, "--skip-serve-logs", stop_seconds=30)
        for n in range(1, inputs.spec.schedulers + 1)
    ]
    triggerers = (
        [_trusted(inputs, "triggerer", Component.TRIGGERER, "--skip-serve-logs", stop_seconds=20)]
        if triggerer_is_enabled(inputs.options)
        else []
    )
    return (
        _broker(inputs),
        _trusted(inputs, "api-server", Component.API_SERVER, "--proxy-headers", stop_seconds=10),
        *schedulers,
        _trusted(inputs, "dag-processor", Component.DAG_PROCESSOR, stop_seconds=15),
        *triggerers,
        *(worker_process(inputs, n) for n in range(1, inputs.spec.min_workers + 1)),
    )


def worker_process(inputs: RecipeInputs, number: int) -> Process:
    """One Celery worker, named `worker-<number>@<environment id>` in its heartbeats."""
    name = f"worker-{number}"
    return Process(
        name=name,
        command=_command(
            inputs, "worker", "--celery-hostname", f"{name}@{inputs.id}",
            "--skip-serve-logs", "--without-mingle", "--without-gossip",
        ),
        directory=inputs.layout.home,
        log=inputs.layout.process_log(name),
        environment=worker_settings(inputs),
        user=inputs.user,
        stop_seconds=DRAIN_SECONDS,
        drains=True,
        start_seconds=10,  # longer than the imports take: what dies later looks started, and would never be given up
        priority=400,
    )  # fmt: skip


def _broker(inputs: RecipeInputs) -> Process:
    return Process(
        name="broker",
        command=(str(inputs.valkey_server), str(inputs.layout.broker / "valkey.conf")),
        directory=inputs.layout.broker,
        log=inputs.layout.process_log("broker"),
        environment={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        user=inputs.user,
        stop_seconds=15,
        priority=100,
    )


def _trusted(
    inputs: RecipeInputs,
    name: str,
    component: Component,
    *arguments: str,
    stop_seconds: int,
    priority: int = 300,
) -> Process:
    return Process(
        name=name,
        command=_command(inputs, component.value, *arguments),
        directory=trusted_home(inputs.layout),
        log=inputs.layout.process_log(name),
        environment=trusted_settings(inputs, component),
        user=inputs.user,
        stop_seconds=stop_seconds,
        start_seconds=10,  # longer than the imports take: what dies later looks started, and would never be given up
        priority=priority,
    )


def _command(inputs: RecipeInputs, *arguments: str) -> tuple[str, ...]:
    # -P: the working directory must never be a place that code is imported from
    return (str(inputs.runtime / "bin" / "python"), "-P", "-m", "tradewind_airflow.component", *arguments)
