"""Ends of messages that say something, and those that do not."""

import pytest

from tradewind_airflow.engine.ends import ENDS_SECONDS, Standing, can_wait, without_news


@pytest.mark.parametrize("state", ["queued", "running", "restarting"])
def test_a_process_that_died_without_a_word_is_news(state):
    assert list(without_news({"key": "m1"}, {"key": Standing(state, "m1")})) == []
    assert list(without_news({"key": "m1"}, {"key": Standing(state, None)})) == [], "queued by older code"


@pytest.mark.parametrize(
    "state", ["success", "failed", "skipped", "up_for_retry", "up_for_reschedule", "deferred", None]
)
def test_what_the_task_said_itself_is_no_news(state):
    assert list(without_news({"key": "m1"}, {"key": Standing(state, "m1")})) == ["key"]


def test_a_task_instance_on_its_way_to_its_next_message_is_not_told_of_the_last_one():
    assert list(without_news({"key": "m1"}, {"key": Standing("scheduled", "m1")})) == ["key"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_the_end_of_an_earlier_message_is_of_no_account(state):
    assert list(without_news({"key": "m1"}, {"key": Standing(state, "m2")})) == ["key"]


def test_a_task_instance_that_is_gone_has_no_news():
    assert list(without_news({"key": "m1"}, {})) == ["key"]


def test_fine_ends_and_known_messages_can_wait_a_second():
    events = {"one": ("success", None), "other": ("queued", "m1")}
    assert can_wait(events, {"m1"}, looked_before=0.0)
    assert not can_wait(events, {"m1"}, looked_before=ENDS_SECONDS)
    assert can_wait({}, set(), looked_before=0.0)


@pytest.mark.parametrize("event", [("failed", None), ("queued", "m2"), ("running", None)])
def test_every_other_event_is_read_at_once(event):
    assert not can_wait({"one": ("success", None), "other": event}, {"m1"}, looked_before=0.0)
