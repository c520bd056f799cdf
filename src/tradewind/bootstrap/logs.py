"""The service's own log: one JSON object a line in `logs/control-plane.log`, 10 MB in each of three files.

Every line has an `action` word that can be counted. Secrets are never logged: dataclasses that hold them
do not show them, and requests are logged by operation and id only. The files are 0600: environments' users can pass
through the folder.
"""

import logging
import logging.handlers
import os
from io import TextIOWrapper
from pathlib import Path

import structlog


class PrivateFile(logging.handlers.RotatingFileHandler):
    """Files that only the service's user can read, those of earlier releases among them."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        for file in path.parent.glob(f"{path.name}*"):
            file.chmod(0o600)
        return super()._open()


def log_to(path: Path) -> None:
    """Send structlog and the libraries' warnings to the file."""
    handler = PrivateFile(path, maxBytes=10_000_000, backupCount=3)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(),
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "botocore", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
