"""Spec: what someone asked for, complete (defaults filled in), in this service's spelling.

The API room makes it from a request, the store keeps it as JSON, the recipe turns it into exact things.
Members that are only stored and echoed (network, maintenance window, access mode, webservers) are here
too: an answer must give back what was sent.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# MWAA's five modules and the last part of their log group's name.
LOG_MODULES: Mapping[str, str] = {
    "DagProcessingLogs": "DAGProcessing",
    "SchedulerLogs": "Scheduler",
    "WebserverLogs": "WebServer",
    "WorkerLogs": "Worker",
    "TaskLogs": "Task",
}


@dataclass(frozen=True)
class ModuleLogging:
    """One module's logging: `level` is CRITICAL, ERROR, WARNING, INFO or DEBUG; what lies below it is dropped."""

    enabled: bool
    level: str


# Omitted modules: task logs at INFO, the rest disabled (Terraform's and the console's documented default).
DEFAULT_LOGGING: Mapping[str, ModuleLogging] = {
    module: ModuleLogging(enabled=module == "TaskLogs", level="INFO" if module == "TaskLogs" else "WARNING")
    for module in LOG_MODULES
}


@dataclass(frozen=True)
class Spec:
    """One environment as asked."""

    execution_role_arn: str
    source_bucket_arn: str
    dag_s3_path: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    airflow_version: str
    environment_class: str
    min_workers: int
    max_workers: int
    schedulers: int
    min_webservers: int
    max_webservers: int
    webserver_access_mode: str
    weekly_maintenance_window_start: str
    requirements_s3_path: str | None = None
    airflow_configuration_options: Mapping[str, str] = field(default_factory=dict)
    logging: Mapping[str, ModuleLogging] = field(default_factory=lambda: dict(DEFAULT_LOGGING))
    endpoint_management: str = "SERVICE"
    requirements_s3_object_version: str | None = None  # None: what the bucket holds when the update is prepared
    plugins_s3_path: str | None = None
    plugins_s3_object_version: str | None = None
    startup_script_s3_path: str | None = None
    startup_script_s3_object_version: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back."""
        return dataclasses.asdict(self) | {
            "logging": {name: dataclasses.asdict(module) for name, module in self.logging.items()}
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Spec":
        """Read what `to_json` wrote; a document of an older release may lack members that have defaults."""
        known = {f.name for f in dataclasses.fields(cls)}
        values = {key: value for key, value in document.items() if key in known}
        values["subnet_ids"] = tuple(values["subnet_ids"])
        values["security_group_ids"] = tuple(values["security_group_ids"])
        values["logging"] = {name: ModuleLogging(**module) for name, module in values["logging"].items()}
        return cls(**values)
