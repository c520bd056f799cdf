"""Records to test with."""

from datetime import UTC, datetime
from typing import Any

from tradewind.audit import Entry, EventType, Record, caller, genesis, link

ACCOUNT = "123456789012"
ROOT = caller(f"arn:aws:iam::{ACCOUNT}:root", access_key_id="AKIAEXAMPLEEXAMPLE12")
MOMENT = datetime(2026, 1, 31, 12, 0, 5, 999_999, tzinfo=UTC)


def record(**members: Any) -> Record:
    given: dict[str, Any] = {
        "moment": MOMENT, "source": "airflow.amazonaws.com", "name": "GetEnvironment", "type": EventType.API_CALL,
        "identity": ROOT, "region": "us-east-1", "account": ACCOUNT, "event_id": "e-1", "request_id": "r-1",
        "address": "192.0.2.1", "agent": "Boto3/1", "host": "localhost",
    }  # fmt: skip
    return Record(**(given | members))


def chained(*texts: str) -> list[Entry]:
    """A log of these texts, as it would have been written."""
    previous, entries = genesis(ACCOUNT), []
    for sequence, text in enumerate(texts, 1):
        previous = link(previous, sequence, text)
        entries.append(Entry(sequence, text, previous))
    return entries
