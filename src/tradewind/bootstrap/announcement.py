"""What `up` tells whoever started it: where the service answers and with which key.

It is kept in `service.json` (0600) for as long as the service runs, so that the command line finds its
endpoint and `down` finds the process: id and start time, since a process id alone is used again.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from tradewind.domain.layout import Layout


@dataclass(frozen=True)
class Announcement:
    """The object that `up --output json` prints, and the process that serves."""

    endpoint_url: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    ca_bundle: str
    data_dir: str
    pid: int
    started: float

    def public(self) -> dict[str, str]:
        """The members that `--output json` promises."""
        return {key: value for key, value in asdict(self).items() if key not in {"pid", "started"}}

    def process(self) -> psutil.Process | None:
        """The serving process, if it still is that one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
        except psutil.Error:
            return None
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None

    def write(self, layout: Layout) -> None:
        """Keep it."""
        path = _path(layout)
        scratch = path.with_suffix(".new")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file, indent=1)
        scratch.rename(path)


def recall(layout: Layout) -> Announcement | None:
    """What the last service of this directory told, whether it runs or not."""
    try:
        return Announcement(**json.loads(_path(layout).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget(layout: Layout) -> None:
    """The service has ended in order."""
    _path(layout).unlink(missing_ok=True)


def started_at() -> float:
    """This process's start time."""
    return float(psutil.Process().create_time())


def _path(layout: Layout) -> Path:
    return layout.data / "service.json"
