"""The steps of a creation or a deletion, as the service tells them in a header of GetEnvironment.

`{"step": "runtime", "done": [{"step": "requirements", "seconds": 1.2}]}`: the step under way (empty when none
is), and those done with their seconds. Reading is tolerant: progress is for people, nothing depends on it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

STEPS = {
    "folders": "folders and users",
    "requirements": "resolving the requirements",
    "runtime": "building the Python environment",
    "DAGs": "taking the DAGs",
    "preloading": "starting to load Airflow",
    "template database": "preparing the database's template",
    "database": "making the database",
    "route": "opening the web address",
    "waiting for the snapshot": "waiting for the snapshot",
    "restored database": "restoring the database",
    "snapshot": "saving a snapshot",
    "snapshot that was asked for": "taking a snapshot",
    "trial of the database": "trying the database on a copy",
    "open database": "opening the old database",
    "migration": "making the new database",
    "release": "letting it schedule",
    "remove old databases": "removing the old database",
    "processes": "starting Airflow's processes",
    "start-up script": "running the start-up script",
    "rehearsal": "trying all DAGs with the new settings",
    "report": "saying what it would do",
    "cut over": "putting the new settings in force",
    "end replaced processes": "ending the old processes",
    "health": "waiting until all of them answer",
    "stop processes": "stopping its processes",
    "withdraw route": "closing the web address",
    "drop database": "dropping the database",
    "remove files": "removing its files",
    "remove user": "removing its user",
    "forget": "forgetting it",
}


@dataclass(frozen=True)
class Progress:
    """What is under way, and what has been done in how many seconds."""

    step: str = ""
    done: tuple[tuple[str, float], ...] = ()

    def since(self, earlier: "Progress") -> Iterator[tuple[str, float]]:
        """What was done since; a step that was done again counts again."""
        before = dict(earlier.done)
        yield from ((step, seconds) for step, seconds in self.done if before.get(step) != seconds)


def parse(header: str | None) -> Progress:
    """Read the header; whatever cannot be read is no progress."""
    try:
        document = json.loads(header or "{}")
        done = tuple((str(one["step"]), float(one["seconds"])) for one in document.get("done", ()))
        return Progress(str(document.get("step", "")), done)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Progress()


def in_words(step: str) -> str:
    """A step for people."""
    return STEPS.get(step, step)


@dataclass
class Teller:
    """Tells steps as they end: `say` for a line that stays, `show` for what is under way now."""

    say: Callable[[str], None]
    show: Callable[[str], None]
    _told: Progress = Progress()

    def tell(self, progress: Progress) -> None:
        """Tell what is new."""
        for step, seconds in progress.since(self._told):
            self.say(f"  {in_words(step):<36} {seconds:6.1f} s")
        self._told = progress
        self.show(in_words(progress.step) if progress.step else "")
