"""Ends of messages that still say something, and those that do not."""

import pytest

from tradewind_airflow.engine.ends import Standing, stale


@pytest.mark.parametrize("state", ["queued", "running", "restarting", "success", "failed", "up_for_retry", None])
def test_the_end_of_the_last_message_counts(state):
    assert list(stale({"key": "m1"}, {"key": Standing(state, "m1")})) == []


def test_a_task_instance_on_its_way_to_its_next_message_is_not_told_of_the_last_one():
    assert list(stale({"key": "m1"}, {"key": Standing("scheduled", "m1")})) == ["key"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_the_end_of_an_earlier_message_is_stale(state):
    assert list(stale({"key": "m1"}, {"key": Standing(state, "m2")})) == ["key"]


def test_a_task_instance_that_is_gone_or_without_an_id_is_airflows_to_judge():
    assert list(stale({"gone": "m1", "old": "m2"}, {"old": Standing("running", None)})) == []
