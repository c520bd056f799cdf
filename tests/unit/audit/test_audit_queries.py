"""What `audit list` picks out of the log."""

import json
from datetime import timedelta

import pytest

from tests.unit.audit.samples import ACCOUNT, MOMENT, chained, record
from tradewind.audit import Entry, Query, caller, select, text_of

ALICE = caller(f"arn:aws:iam::{ACCOUNT}:user/team/alice", access_key_id="AKIAALICE")
SESSION = caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/bob", access_key_id="ASIABOB")
RECORDS = [
    record(event_id="1", name="CreateEnvironment"),
    record(event_id="2", identity=ALICE, error_code="AccessDeniedException", moment=MOMENT + timedelta(minutes=60)),
    record(event_id="3", identity=SESSION, moment=MOMENT + timedelta(minutes=61)),
    record(event_id="4", identity=ALICE, name="AirflowLogin", moment=MOMENT + timedelta(minutes=62)),
]
LOG = chained(*map(text_of, RECORDS))[::-1]


def ids(**query):
    return "".join(found["eventID"] for found in select(LOG, Query(**query)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "1234"),
        ({"limit": 2}, "34"),
        ({"user": "root"}, "1"),
        ({"user": "alice"}, "24"),
        ({"user": "team"}, "24"),
        ({"user": "AKIAALICE"}, "24"),
        ({"user": ALICE.arn}, "24"),
        ({"user": "bob"}, "3"),
        ({"user": "Admin"}, "3"),
        ({"user": "nobody"}, ""),
        ({"user": "alice", "limit": 1}, "4"),
        ({"event": "AirflowLogin"}, "4"),
        ({"only_errors": True}, "2"),
        ({"since": MOMENT + timedelta(minutes=61)}, "34"),
        ({"since": MOMENT + timedelta(days=1)}, ""),
    ],
)
def test_queries(query, expected):
    assert ids(**query) == expected


def test_a_log_is_not_read_to_its_beginning():
    def endless():
        for number in range(1_000_000, 0, -1):
            assert number > 999_000
            moment = MOMENT - timedelta(minutes=1_000_000 - number)
            yield Entry(number, text_of(record(moment=moment)), b"")

    assert len(select(endless(), Query(since=MOMENT - timedelta(minutes=9)))) == 10


@pytest.mark.parametrize("text", ["not json", "[1]", '"x"', "null"])
def test_a_record_that_was_altered_is_shown_as_it_is(text):
    assert select([Entry(1, text, b"")], Query()) == [{"eventName": "(unreadable)", "text": text}]


def test_an_identity_that_was_altered_is_nobodys():
    text = json.dumps({"userIdentity": "x", "eventTime": "2026-01-01T00:00:00Z"})
    assert select([Entry(1, text, b"")], Query(user="x")) == []
