"""`up` and `down`, and what `up` tells: where the service answers, how to sign in, what to export."""

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tradewind.bootstrap.announcement import Announcement
from tradewind.bootstrap.detaching import detach as start_detached
from tradewind.bootstrap.ending import bring_down as end
from tradewind.bootstrap.serving import serve
from tradewind.cli.output import Output, document, line, note
from tradewind.cli.places import hint, settings_of


def bring_up(data_dir: Path | None, port: int | None, *, detach: bool, output: Output) -> None:
    """Start the service; in the foreground, return when somebody has ended it."""
    settings = settings_of(data_dir, port)

    def announce(announcement: Announcement) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more: no reason to end a service
            tell(announcement, data_dir, output, detached=detach)

    if detach:
        announce(start_detached(settings))
        return
    with _saying_that_it_ends():
        serve(settings, announce)
    note("tradewind: stopped.")


def bring_down(data_dir: Path | None, output: Output) -> None:
    """Stop everything."""
    settings = settings_of(data_dir)
    ran = end(settings)
    if output is Output.JSON:
        document({"stopped": ran, "data_dir": str(settings.data_dir)})
    else:
        line(f"Stopped everything of {settings.data_dir}." if ran else f"Nothing was running on {settings.data_dir}.")


def tell(announcement: Announcement, data_dir: Path | None, output: Output, *, detached: bool) -> None:
    """Print what a person or a program needs to use the service."""
    if output is Output.JSON:
        document(announcement.public())
        return
    where = hint(data_dir)
    line(f"Tradewind is up at {announcement.endpoint_url}")
    line()
    line(f"  region, account    {announcement.region}, {announcement.account_id}")
    line(f"  data directory     {announcement.data_dir}")
    line(f"  an environment     tradewind create NAME --dags FOLDER{where}")
    line(f"  sign in to it      tradewind open NAME{where}")
    line(f"  stop               {'' if detached else 'Ctrl-C, or '}tradewind down{where}")
    line()
    line("For the AWS CLI, boto3 and everything that uses them:")
    line()
    for name, value in exports(announcement).items():
        line(f"  export {name}={shlex.quote(value)}")


def exports(announcement: Announcement) -> dict[str, str]:
    """The variables that make AWS's own clients speak to this service."""
    return {
        **{f"AWS_ENDPOINT_URL_{service}": announcement.endpoint_url for service in ("MWAA", "IAM", "STS")},
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": announcement.access_key_id,
        "AWS_SECRET_ACCESS_KEY": announcement.secret_access_key,
        "AWS_REGION": announcement.region,
        "AWS_DEFAULT_REGION": announcement.region,
        "AWS_CA_BUNDLE": announcement.ca_bundle,
        "REQUESTS_CA_BUNDLE": announcement.ca_bundle,
    }


@contextmanager
def _saying_that_it_ends() -> Iterator[None]:
    """Say at once that Ctrl-C was heard: stopping takes as long as the tasks that run, and silence looks like a hang.

    The service handles the signal itself; the interpreter tells us through a pipe that one came.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        with suppress(OSError):
            if os.read(reading, 1) in {bytes([signal.SIGINT]), bytes([signal.SIGTERM])}:
                note(("\n" if sys.stderr.isatty() else "") + "tradewind: stopping everything in order ...")

    threading.Thread(target=watch, daemon=True).start()
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
