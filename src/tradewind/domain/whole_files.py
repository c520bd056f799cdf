"""How a file below the data directory is replaced: a reader sees the old content or the new, after a crash too.

The new content is written beside it under a name that nobody knows beforehand: an environment's user may own the
folder, so nothing that lies there is followed or used again. A crash may leave such a file behind, never half of the
real one.
"""

import os
import tempfile
from pathlib import Path


def replace_whole(path: Path, content: str | bytes, mode: int = 0o600, gid: int | None = None) -> None:
    """Replace a file at once; `gid` makes it root's and that group's. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), mode)
            if gid is not None:
                os.fchown(file.fileno(), 0, gid)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
