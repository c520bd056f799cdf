"""The credentials in a file (0600), so that a process that is started anew has some while the control plane is away.

The file is the environment's user's own, as tasks are: they may read it, and learn what they may ask for anyway. What
they write there is not believed: a mark over the content needs the process's key. The role is part of the content: of
another role's credentials nothing is taken.
"""

import contextlib
import hashlib
import hmac
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tradewind_airflow.credentials.role import Credentials

_LIMIT = 65_536


@dataclass(frozen=True)
class Place:
    """Where the credentials of a role are kept."""

    folder: Path
    role: str
    key: bytes = field(repr=False)

    def keep(self, credentials: Credentials) -> None:
        """Replace the file; a try that fails leaves nothing behind. Raises OSError."""
        content = json.dumps({"role": self.role, "credentials": asdict(credentials)})
        descriptor, name = tempfile.mkstemp(prefix=".", dir=self.folder)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump({"content": content, "mark": self._mark(content)}, file)
            Path(name).replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    def load(self) -> Credentials | None:
        """What was kept for this role and with this key; None where there is nothing of that kind."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor) as file:
                document = json.loads(file.read(_LIMIT))
            content, mark = document["content"], document["mark"]
            if not hmac.compare_digest(self._mark(content).encode(), mark.encode()):
                return None
            kept = json.loads(content)
            return Credentials(**kept["credentials"]) if kept["role"] == self.role else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    @property
    def _file(self) -> Path:
        return self.folder / "credentials.json"

    def _mark(self, content: str) -> str:
        return hmac.new(self.key, b"kept:" + content.encode(), hashlib.sha256).hexdigest()
