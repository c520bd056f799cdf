"""Airflow's configuration options: which of them are ours, and how one becomes a variable of a process.

Precedence, as MWAA's: opinionated < the user's AirflowConfigurationOptions < essential. Essential options that a user
sets are ignored silently (MWAA does the same).
"""

import re
from collections.abc import Mapping

# What a user may not change, with every spelling of it. `*` stands for all options of a section.
ESSENTIAL = frozenset(
    {
        "core.auth_manager", "core.executor", "core.execution_api_server_url", "core.fernet_key", "core.load_examples",
        "core.multi_team", "core.plugins_folder", "core.security", "core.simple_auth_manager_all_admins",
        "core.simple_auth_manager_passwords_file", "core.simple_auth_manager_users", "core.sql_alchemy_conn",
        "core.unit_test_mode",
        "database.external_db_managers", "database.sql_alchemy_conn", "database.sql_alchemy_conn_async",
        "database.sql_alchemy_schema",
        "api.base_url", "api.host", "api.port", "api.secret_key", "api.server_type", "api.ssl_cert", "api.ssl_key",
        "webserver.base_url", "webserver.secret_key", "webserver.config_file",
        "api_auth.jwt_algorithm", "api_auth.jwt_audience", "api_auth.jwt_expiration_time", "api_auth.jwt_issuer",
        "api_auth.jwt_private_key_path", "api_auth.jwt_secret", "api_auth.trusted_jwks_url",
        "execution_api.jwt_audience", "execution_api.jwt_expiration_time",
        "celery.broker_url", "celery.celery_app_name", "celery.celery_config_options", "celery.pool",
        "celery.result_backend", "celery.worker_concurrency", "celery.worker_enable_remote_control",
        "celery_broker_transport_options.visibility_timeout",
        "dag_processor.dag_bundle_config_list", "dag_processor.dag_bundle_storage_path",
        "dag_processor.stale_bundle_cleanup_interval",
        "fab.auth_backends", "fab.auth_role_public", "fab.config_file", "fab.cookie_secure", "fab.enable_proxy_fix",
        "logging.base_log_folder", "logging.dag_processor_child_process_log_directory", "logging.delete_local_logs",
        "logging.logging_config_class", "logging.remote_logging",
        "metrics.statsd_on", "metrics.statsd_host", "metrics.statsd_port", "metrics.statsd_prefix",
        "operators.default_queue",
        "scheduler.allowed_run_id_pattern", "scheduler.standalone_dag_processor",
        "triggerer.queues_enabled",
        "tradewind.*",
    }
)  # fmt: skip


def is_ours(option: str) -> bool:
    """Whether an option, in whatever spelling, is one that a user may not change."""
    plain = option.strip().lower()
    stem = re.sub(r"_(cmd|secret)$", "", plain)
    return bool({plain, stem, f"{plain.partition('.')[0]}.*"} & ESSENTIAL)


def allowed(options: Mapping[str, str]) -> dict[str, str]:
    """The user's options without those that are ours."""
    return {key.strip().lower(): value for key, value in options.items() if "." in key and not is_ours(key)}


def variables(options: Mapping[str, str]) -> dict[str, str]:
    """Options as the variables that Airflow reads before any file."""
    named = {}
    for key, value in options.items():
        section, _, option = key.partition(".")
        named[f"AIRFLOW__{section.upper()}__{option.upper().replace('.', '_')}"] = value
    return named
