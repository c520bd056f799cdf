"""The command line of the audit log: what it understands, and how it prints what outsiders wrote."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tradewind.cli.auditing import _row, head_of, since_of
from tradewind.cli.failures import USAGE, Failure

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("99999d", NOW - timedelta(days=99999)),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=UTC)),
        ("2026-01-30T01:00:00+01:00", datetime(2026, 1, 30, 1, tzinfo=timezone(timedelta(hours=1)))),
        ("2026-01-30T01:00Z", datetime(2026, 1, 30, 1, tzinfo=UTC)),
    ],
)
def test_since(text, moment):
    assert since_of(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "5", "5y", "-5m", "999999d", "2026-13-01"])
def test_since_what(text):
    with pytest.raises(Failure) as raised:
        since_of(text, NOW)
    assert raised.value.status == USAGE


def test_a_head_that_was_noted():
    found = head_of("12:" + "ab" * 32)
    assert (found.count, found.hash) == (12, b"\xab" * 32)
    for text in ("", "12", "12:ab", "x:" + "ab" * 32, "12:" + "AB" * 32):
        with pytest.raises(Failure):
            head_of(text)


def test_a_row():
    record = {
        "eventTime": "2026-01-31T12:00:00Z", "userIdentity": {"arn": "arn:aws:iam::1:user/alice"},
        "sourceIPAddress": "192.0.2.1", "eventName": "GetEnvironment", "requestParameters": {"Name": "e"},
    }  # fmt: skip
    assert _row(record) == ("2026-01-31T12:00:00Z", "user/alice", "192.0.2.1", "GetEnvironment", "e", "ok")


def test_a_terminal_gets_no_escape_sequences_of_outsiders():
    row = _row({"userIdentity": {}, "eventName": "\x1b[31mx", "errorCode": "a\nb", "requestParameters": None})
    assert row == ("", "", "", "?[31mx", "", "a?b")


def test_a_record_that_is_unreadable_has_a_row():
    assert _row({"eventName": "(unreadable)", "text": "x"})[3] == "(unreadable)"


def test_a_record_that_was_altered_has_a_row_too():
    row = _row({"userIdentity": "root", "requestParameters": [1], "eventName": {"a": 1}, "eventTime": None})
    assert row == ("None", "", "", "{'a': 1}", "", "ok")
