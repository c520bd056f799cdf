"""The processes of one Airflow environment, as the runtime is to keep them: a pure function of RecipeInputs.

`broker`, `credentials`, `preload`, `api-server`, `scheduler-N`, `dag-processor`, `triggerer` and `worker-N`, one
program each. Every Airflow process starts through `tradewind_airflow.component`, which closes the process to its
neighbours before Airflow reads a secret. `preload` imports Airflow for all the others, which are forks of it: it gets
what they have in common and no secret. Workers drain: TERM lets running tasks end (up to 12 hours, MWAA's longest), so
their supervisor's death must not stop them.

Workers tell that they live by Celery's own events: heartbeats stay on, mingle and gossip (talk among workers) are off.
"""

import dataclasses
import hashlib
import json
from pathlib import Path

from tradewind.domain.layout import EnvironmentLayout
from tradewind.domain.manifests import Process
from tradewind.recipe import execution_roles
from tradewind.recipe.settings import (
    COMPONENTS,
    Component,
    RecipeInputs,
    triggerer_is_enabled,
    trusted_home,
    trusted_settings,
    worker_settings,
)

DRAIN_SECONDS = 12 * 3600
PRELOAD = "preload"
CREDENTIALS = "credentials"


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
        *([_credentials(inputs)] if inputs.gives_credentials else []),
        preload_process(inputs),
        _trusted(inputs, "api-server", Component.API_SERVER, "--proxy-headers", stop_seconds=10),
        *schedulers,
        _trusted(inputs, "dag-processor", Component.DAG_PROCESSOR, stop_seconds=15),
        *triggerers,
        *(worker_process(inputs, n) for n in range(1, inputs.spec.min_workers + 1)),
    )


def preload_socket(layout: EnvironmentLayout) -> Path:
    """Where components ask for a fork: in a folder that is the service's, so that no task can answer there."""
    return layout.root / "preload.sock"


def preload_process(inputs: RecipeInputs) -> Process:
    """The preloaded parent of all the others but the broker."""
    environment = _in_common(inputs)
    return Process(
        name=PRELOAD,
        command=_command(inputs, PRELOAD),
        directory=trusted_home(inputs.layout),
        log=inputs.layout.process_log(PRELOAD),
        environment={
            **environment,
            "TRADEWIND_LISTEN": str(preload_socket(inputs.layout)),
            "TRADEWIND_PRELOAD_DIGEST": _preload_digest(inputs),
        },
        user=inputs.user,
        stop_seconds=10,
        start_seconds=1,
        priority=50,
    )


def worker_name(series: str, number: int) -> str:
    """What a worker is called: `worker-2`, or `worker-2.7` of the series that the seventh generation brought."""
    return f"worker-{number}.{series}" if series else f"worker-{number}"


def worker_process(inputs: RecipeInputs, number: int) -> Process:
    """One Celery worker, named `worker-<number>@<environment id>` in its heartbeats.

    A series other than the first stands behind the number: workers of two series run side by side.
    """
    name = worker_name(inputs.workers, number)
    return Process(
        name=name,
        command=_command(
            inputs, "worker", "--celery-hostname", f"{name}@{inputs.id}",
            "--skip-serve-logs", "--without-mingle", "--without-gossip",
        ),
        directory=inputs.layout.home,
        log=inputs.layout.process_log(name),
        environment=_preloaded(inputs, worker_settings(inputs)),
        user=inputs.user,
        stop_seconds=DRAIN_SECONDS,
        drains=True,
        start_seconds=20,  # longer than the imports take: what dies later looks started, and would never be given up
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


def _credentials(inputs: RecipeInputs) -> Process:
    """Hands out credentials of the execution role. It is closed, and gets keys that are good for this alone."""
    given = {
        "BUNDLE": str(inputs.ca_bundle),
        "ENVIRONMENT": str(inputs.id),
        "FOLDER": str(inputs.layout.credentials),
        "KEY": execution_roles.signing_key(inputs.secrets),
        "PORT": str(inputs.ports.credentials),
        "ROLE": inputs.spec.execution_role_arn,
        "TOKEN": execution_roles.endpoint_token(inputs.secrets),
        "URL": inputs.base_url.rstrip("/") + execution_roles.PATH,
    }
    return Process(
        name=CREDENTIALS,
        command=(str(inputs.runtime / "bin" / "python"), "-P", "-m", "tradewind_airflow.credentials"),
        directory=trusted_home(inputs.layout),
        log=inputs.layout.process_log(CREDENTIALS),
        environment={
            **{f"TRADEWIND_CREDENTIALS_{name}": value for name, value in given.items()},
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "TRADEWIND_CLOSED": "1",  # before the first import of ours
        },
        user=inputs.user,
        stop_seconds=5,
        priority=150,
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
        environment=_preloaded(inputs, trusted_settings(inputs, component)),
        user=inputs.user,
        stop_seconds=stop_seconds,
        start_seconds=20,  # longer than the imports take: what dies later looks started, and would never be given up
        priority=priority,
    )


def _preloaded(inputs: RecipeInputs, environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "TRADEWIND_PRELOAD": f"{_preload_digest(inputs)}:{preload_socket(inputs.layout)}"}


def _preload_digest(inputs: RecipeInputs) -> str:
    """Names a generation of the parent: the runtime, and all that it was imported with."""
    text = json.dumps([str(inputs.runtime), sorted(_in_common(inputs).items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _in_common(inputs: RecipeInputs) -> dict[str, str]:
    """Variables that all trusted components have alike, without any that holds a secret.

    An overlay only where workers have the same: what was imported from another's would be inherited.
    """
    if len({inputs.overlays.get(kind) for kind in COMPONENTS}) > 1:
        inputs = dataclasses.replace(inputs, overlays={})
    first, *others = [trusted_settings(inputs, component) for component in Component if component is not Component.CLI]
    secrets = {str(value) for value in dataclasses.astuple(inputs.secrets)} - {""}
    secrets.add(inputs.database_url.partition("://")[2])
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others) and not any(secret in value for secret in secrets)
    }


def _command(inputs: RecipeInputs, *arguments: str) -> tuple[str, ...]:
    # -P: the working directory must never be a place that code is imported from
    return (str(inputs.runtime / "bin" / "python"), "-P", "-m", "tradewind_airflow.component", *arguments)
