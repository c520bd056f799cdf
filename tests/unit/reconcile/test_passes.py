"""Passes over one environment with hands that are doubles: how the phase and the change move."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.domain.samples import environment
from tests.unit.reconcile.passing import (
    PENDING,
    STORE,
    WHOLE,
    DatabaseThatRestarts,
    EnvironmentsInMemory,
    EverythingWorks,
    RequirementsThatDoNotResolve,
    SomeoneDeletesIt,
    hands,
    new,
    run,
)
from tradewind.domain.environments import Change, ChangeState, Phase, Status, Target
from tradewind.domain.errors import CannotProvide, TradewindError
from tradewind.reconcile import passes
from tradewind.reconcile.passes import Passes
from tradewind.reconcile.world import World


def test_a_plan_that_was_performed_makes_it_available(monkeypatch):
    store = run(monkeypatch, new(), EverythingWorks, World())
    assert store.now.status is Status.AVAILABLE
    assert (store.now.observed_generation, store.now.progress) == (1, "")
    assert store.now.change.state is ChangeState.SUCCESS
    assert store.steps == [
        "folders", "requirements", "runtime", "start-up script", "preloading", "DAGs", "template database", "database",
        "route", "processes", "health",
    ]  # fmt: skip


def test_requirements_that_do_not_resolve_refuse_it_with_their_words(monkeypatch):
    store = run(monkeypatch, new(), RequirementsThatDoNotResolve, World())
    assert store.now.status is Status.CREATE_FAILED
    assert store.steps == ["folders"]
    change = store.now.change
    assert (change.state, change.error_code) == (ChangeState.FAILED, "INCORRECT_CONFIGURATION")
    assert change.error_message == "cannot resolve requirements.txt: Because duckdb==99 does not exist"


def test_a_database_that_restarts_is_left_to_the_next_pass(monkeypatch):
    young = new(created_at=datetime.now(UTC))
    with pytest.raises(ConnectionError):
        run(monkeypatch, young, DatabaseThatRestarts, World())
    store = STORE[0]
    assert store.now.status is Status.CREATING
    assert (store.now.phase, store.now.progress) == (Phase.PROVISIONING, "database")
    assert store.now.change.state is ChangeState.PENDING


def test_a_creation_that_never_ends_is_refused_at_last(monkeypatch):
    old = new(created_at=datetime.now(UTC) - timedelta(minutes=31))
    store = run(monkeypatch, old, DatabaseThatRestarts, World())
    assert store.now.status is Status.CREATE_FAILED
    assert store.now.change.error_code == "INTERNAL"
    assert store.now.change.error_message == "cannot create the environment: the database system is starting up"


def test_a_ready_environment_outlives_a_repair_that_fails(monkeypatch):
    with pytest.raises(ConnectionError):
        run(monkeypatch, environment(), DatabaseThatRestarts, dataclasses.replace(WHOLE, database=False))
    assert STORE[0].now.status is Status.AVAILABLE

    store = run(monkeypatch, environment(), RequirementsThatDoNotResolve, dataclasses.replace(WHOLE, lock=False))
    assert store.now.status is Status.AVAILABLE
    assert store.now.change.state is ChangeState.SUCCESS


def test_a_repair_leaves_phase_and_change_alone(monkeypatch):
    before = environment()
    store = run(monkeypatch, before, EverythingWorks, dataclasses.replace(WHOLE, route=False))
    assert (store.now.phase, store.now.change) == (before.phase, before.change)
    assert store.steps == ["route"]


def test_what_is_no_longer_wanted_is_left_at_once(monkeypatch):
    store = run(monkeypatch, new(), SomeoneDeletesIt, World())
    assert store.now.status is Status.DELETING
    assert store.now.phase is Phase.PROVISIONING
    assert "health" not in store.steps


def test_an_environment_that_is_gone_is_left_at_once(monkeypatch):
    store = EnvironmentsInMemory(None)
    monkeypatch.setattr(passes, "Performer", EverythingWorks)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: World())
    Passes(hands(store)).run(new())
    assert store.steps == []


def test_no_step_is_begun_when_the_service_ends(monkeypatch):
    store = run(monkeypatch, new(), EverythingWorks, World(), stopping=lambda: True)
    assert store.steps == []
    assert store.now.phase is Phase.NEW


def test_a_deletion_does_not_make_it_ready(monkeypatch):
    deleting = new(target=Target.ABSENT, generation=2, change=Change("DELETE", ChangeState.PENDING, PENDING.created_at))
    store = run(monkeypatch, deleting, EverythingWorks, WHOLE)
    assert store.now.status is Status.DELETING
    assert "forget" not in store.steps  # its row is history by then


def test_taking_back_leaves_it_refused(monkeypatch):
    failed = new(phase=Phase.REFUSED, change=dataclasses.replace(PENDING, state=ChangeState.FAILED))
    store = run(monkeypatch, failed, EverythingWorks, WHOLE)
    assert store.now.status is Status.CREATE_FAILED
    assert store.now.change.state is ChangeState.FAILED


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("cannot x", ()),
        ("cannot x", ("line",) * 400),
        ("cannot x", ("y" * 5000,)),
        ("z" * 5000, ("line",)),
        ("z" * 1015, ("line",)),
        ("z" * 1023, ("line",)),
    ],
)
def test_a_message_fits_mwaas_1024_characters(sentence, evidence):
    message = passes._message(CannotProvide(sentence, "C", evidence))
    assert 1 <= len(message) <= 1024
    assert message.startswith(sentence[:1010])


def test_a_message_carries_the_end_of_the_evidence():
    lines = (*("first line",) * 200, "the reason")
    assert passes._message(CannotProvide("cannot x", "C", lines)).endswith("first line | the reason")


def test_evidence_that_the_sentence_ends_with_is_not_told_twice():
    error = CannotProvide("cannot x: because of y", "C", ("line", "because of y"))
    assert passes._message(error) == "cannot x: because of y"


def test_blank_lines_are_no_evidence():
    assert passes._message(CannotProvide("cannot x", "C", ("a", " ", "b"))) == "cannot x; last lines: a | b"


def test_what_fails_while_postgresql_is_started_anew_is_tried_again(monkeypatch):
    fresh = new(created_at=datetime.now(UTC))
    store = EnvironmentsInMemory(fresh)
    monkeypatch.setattr(passes, "Performer", RequirementsThatDoNotResolve)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: World())
    with pytest.raises(TradewindError, match="PostgreSQL was started anew meanwhile: cannot resolve"):
        Passes(hands(store, seconds_up=0.0)).run(fresh)
    assert store.now.change.state is ChangeState.PENDING
