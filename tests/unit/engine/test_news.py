"""Steps of a pass that are made when there may be something for them."""

from dataclasses import dataclass

from tradewind_airflow.engine.looks import Looks
from tradewind_airflow.engine.news import OFTEN_SECONDS, News
from tradewind_airflow.engine.triggers import Told


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_gate_opens_for_its_tables_and_once():
    gate = News().gate(["dag_run"], Clock())
    assert gate.opens(listening=True), "the first time"
    assert not gate.opens(listening=True)
    gate.tell(["task_instance"])
    assert not gate.opens(listening=True)
    gate.tell(["task_instance", "dag_run"])
    assert gate.opens(listening=True)
    assert not gate.opens(listening=True)


def test_time_alone_opens_it():
    clock = Clock()
    gate = News().gate(["dag_run"], clock)
    gate.opens(listening=True)
    clock.now += OFTEN_SECONDS
    assert gate.opens(listening=True)


def test_it_is_open_while_nothing_can_be_told():
    gate = News().gate(["dag_run"], Clock())
    assert all(gate.opens(listening=False) for _ in range(3))


def test_what_was_told_while_nobody_asked_is_not_forgotten():
    news = News()
    one, other = news.gate(["dag"], Clock()), news.gate(["pool"], Clock())
    assert one.opens(listening=True)
    assert other.opens(listening=True)
    news.tell([Told("x", "dag")])
    news.tell([])
    assert one.opens(listening=True)
    assert not other.opens(listening=True)


def test_what_can_wait_waits_for_a_second_and_is_not_forgotten():
    clock = Clock()
    gate = News().gate(["task_instance"], clock)
    gate.opens(listening=True)
    gate.tell(["task_instance"])
    clock.now += OFTEN_SECONDS / 2
    assert not gate.opens(listening=True, can_wait=True)
    assert gate.opens(listening=True), "as soon as it cannot wait any more"
    gate.tell(["task_instance"])
    clock.now += OFTEN_SECONDS
    assert gate.opens(listening=True, can_wait=True)
    assert gate.opens(listening=False, can_wait=True), "nothing is told: look each time"


def test_a_step_may_be_made_less_often():
    clock = Clock()
    gate = News().gate(["dag"], clock)
    gate.opens(listening=True)
    clock.now += OFTEN_SECONDS
    assert not gate.opens(listening=True, every=3 * OFTEN_SECONDS)
    clock.now += 2 * OFTEN_SECONDS
    assert gate.opens(listening=True, every=3 * OFTEN_SECONDS)


def test_runs_are_told_of_by_their_task_instances():
    news = News(looks=Looks(20))
    assert news.may_have_started(), "before anything was told"
    news.tell([Told("x", "task_instance", ("d", "r")), Told("x", "task_instance", ("d", "s"))])
    assert not news.may_have_started()
    assert list(news.looks.told) == [("d", "r"), ("d", "s")]
    assert news.is_left
    news.is_full = True
    assert not news.is_left, "there is no room for what they may do"
    news.tell([Told("x", "dag_run")])
    assert news.may_have_started()
    assert not news.may_have_started()
