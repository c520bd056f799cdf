"""From a command's `--data-dir` to settings and to the service that is meant."""

import os
from pathlib import Path

from tradewind.cli.service import Service, find
from tradewind.settings import Settings, read


def settings_of(data_dir: Path | None, port: int | None = None) -> Settings:
    """Settings as `up` would read them. Raises CannotStart for what makes no sense."""
    return read(os.environ, data_dir=data_dir, port=port)


def service_of(data_dir: Path | None) -> Service:
    """The service that the command is for. Raises Failure when there is none."""
    return Service(find(settings_of(data_dir), os.environ, named=data_dir is not None))


def hint(data_dir: Path | None) -> str:
    """What a proposed command must carry to mean the same data directory."""
    return f" --data-dir {data_dir}" if data_dir is not None else ""
