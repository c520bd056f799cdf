"""`audit list` and `audit verify`: the audit log, read from PostgreSQL itself.

It is no operation of the API: whoever may verify it must be able to without trusting the service that writes it.
"""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tradewind.audit import Broken, Head, Query, select
from tradewind.bootstrap.auditing import LogOutOfReach, open_log
from tradewind.cli.failures import FAILED, UNREACHABLE, USAGE, Failure
from tradewind.cli.output import Output, document, line, note, table
from tradewind.cli.places import settings_of

_AGO = re.compile(r"(\d{1,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NOTED = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_SUBJECTS = ("Name", "name", "EnvironmentName", "ResourceArn", "userName", "roleName", "policyArn", "roleArn")


def list_records(query: Query, data_dir: Path | None, output: Output) -> None:
    """Print the records that are meant, the newest last. Raises Failure."""
    try:
        with open_log(settings_of(data_dir)) as log, closing(log.read()) as entries:
            records = select(entries, query)
    except LogOutOfReach as error:
        raise Failure(error.sentence, UNREACHABLE) from error
    if output is Output.JSON:
        document({"Records": records})
        return
    if not records:
        note("No records.")
        return
    table(("TIME", "WHO", "FROM", "EVENT", "ON", "OUTCOME"), [_row(record) for record in records])


def verify_log(noted: str | None, data_dir: Path | None, output: Output) -> int:
    """Check the whole chain: 0 when it is intact, 1 when not. Raises Failure."""
    expected = None if noted is None else head_of(noted)
    try:
        with open_log(settings_of(data_dir)) as log:
            verdict = log.verify(expected)
    except LogOutOfReach as error:
        raise Failure(error.sentence, UNREACHABLE) from error
    if isinstance(verdict, Broken):
        if output is Output.JSON:
            document({"intact": False, "sequence": verdict.sequence, "reason": verdict.reason})
            return FAILED
        raise Failure(f"cannot trust the audit log: {verdict.reason}")
    if output is Output.JSON:
        document({"intact": True, "records": verdict.count, "noted": f"{verdict.count}:{verdict.hash.hex()}"})
        return 0
    line(f"The audit log is intact: {verdict.count} record{'' if verdict.count == 1 else 's'}.")
    line(f"{verdict.count}:{verdict.hash.hex()}")
    note("Kept elsewhere, that line proves later that the log still goes through here: --noted COUNT:HASH")
    return 0


def since_of(text: str, now: datetime) -> datetime:
    """A moment: `90m`, `2h`, `7d` ago, or ISO 8601 (UTC unless it says otherwise). Raises Failure."""
    if found := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = f"cannot read --since {text!r}: give a time ago (90m, 2h, 7d) or a moment (2026-01-31T12:00)"
        raise Failure(sentence, USAGE) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def head_of(text: str) -> Head:
    """What an earlier `audit verify` printed. Raises Failure."""
    found = _NOTED.fullmatch(text.strip())
    if found is None:
        raise Failure("cannot read --noted: give the line COUNT:HASH that audit verify printed", USAGE)
    return Head(int(found[1]), bytes.fromhex(found[2]))


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    identity = _members(record.get("userIdentity"))  # a record that was altered may hold anything
    who = str(identity.get("arn") or identity.get("accessKeyId") or identity.get("type") or "").rpartition(":")[2]
    parameters = _members(record.get("requestParameters"))
    subject = next((str(parameters[name]) for name in _SUBJECTS if parameters.get(name)), "")
    cells = (
        record.get("eventTime", ""),
        who,
        record.get("sourceIPAddress", ""),
        record.get("eventName", ""),
        subject,
        record.get("errorCode", "ok"),
    )
    return tuple(_printable(str(cell)) for cell in cells)


def _members(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _printable(text: str) -> str:
    """Without control characters: an outsider chooses his user agent and his paths."""
    return "".join(character if character.isprintable() else "?" for character in text)
