"""`keys`: our own operations on keys, followed to their end."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewind.cli.failures import Failure
from tradewind.cli.output import Live, Output, document, line, live, note, table
from tradewind.cli.places import hint, service_of
from tradewind.cli.service import Service

_POLL_SECONDS = 0.5
_WORDS = {
    "PENDING": "a new key",
    "WIDENED": "everything is encrypted with it",
    "NARROWED": "the old key goes",
    "DONE": "done",
    "FAILED": "failed",
}


@dataclass(frozen=True)
class Wanted:
    """What is to be replaced: the master key, Fernet keys of some environments or of all."""

    master: bool
    names: Sequence[str]
    everywhere: bool


def show_all(data_dir: Path | None, output: Output) -> None:
    """Ids and uses of keys."""
    answer = service_of(data_dir).own.list_keys()
    if output is Output.JSON:
        document({member: answer[member] for member in ("Source", "Keys", "FernetRotations")})
        return
    line(f"The master key comes from {answer['Source']}.")
    line()
    rows = [(each["KeyId"], _state(each), each["Values"]) for each in answer["Keys"]]
    table(("MASTER KEY", "STATE", "SECRETS"), rows)
    if answer["FernetRotations"]:
        line()
        rotations = [
            (each["EnvironmentName"], each["State"], each["AskedAt"], each.get("Reason"))
            for each in answer["FernetRotations"]
        ]
        table(("ENVIRONMENT", "FERNET KEY", "ASKED", "REASON"), rotations)


def rotate_keys(wanted: Wanted, data_dir: Path | None, output: Output, *, wait: bool) -> None:
    """Replace them. Raises Failure with the reason why one could not be replaced to its end."""
    service = service_of(data_dir)
    done: dict[str, Any] = {}
    if wanted.master:
        answer = service.own.rotate_master_key()
        done["MasterKey"] = {member: answer[member] for member in ("KeyId", "Values")}
        if output is Output.TEXT:
            line(f"{answer['KeyId']} is the master key now; {answer['Values']} secrets were sealed anew.")
    names = tuple(service.names()) if wanted.everywhere else wanted.names
    for name in names:
        service.own.rotate_fernet_key(Name=name)
    if names and wait:
        note(f"New Fernet keys for {', '.join(names)}:")
        with live() as telling:
            _follow(service, names, telling)
    if output is Output.JSON:
        document(done | {"FernetRotations": list(_rotations(service, names).values())})
        return
    for name in names:
        told = "has a new Fernet key; the old one opens nothing any more." if wait else "gets a new Fernet key."
        line(f"{name} {told}")
    if names and not wait:
        line(f"See: tradewind keys show{hint(data_dir)}")


def _follow(service: Service, names: Sequence[str], telling: Live) -> None:
    told: dict[str, str] = {}
    while True:
        seen = _rotations(service, names)
        for name, each in seen.items():
            if told.get(name) != each["State"]:
                told[name] = each["State"]
                telling.say(f"  {name}: {_WORDS[each['State']]}")
        failed = [f"{name}: {each.get('Reason', '')}" for name, each in seen.items() if each["State"] == "FAILED"]
        gone = [f"{name}: it was deleted" for name in names if name not in seen]
        if failed or gone:
            raise Failure(f"cannot replace the Fernet key of {'; '.join([*failed, *gone])}")
        if all(each["State"] == "DONE" for each in seen.values()):
            return
        telling.show(", ".join(f"{name}: {_WORDS[each['State']]}" for name, each in seen.items()))
        time.sleep(_POLL_SECONDS)


def _rotations(service: Service, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    found = service.own.list_keys()["FernetRotations"]
    return {each["EnvironmentName"]: each for each in found if each["EnvironmentName"] in names}


def _state(key: Mapping[str, Any]) -> str:
    if key["IsCurrent"]:
        return "current"
    return "older" if key["IsKnown"] else "missing"
