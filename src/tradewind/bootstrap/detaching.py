"""The service in a process of its own: starts it, waits until the API answers, hands on what it says.

The child is this same interpreter in a session of its own. It reports over a pipe: one line of JSON, either
what it announces or the sentence of what went wrong.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tradewind.bootstrap.announcement import Announcement
from tradewind.domain.errors import CannotStart, TradewindError
from tradewind.settings import Settings, read

_PROGRAM = "from tradewind.bootstrap.detaching import child; child()"


def detach(settings: Settings) -> Announcement:
    """Start the service and return when its API answers. Raises CannotStart with the child's own words."""
    reading, writing = os.pipe()
    arguments = [str(writing), str(settings.data_dir), "" if settings.port is None else str(settings.port)]
    with open(reading) as report:  # noqa: PTH123  (a descriptor, not a path)
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(writing,),
                start_new_session=True,
                cwd="/",
            )
        finally:
            os.close(writing)
        line = report.readline()
    if not line:
        status = process.wait()
        raise CannotStart(
            f"cannot start the service: its process ended with status {status}; see logs/control-plane.log"
        )
    said = json.loads(line)
    if "error" in said:
        process.wait()
        raise CannotStart(said["error"], evidence=tuple(said.get("evidence", ())))
    return Announcement(**said)


def child(arguments: Sequence[str] | None = None) -> None:
    """The detached process."""
    from tradewind.bootstrap.serving import serve  # noqa: PLC0415  (the parent need not load the service)

    writing, data_dir, port = arguments or sys.argv[1:]
    report = os.fdopen(int(writing), "w")

    def say(document: dict[str, object]) -> None:
        report.write(json.dumps(document) + "\n")
        report.close()

    try:
        chosen = read(os.environ, data_dir=Path(data_dir), port=int(port) if port else None)
        serve(chosen, lambda announcement: say(announcement.__dict__))
    except TradewindError as error:
        if report.closed:
            raise
        say({"error": error.sentence, "evidence": list(error.evidence)})
        sys.exit(1)
    except Exception as error:
        if not report.closed:
            say({"error": f"cannot start the service: internal error: {error!r}"})
        raise
