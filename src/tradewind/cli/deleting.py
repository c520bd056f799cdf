"""`delete`: ask for it, and follow it to the end where that is wanted."""

import time
from pathlib import Path

from tradewind.cli.following import Watch, until_deleted
from tradewind.cli.output import Output, document, line, live
from tradewind.cli.places import hint, service_of
from tradewind.cli.showing import existing


def delete_environment(name: str, data_dir: Path | None, output: Output, *, wait: bool) -> None:
    """Delete one environment."""
    service = service_of(data_dir)
    seen = existing(service, name)
    started = time.monotonic()
    service.delete(name)
    if wait:
        with live() as telling:
            until_deleted(Watch(lambda: service.find(name), telling), name, seen.id, seen.progress)
    seconds = round(time.monotonic() - started, 1)
    if output is Output.JSON:
        document({"name": name, "status": "DELETED" if wait else "DELETING"})
    elif wait:
        line(f"{name} is deleted, in {seconds} s. Its bucket stays.")
    else:
        line(f"{name} is being deleted; its bucket stays. See: tradewind status{hint(data_dir)}")
