"""The process: `python -P -m tradewind_airflow.credentials`, with its settings in variables named TRADEWIND_*.

It closes itself to its neighbours and forgets the variables before it listens. What it tells (that it got credentials,
why it has none) goes to standard error, its log.
"""

import os
import sys
import threading
import time
from pathlib import Path

from tradewind_airflow.closed import close_process
from tradewind_airflow.credentials.asking import ControlPlane
from tradewind_airflow.credentials.keeping import Place
from tradewind_airflow.credentials.role import Holder
from tradewind_airflow.credentials.serving import Endpoint

_PREFIX = "TRADEWIND_CREDENTIALS_"


def main() -> int:
    """Serve until a signal ends the process."""
    close_process()
    os.umask(0o077)
    try:
        given = {name: os.environ.pop(_PREFIX + name) for name in _NAMES}
    except KeyError as error:
        sys.stderr.write(f"cannot start: the variable {error.args[0]} is missing\n")
        return 2
    role, key = given["ROLE"], given["KEY"].encode()
    place = Place(Path(given["FOLDER"]), role, key)
    plane = ControlPlane(given["URL"], given["BUNDLE"], given["ENVIRONMENT"], role, key)
    holder = Holder(plane.ask, held=place.load(), keep=place.keep, tell=lambda sentence: _tell(role, sentence))
    endpoint = Endpoint(int(given["PORT"]), given["TOKEN"], lambda: holder.current().answer(role))
    threading.Thread(target=_go_on_looking, args=(holder,), daemon=True).start()
    endpoint.serve_forever()
    return 0


_NAMES = ("BUNDLE", "ENVIRONMENT", "FOLDER", "KEY", "PORT", "ROLE", "TOKEN", "URL")


def _go_on_looking(holder: Holder) -> None:
    while True:
        time.sleep(holder.look())


def _tell(role: str, sentence: str) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(f"{moment} {role}: {sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
