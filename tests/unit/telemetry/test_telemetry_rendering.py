"""Lines of logs as people read them."""

import json

import pytest

from tradewind.telemetry.rendering import plain, render


def line(**members):
    return json.dumps({"timestamp": "2026-11-22T08:23:00.123456Z", "level": "info"} | members)


def test_an_entry_shows_time_level_and_words():
    assert render(line(event="1461 days", logger="task.stdout")) == "08:23:00.123 INFO     1461 days"


def test_what_was_said_with_it_follows():
    assert render(line(event="loaded", rows=3, where={"a": 1})).endswith('loaded rows=3 where={"a": 1}')


@pytest.mark.parametrize(
    ("timestamp", "shown"),
    [("2026-11-22T08:23:00Z", "08:23:00.000 "), ("2026-11-22 08:23:00.5", "08:23:00.500 "), (None, ""), (17, "17 ")],
)
def test_any_timestamp_is_shown(timestamp, shown):
    text = json.dumps({"timestamp": timestamp, "level": "warning", "event": "x"})
    assert render(text) == f"{shown}WARNING  x"


def test_a_failure_shows_its_stack_oldest_first():
    detail = [
        {"exc_type": "RuntimeError", "exc_value": "outer", "frames": [{"filename": "/b.py", "lineno": 2, "name": "g"}]},
        {"exc_type": "KeyError", "exc_value": "'k'", "frames": [{"filename": "/a.py", "lineno": 1, "name": "f"}]},
    ]
    assert render(line(event="failed", level="error", error_detail=detail)).splitlines() == [
        "08:23:00.123 ERROR    failed",
        "  File /a.py, line 1, in f",
        "  KeyError: 'k'",
        "  During handling of the above, another exception occurred:",
        "  File /b.py, line 2, in g",
        "  RuntimeError: outer",
    ]


@pytest.mark.parametrize("text", ["plain words", "{not json", '{"no": "event"}', "[1, 2]", "", '"event"'])
def test_what_is_no_entry_stays_as_it_is(text):
    assert render(text) == text


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("over\rwritten", "overwritten"),
        ("bell\x07 null\x00 csi\x9b2J", "bell null csi2J"),
        ("right\u202eleft", "rightleft"),
        ("tab\tand\nline stay", "tab\tand\nline stay"),
    ],
)
def test_nothing_steers_the_terminal(hostile, harmless):
    assert plain(hostile) == harmless
    assert render(line(event=hostile)).endswith(harmless)


def test_folds_of_the_ui_and_what_every_line_repeats_are_left_out():
    of_this_try = {"dag_id": "etl", "task_id": "load", "run_id": "r", "ti_id": "0", "try_number": 1, "map_index": -1}
    assert render(line(event="::endgroup::", **of_this_try)) == ""
    assert render(line(event="::group::Post Execute", **of_this_try)) == "08:23:00.123 INFO     ▸ Post Execute"
