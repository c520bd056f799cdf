"""`status`: whether the service runs, and how its environments do."""

from pathlib import Path
from typing import Any

from tradewind.bootstrap import directory
from tradewind.bootstrap.announcement import Announcement, recall
from tradewind.bootstrap.processes import runtime_of
from tradewind.cli.failures import UNREACHABLE, explain
from tradewind.cli.output import Output, document, line, paint, table
from tradewind.cli.places import hint, settings_of
from tradewind.cli.progress import in_words
from tradewind.cli.service import Seen, Service, of
from tradewind.cli.showing import seen_all
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST


def show_status(data_dir: Path | None, output: Output) -> int:
    """Print it. Answers 3 when the service does not run or does not answer."""
    settings = settings_of(data_dir)
    announcement = recall(settings.layout)
    running = announcement is not None and announcement.process() is not None
    found: list[Seen] = []
    problem = ""
    if announcement is not None and running:
        try:
            found = seen_all(Service(of(announcement)))
        except Exception as error:  # noqa: BLE001  (a service that is broken is a state to show)
            problem = explain(error).sentence
    state = "not answering" if problem else "running" if running else _state_without(settings.layout, announcement)
    if output is Output.JSON:
        document(_document(settings.data_dir, state, announcement if running else None, found))
    else:
        _tell(settings.data_dir, state, announcement if running else None, data_dir)
        _tell_environments(found)
        if problem:
            line(problem)
    return 0 if state == "running" else UNREACHABLE


def _state_without(layout: Layout, announcement: Announcement | None) -> str:
    if (layout.data / ".lock").exists() and directory.is_held(layout):
        return "starting"
    left = [owner for owner in runtime_of(layout).owners() if owner != HOST] if layout.data.is_dir() else []
    if left:
        return f"not running, but {len(left)} of its environments may be"
    return "not running" if announcement is None else "not running (it was killed)"


def _tell(folder: Path, state: str, announcement: Announcement | None, data_dir: Path | None) -> None:
    line(f"The service is {paint(state)}.")
    line()
    if announcement is not None:
        line(f"  endpoint           {announcement.endpoint_url}")
        line(f"  region, account    {announcement.region}, {announcement.account_id}")
        line(f"  process            {announcement.pid}")
    line(f"  data directory     {folder}")
    if announcement is None:
        line(f"  start it           tradewind up{hint(data_dir)}")


def _tell_environments(found: list[Seen]) -> None:
    if not found:
        return
    line()
    rows = [(seen.environment["Name"], seen.status, in_words(seen.progress.step), seen.url) for seen in found]
    table(("ENVIRONMENT", "STATUS", "UNDER WAY", "URL"), rows)
    for seen in found:
        if seen.failure:
            line(f"{seen.environment['Name']}: {seen.failure}")


def _document(folder: Path, state: str, announcement: Announcement | None, found: list[Seen]) -> dict[str, Any]:
    service: dict[str, Any] = {"state": state, "data_dir": str(folder)}
    if announcement is not None:
        service |= {"endpoint_url": announcement.endpoint_url, "region": announcement.region, "pid": announcement.pid}
    environments = [
        {"name": s.environment["Name"], "status": s.status, "step": s.progress.step, "url": s.url, "id": s.id}
        for s in found
    ]
    return {"service": service, "environments": environments}
