"""The environment's bucket as a folder of objects, reached by Airflow's ObjectStoragePath.

Tradewind gives every task the bucket's URL in TRADEWIND_BUCKET_URL (`file:///…` or `s3://…`). Libraries that want
real files (DuckDB) get a copy in a temporary folder, and what they wrote is put back whole: readers never see half.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VARIABLE = "TRADEWIND_BUCKET_URL"
FOLDER = "weather"


def bucket() -> Any:
    """The folder `weather/` of the bucket, an ObjectStoragePath."""
    url = os.environ.get(VARIABLE)
    if not url:
        raise RuntimeError(f"cannot find the bucket: {VARIABLE} is not set (Tradewind sets it in every environment)")
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(url) / FOLDER


def read(key: str) -> bytes | None:
    """An object's content; None when there is no such object."""
    path = bucket() / key
    return path.read_bytes() if path.exists() else None


def write(key: str, content: bytes) -> str:
    """Put an object in its place in one step; answers its key. On a disk: a temporary file and a rename."""
    path = bucket() / key
    if path.protocol == "file":
        target = Path(path.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, target)
    else:
        path.write_bytes(content)  # an object store shows a whole object or none
    return key


@contextlib.contextmanager
def local_copies(*keys: str) -> Iterator[list[Path]]:
    """Objects as files of a temporary folder; a missing object is a path with no file."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, key in enumerate(keys):
            paths.append(Path(folder) / f"{number}-{key.rsplit('/', 1)[-1]}")
            content = read(key)
            if content is not None:
                paths[-1].write_bytes(content)
        yield paths
