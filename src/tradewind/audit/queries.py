"""Which records somebody wants to see, out of a log that is read from its end.

Everything is read from the records' own text, which the chain covers, and from no column beside it. Records are in
the order of their commits, which is nearly that of their moments: a call is recorded when it ends, with the moment
it began.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from tradewind.audit.chain import Entry
from tradewind.audit.records import moment_of

_LONGEST_CALL = timedelta(minutes=15)


@dataclass(frozen=True)
class Query:
    """What to show. `user`: a name, an ARN, an access key id, a role's or a session's name, or `root`."""

    user: str | None = None
    event: str | None = None
    since: datetime | None = None
    only_errors: bool = False
    limit: int | None = None


def select(newest_first: Iterable[Entry], query: Query) -> list[dict[str, Any]]:
    """The newest records that are meant, as documents, the oldest of them first."""
    found = list(islice(_matching(newest_first, query), query.limit))
    return found[::-1]


def _matching(newest_first: Iterable[Entry], query: Query) -> Iterator[dict[str, Any]]:
    since = "" if query.since is None else moment_of(query.since)
    over = "" if query.since is None else moment_of(query.since.astimezone(UTC) - _LONGEST_CALL)
    for entry in newest_first:
        record = _read(entry)
        time = str(record.get("eventTime", "9999"))
        if time < over:
            return
        if time >= since and _is_meant(record, query):
            yield record


def _is_meant(record: dict[str, Any], query: Query) -> bool:
    if query.only_errors and "errorCode" not in record:
        return False
    if query.event is not None and record.get("eventName") != query.event:
        return False
    return query.user is None or query.user in names_of(record)


def names_of(record: dict[str, Any]) -> set[str]:
    """Everything that one may call the caller of a record."""
    identity = record.get("userIdentity")
    if not isinstance(identity, dict):
        return set()
    arn = str(identity.get("arn", ""))
    names = {arn, str(identity.get("accessKeyId", "")), str(identity.get("userName", "")), arn.rpartition(":")[2]}
    names |= set(arn.rpartition(":")[2].split("/")[1:])
    return names - {""}


def _read(entry: Entry) -> dict[str, Any]:
    """A record's document. One that was altered into something else is shown as what it is."""
    try:
        found = json.loads(entry.text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"eventName": "(unreadable)", "text": entry.text}
