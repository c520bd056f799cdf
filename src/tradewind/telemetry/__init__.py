"""What an environment says: its log files, found, read, followed and rendered.

`places` knows which files there are, `files` reads them without being led astray, `rendering` makes a line
readable. Everything reads from the environment's folder, so it works for one whose creation failed, and
while the service is down. Log groups will stand in front of the same files.
"""

from tradewind.telemetry.files import Cursor, follow, tail
from tradewind.telemetry.places import (
    NoSuchLog,
    TaskLog,
    component_logs,
    components,
    find_components,
    newest_task_log,
    task_logs,
)
from tradewind.telemetry.rendering import render

__all__ = [
    "Cursor",
    "NoSuchLog",
    "TaskLog",
    "component_logs",
    "components",
    "find_components",
    "follow",
    "newest_task_log",
    "render",
    "tail",
    "task_logs",
]
