"""What each process of an environment is told, and what never."""

import dataclasses
import json
from pathlib import Path

import pytest

from tradewind.domain.environments import Ports, Secrets
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import Layout
from tradewind.domain.specs import ModuleLogging, Spec
from tradewind.recipe.settings import (
    COMPONENTS,
    Component,
    RecipeInputs,
    database_settings,
    slots_per_worker,
    triggerer_is_enabled,
    trusted_home,
    trusted_settings,
    worker_settings,
)

SECRETS = Secrets("FERNET", "JWTSECRET", "APISECRET", "ASSERTION", "BROKERPW", "DATABASEPW")
SPEC = Spec(
    execution_role_arn="arn:aws:iam::123456789012:role/r",
    source_bucket_arn="arn:aws:s3:::b",
    dag_s3_path="dags",
    subnet_ids=(),
    security_group_ids=(),
    airflow_version="3.3.1",
    environment_class="mw1.small",
    min_workers=1,
    max_workers=10,
    schedulers=2,
    min_webservers=2,
    max_webservers=2,
    webserver_access_mode="PUBLIC_ONLY",
    weekly_maintenance_window_start="MON:00:00",
    logging={"TaskLogs": ModuleLogging(True, "DEBUG"), "WorkerLogs": ModuleLogging(True, "ERROR")},
)
ID = EnvironmentId("abcdefghjkmn")
INPUTS = RecipeInputs(
    id=ID,
    name="My_Env",
    spec=SPEC,
    ports=Ports(api=8081, broker=6380),
    secrets=SECRETS,
    region="eu-west-1",
    account_id="123456789012",
    layout=Layout(Path("/data"), Path("/run/x")).environment(ID),
    runtime=Path("/data/runtimes/r1"),
    valkey_server=Path("/software/valkey-server"),
    user=None,
    database_url="postgresql://env_abc:DATABASEPW@127.0.0.1:5432/env_abc",
    base_url="https://abcdefghjkmn.eu-west-1.example.org",
)
EVERY = [*(pytest.param(c, id=c.value) for c in Component), pytest.param(None, id="worker")]


def with_options(**options: str) -> RecipeInputs:
    named = {key.replace("__", "."): value for key, value in options.items()}
    return dataclasses.replace(INPUTS, spec=dataclasses.replace(SPEC, airflow_configuration_options=named))


def settings_of(component: Component | None, inputs: RecipeInputs = INPUTS) -> dict[str, str]:
    return worker_settings(inputs) if component is None else trusted_settings(inputs, component)


@pytest.mark.parametrize(
    ("component", "held"),
    [
        (Component.SCHEDULER, {"FERNET", "JWTSECRET", "BROKERPW", "DATABASEPW"}),
        (Component.DAG_PROCESSOR, {"FERNET", "BROKERPW", "DATABASEPW"}),
        (Component.TRIGGERER, {"FERNET", "BROKERPW", "DATABASEPW"}),
        (Component.API_SERVER, {"FERNET", "JWTSECRET", "APISECRET", "ASSERTION", "BROKERPW", "DATABASEPW"}),
        (Component.CLI, {"FERNET", "BROKERPW", "DATABASEPW"}),
        (None, {"BROKERPW"}),
    ],
)
def test_each_process_holds_the_secrets_that_it_needs_and_no_other(component, held):
    text = json.dumps(list(settings_of(component).values()))
    assert {secret for secret in dataclasses.astuple(SECRETS) if secret in text} == held


@pytest.mark.parametrize("component", EVERY)
def test_settings_are_texts_named_as_airflow_reads_them(component):
    settings = settings_of(component)
    assert all(isinstance(value, str) and "\0" not in value for value in settings.values())
    assert all(name == name.upper() and "." not in name for name in settings)
    assert settings["AIRFLOW_CONFIG"] == "/data/environments/abcdefghjkmn/airflow/airflow.cfg"
    assert settings["AIRFLOW__CORE__EXECUTOR"].endswith(".EventDrivenCeleryExecutor")


def test_trusted_processes_have_a_home_that_tasks_cannot_write():
    assert trusted_settings(INPUTS, Component.SCHEDULER)["AIRFLOW_HOME"] == str(trusted_home(INPUTS.layout))
    assert worker_settings(INPUTS)["AIRFLOW_HOME"] == str(INPUTS.layout.home)
    assert trusted_home(INPUTS.layout) not in (INPUTS.layout.home, *INPUTS.layout.home.parents)


def test_broker_and_results_are_both_valkey():
    for component in (*Component, None):
        settings = settings_of(component)
        assert settings["AIRFLOW__CELERY__BROKER_URL"] == "redis://:BROKERPW@127.0.0.1:6380/0"
        assert settings["AIRFLOW__CELERY__RESULT_BACKEND"] == "redis://:BROKERPW@127.0.0.1:6380/1"


def test_a_users_option_beats_ours_everywhere():
    inputs = with_options(core__parallelism="7", scheduler__task_queued_timeout="60", smtp__smtp_host="mail")
    for component in (*Component, None):
        settings = settings_of(component, inputs)
        assert settings["AIRFLOW__CORE__PARALLELISM"] == "7"
        assert settings["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"] == "60"
        assert settings["AIRFLOW__SMTP__SMTP_HOST"] == "mail"


@pytest.mark.parametrize(
    "option",
    [
        "core.executor", "core.fernet_key", "core.fernet_key_cmd", "CORE.Fernet_Key", "core.load_examples",
        "database.sql_alchemy_conn", "database.sql_alchemy_conn_secret", "celery.broker_url", "celery.result_backend",
        "celery.worker_concurrency", "api.secret_key", "api_auth.jwt_secret", "core.auth_manager",
        "fab.auth_role_public", "core.simple_auth_manager_all_admins", "logging.remote_logging",
        "tradewind.assertion_secret", "tradewind.environment_id", "webserver.base_url",
    ],
)  # fmt: skip
@pytest.mark.parametrize("component", EVERY)
def test_an_essential_option_is_ignored_silently(component, option):
    inputs = dataclasses.replace(
        INPUTS, spec=dataclasses.replace(SPEC, airflow_configuration_options={option: "HOSTILE"})
    )
    assert settings_of(component, inputs) == settings_of(component)


def test_a_name_without_a_section_sets_nothing():
    assert worker_settings(with_options(parallelism="1")) == worker_settings(INPUTS)


def test_slots_are_the_classes_and_stay_warm():
    assert worker_settings(INPUTS)["AIRFLOW__CELERY__WORKER_AUTOSCALE"] == "5,5"
    assert slots_per_worker(INPUTS) == 5
    inputs = with_options(celery__worker_autoscale="8,0")
    assert worker_settings(inputs)["AIRFLOW__CELERY__WORKER_AUTOSCALE"] == "8,0"
    assert worker_settings(inputs)["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "8"
    assert slots_per_worker(with_options(celery__worker_autoscale="many")) == 5


def test_parallelism_is_the_schedulers_alone_but_with_stocks_executor():
    name = "AIRFLOW__CORE__PARALLELISM"
    assert name in trusted_settings(INPUTS, Component.SCHEDULER)
    assert name not in trusted_settings(INPUTS, Component.API_SERVER)
    assert name not in worker_settings(INPUTS)
    stock = with_options(tradewind__engine="stock")
    assert name in trusted_settings(stock, Component.API_SERVER)
    assert name in worker_settings(stock)


@pytest.mark.parametrize(("workers", "schedulers", "parallelism"), [(10, 2, "38"), (1, 5, "5"), (3, 1, "23")])
def test_parallelism_follows_from_workers_slots_and_schedulers(workers, schedulers, parallelism):
    # MWAA: (MaxWorkers x slots) / schedulers x 1.5, here never below one worker's slots
    spec = dataclasses.replace(SPEC, max_workers=workers, schedulers=schedulers)
    settings = trusted_settings(dataclasses.replace(INPUTS, spec=spec), Component.SCHEDULER)
    assert settings["AIRFLOW__CORE__PARALLELISM"] == parallelism


def test_levels_go_to_the_processes_of_their_module():
    worker = worker_settings(INPUTS)
    assert worker["AIRFLOW__LOGGING__LOGGING_LEVEL"] == "DEBUG"
    assert worker["AIRFLOW__LOGGING__CELERY_LOGGING_LEVEL"] == "ERROR"
    assert trusted_settings(INPUTS, Component.SCHEDULER)["AIRFLOW__LOGGING__LOGGING_LEVEL"] == "INFO"
    spec = dataclasses.replace(SPEC, logging={"SchedulerLogs": ModuleLogging(True, "CRITICAL")})
    inputs = dataclasses.replace(INPUTS, spec=spec)
    assert trusted_settings(inputs, Component.TRIGGERER)["AIRFLOW__LOGGING__LOGGING_LEVEL"] == "CRITICAL"
    assert trusted_settings(inputs, Component.API_SERVER)["AIRFLOW__LOGGING__LOGGING_LEVEL"] == "INFO"


def test_the_bundle_is_the_environments_snapshots():
    (bundle,) = json.loads(worker_settings(INPUTS)["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert bundle["classpath"] == "tradewind_airflow.bundle.SnapshotBundle"
    assert bundle["kwargs"]["path"] == "/data/environments/abcdefghjkmn/bundle"


def test_cookies_are_secure_behind_tls_only():
    assert settings_of(Component.API_SERVER)["AIRFLOW__FAB__COOKIE_SECURE"] == "True"
    plain = dataclasses.replace(INPUTS, base_url="http://localhost:8000/")
    assert settings_of(Component.API_SERVER, plain)["AIRFLOW__FAB__COOKIE_SECURE"] == "False"
    assert settings_of(Component.API_SERVER, plain)["AIRFLOW__API__BASE_URL"] == "http://localhost:8000"


def test_extra_variables_are_given_to_all_but_replace_nothing_of_ours():
    inputs = dataclasses.replace(INPUTS, extra_environment={"TRADEWIND_BUCKETS": "/b", "AIRFLOW_HOME": "/evil"})
    for component in (*Component, None):
        settings = settings_of(component, inputs)
        assert settings["TRADEWIND_BUCKETS"] == "/b"
        assert settings["AIRFLOW_HOME"] != "/evil"


def test_mwaas_own_variables_are_there():
    settings = worker_settings(INPUTS)
    assert settings["AIRFLOW_ENV_NAME"] == "My_Env"
    assert settings["AWS_EXECUTION_ENV"] == "Amazon_MWAA_331"
    assert settings["MWAA_AIRFLOW_COMPONENT"] == "worker"
    assert trusted_settings(INPUTS, Component.API_SERVER)["MWAA_AIRFLOW_COMPONENT"] == "webserver"
    assert settings["AIRFLOW_CONN_AWS_DEFAULT"] == "aws://"


def test_the_triggerer_can_be_turned_off():
    assert triggerer_is_enabled({})
    assert triggerer_is_enabled({"mwaa.triggerer_enabled": "True"})
    assert not triggerer_is_enabled({"mwaa.triggerer_enabled": "False"})


def test_secrets_do_not_show_in_repr():
    assert not [secret for secret in dataclasses.astuple(SECRETS) if secret in repr(INPUTS)]


def test_the_engine_schedules_by_events_and_starts_tasks_warm():
    scheduler, worker = settings_of(Component.SCHEDULER), settings_of(None)
    assert scheduler["AIRFLOW__CORE__EXECUTOR"] == "tradewind_airflow.engine.executor.EventDrivenCeleryExecutor"
    assert scheduler["AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"] == "0"
    assert scheduler["PGAPPNAME"] == "tradewind-scheduler"
    assert json.loads(worker["AIRFLOW__SDK__QUEUE_TO_COORDINATOR"]) == {"default": "tradewind"}
    assert list(json.loads(worker["AIRFLOW__SDK__COORDINATORS"])) == ["tradewind"]
    limits = json.loads(worker["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])
    assert set(limits) == {"worker_max_tasks_per_child", "worker_max_memory_per_child"}
    assert worker["AIRFLOW__TRADEWIND__ZYGOTES"] == "auto"
    assert settings_of(None, with_options(tradewind__zygotes="off"))["AIRFLOW__TRADEWIND__ZYGOTES"] == "off"
    own = with_options(celery__extra_celery_config="{}")
    assert settings_of(None, own)["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"] == "{}"


@pytest.mark.parametrize(("option", "version"), [("stock", "3.3.1"), (None, "3.2.0"), ("tradewind", "3.0.6")])
def test_the_stock_engine_is_stock(option, version):
    options = {} if option is None else {"tradewind.engine": option}
    spec = dataclasses.replace(SPEC, airflow_version=version, airflow_configuration_options=options)
    inputs = dataclasses.replace(INPUTS, spec=spec)
    for component in (Component.SCHEDULER, None):
        settings = settings_of(component, inputs)
        assert settings["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
        assert not [
            name
            for name in settings
            if name.startswith(("AIRFLOW__SDK__", "AIRFLOW__TRADEWIND__ENGINE", "AIRFLOW__TRADEWIND__ZYG"))
        ]
        assert "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME" not in settings
        assert "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG" not in settings


def test_coordinators_of_the_user_stand_beside_ours():
    inputs = with_options(
        sdk__coordinators='{"java": {"classpath": "airflow.sdk.coordinators.java.JavaCoordinator"}}',
        sdk__queue_to_coordinator='{"java-queue": "java"}',
    )
    worker = settings_of(None, inputs)
    assert list(json.loads(worker["AIRFLOW__SDK__COORDINATORS"])) == ["tradewind", "java"]
    assert json.loads(worker["AIRFLOW__SDK__QUEUE_TO_COORDINATOR"]) == {"default": "tradewind", "java-queue": "java"}


def test_a_module_of_ours_on_a_database_has_nothing_that_the_user_set():
    """A template is shared: options, plugins, exports and installed packages of one environment must not reach it."""
    theirs = dataclasses.replace(
        with_options(**{"core.default_timezone": "Mars/Olympus"}),
        plugins=Path("/plugins/theirs"),
        startup={kind: {"THEIRS": "1"} for kind in COMPONENTS},
        overlays={kind: Path("/overlays/theirs") for kind in COMPONENTS},
    )
    found = database_settings(theirs, "postgresql://somebody:word@127.0.0.1:5432/template_x")
    assert "theirs" not in str(found).lower()
    assert "Mars/Olympus" not in found.values()
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("somebody:word@127.0.0.1:5432/template_x")
    assert int(found["TRADEWIND_MEMORY_BYTES"]) > 0
    assert found["TRADEWIND_CLOSED"] == "1", "tasks may run meanwhile"
    cli = trusted_settings(theirs, Component.CLI)
    assert cli["TRADEWIND_OVERLAY"] == "/overlays/theirs", "who runs a command sees them"
