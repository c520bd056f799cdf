"""Copy each log to `<log>.1` and empty it.

`python -I -m tradewind.runtime.processes.trimmer`, with a list of path and user id as JSON on standard input. A
process of its own because it takes on the rights of each log's user, which no thread of the service may do: a user may
have put a link where the copy goes. Where the directory is ours alone, and the user cannot write there, it is done
with our rights.
"""

import json
import os
import stat
import sys

from tradewind.runtime.processes.launcher import only_ours

_BLOCK = 1024 * 1024


def trim(path: str, user: int) -> None:
    """Trim one log, and follow no link."""
    ourselves = os.geteuid()
    try:
        os.seteuid(user)
        try:
            _trim(path)
        finally:
            os.seteuid(ourselves)
    except PermissionError:
        if ourselves == 0 and only_ours(path):
            _trim(path)


def _trim(path: str) -> None:
    draft = f"{path}.1.draft"
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(descriptor)
        return
    with (
        os.fdopen(descriptor, "r+b", 0) as source,
        os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as target,
    ):
        while block := source.read(_BLOCK):
            target.write(block)
        target.flush()
        source.truncate(0)
    os.replace(draft, f"{path}.1")  # noqa: PTH105  strings throughout


if __name__ == "__main__":
    for log, user_id in json.load(sys.stdin):
        try:
            trim(log, user_id)
        except OSError as error:
            sys.stderr.write(f"cannot trim {log}: {error}\n")
