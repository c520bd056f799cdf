"""Environments in a real database: what the API writes, what the reconciler writes, and that names are free again."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import psycopg
import pytest
import sqlalchemy as sa

from tests.unit.domain.samples import SEALING, SECRETS, SPEC, environment
from tradewind.domain.environments import Change, ChangeState, Phase, Ports, Settled, Status, Target, TrialState
from tradewind.domain.identifiers import new_environment_id
from tradewind.domain.specs import ModuleLogging
from tradewind.store import AddressTaken, EnvironmentExists, Environments
from tradewind.store.environments import CHANNEL
from tradewind.store.tables import environments as table

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def new(name, **changes):
    begun = {
        "id": new_environment_id(), "name": name, "phase": Phase.NEW, "observed_generation": 0, "created_at": NOW,
        "change": Change("CREATE", ChangeState.PENDING, NOW),
    }  # fmt: skip
    return environment(**(begun | changes))


@pytest.fixture
def store(engine):
    return Environments(engine, SEALING)


def created(store, name, **changes):
    made = new(name, **changes)
    store.create(made)
    return made


# -- creating and reading --------------------------------------------------------------------------------------


def test_what_was_created_is_read_back_whole(store):
    spec = dataclasses.replace(
        SPEC,
        airflow_configuration_options={"core.x": "ü'\"\\u0000 %s"},
        logging={"TaskLogs": ModuleLogging(enabled=False, level="DEBUG")},
        requirements_s3_path="requirements.txt",
    )
    made = created(store, "e", spec=spec, tags={"k": "ö", "": ""}, address="127.70.1.2", ports=Ports(api=1, broker=2))
    for found in (store.find("e"), store.get(made.id), *store.all()):
        assert found is not None
        assert dataclasses.replace(found, change=made.change) == made
        assert found.secrets == SECRETS
        assert (found.change.kind, found.change.state) == ("CREATE", ChangeState.PENDING)
        assert found.change.created_at.tzinfo is not None
        assert found.status is Status.CREATING


def test_what_is_not_there_is_none(store):
    assert store.find("e") is None
    assert store.get(new_environment_id()) is None
    assert store.all() == []


def test_a_live_name_is_unique(store):
    created(store, "e")
    with pytest.raises(EnvironmentExists):
        store.create(new("e"))
    assert len(store.all()) == 1


def test_names_that_differ_in_case_are_two(store):
    a, b = created(store, "Sales"), created(store, "sales")
    assert (store.find("Sales").id, store.find("sales").id, store.find("SALES")) == (a.id, b.id, None)


def test_of_many_who_create_one_name_one_does(new_engine):
    together = Barrier(6)

    def create(_number):
        mine = Environments(new_engine(), SEALING)
        together.wait(20)
        try:
            mine.create(new("e"))
        except EnvironmentExists:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(create, range(6))) == [False] * 5 + [True]


def test_a_live_address_is_unique_and_none_is_no_address(store):
    created(store, "a", address="127.70.1.2")
    with pytest.raises(AddressTaken):
        store.create(new("b", address="127.70.1.2"))
    assert store.find("b") is None
    created(store, "c")
    created(store, "d")
    assert store.addresses_in_use() == {"127.70.1.2"}


def test_a_creation_that_fails_leaves_no_change_behind(store, engine):
    created(store, "e")
    with pytest.raises(EnvironmentExists):
        store.create(new("e"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM changes")).scalar_one() == 1


def test_ports_in_use(store):
    created(store, "a", ports=Ports(api=1, broker=2))
    gone = created(store, "b", ports=Ports(api=3, broker=4))
    assert store.ports_in_use() == {1, 2, 3, 4}
    store.forget(gone.id)
    assert store.ports_in_use() == {1, 2}


# -- names -------------------------------------------------------------------------------------------------------


def test_names_are_in_byte_order_and_paged(store):
    names = ["Z", "a", "B", "a_b", "a-b", "aa", "A"]
    for name in names:
        created(store, name)
    ordered = sorted(names)
    assert store.names(None, 100) == ordered == [environment.name for environment in store.all()]
    assert store.names(None, 2) == ordered[:2]
    for number, name in enumerate(ordered):
        assert store.names(name, 100) == ordered[number + 1 :]
    assert store.names("AB", 100) == ordered[1:]  # a name that is gone meanwhile


def test_those_that_are_gone_are_not_named(store):
    gone = created(store, "a")
    created(store, "b")
    store.forget(gone.id)
    assert store.names(None, 100) == ["b"]


# -- tags --------------------------------------------------------------------------------------------------------


def test_tags_are_added_replaced_and_removed(store):
    made = created(store, "e", tags={"a": "1", "b": "1"})
    assert store.tag(made.id, {"b": "2", "c": "3"}, ["a"], 50)
    assert store.find("e").tags == {"b": "2", "c": "3"}


def test_tags_of_one_that_is_gone_are_not_those_of_the_next_one_with_its_name(store):
    gone = created(store, "e", tags={"team": "old"})
    store.forget(gone.id)
    new = created(store, "e", tags={"team": "new"})
    assert store.tags("e") == store.tags_of(new.id) == {"team": "new"}
    assert store.tags_of(gone.id) == {"team": "old"}
    assert store.tags_of(new_environment_id()) == {}


def test_too_many_tags_change_nothing(store):
    made = created(store, "e", tags={"a": "1"})
    assert not store.tag(made.id, {"b": "1", "c": "1"}, [], 2)
    assert store.find("e").tags == {"a": "1"}
    assert store.tag(made.id, {"b": "1"}, [], 2)


def test_tags_of_many_at_once_are_all_kept(store):
    made = created(store, "e")
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda number: store.tag(made.id, {f"k{number}": ""}, [], 50), range(24)))
    assert len(store.find("e").tags) == 24


# -- what is wanted ------------------------------------------------------------------------------------------------


def test_a_deletion_is_a_new_generation_and_a_new_change_once(store):
    made = created(store, "e")
    store.finish_change(made.id, "CREATE")
    assert store.want_absent(made.id)
    found = store.find("e")
    assert (found.target, found.generation, found.status) == (Target.ABSENT, 2, Status.DELETING)
    assert (found.change.kind, found.change.state) == ("DELETE", ChangeState.PENDING)
    assert not store.want_absent(made.id)
    assert store.find("e").generation == 2


def test_of_many_who_delete_one_begins_it(store):
    made = created(store, "e")
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _number: store.want_absent(made.id), range(6))) == [False] * 5 + [True]
    assert store.find("e").generation == 2


def test_who_listens_is_told_to_look(store, engine):
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as ear:
        ear.execute(f"LISTEN {CHANNEL}")
        made = created(store, "e")
        store.want_absent(made.id)
        heard = list(ear.notifies(timeout=5, stop_after=2))
    assert [(notice.channel, notice.payload) for notice in heard] == [(CHANNEL, "")] * 2


# -- what was observed -----------------------------------------------------------------------------------------------


def test_what_was_not_seen_stays(store):
    made = created(store, "e")
    store.observe(made.id, phase=Phase.PROVISIONING, progress="database")
    store.observe(made.id, bundle_version="v1")
    found = store.find("e")
    assert (found.phase, found.progress, found.bundle_version) == (Phase.PROVISIONING, "database", "v1")
    store.observe(made.id, phase=Phase.READY, generation=1, progress="")
    found = store.find("e")
    assert (found.status, found.observed_generation, found.progress) == (Status.AVAILABLE, 1, "")


def test_observing_does_not_touch_what_is_wanted(store):
    made = created(store, "e", tags={"a": "1"})
    store.observe(made.id, phase=Phase.READY, generation=1, progress="x", bundle_version="v")
    found = store.find("e")
    assert (found.spec, found.tags, found.target, found.generation) == (made.spec, made.tags, made.target, 1)


def test_a_change_ends_well_or_with_a_reason_once(store):
    a, b = created(store, "a"), created(store, "b")
    store.finish_change(a.id, "CREATE")
    store.finish_change(b.id, "CREATE", ("INCORRECT_CONFIGURATION", "cannot x: y"))
    assert store.find("a").change.state is ChangeState.SUCCESS
    failed = store.find("b").change
    assert (failed.state, failed.error_code, failed.error_message) == (
        ChangeState.FAILED, "INCORRECT_CONFIGURATION", "cannot x: y",
    )  # fmt: skip
    store.finish_change(b.id, "CREATE")
    assert store.find("b").change.state is ChangeState.FAILED


def test_ending_a_creation_leaves_a_deletion_pending(store):
    made = created(store, "e")
    store.want_absent(made.id)
    store.finish_change(made.id, "CREATE")
    assert (store.find("e").change.kind, store.find("e").change.state) == ("DELETE", ChangeState.PENDING)


def test_checkpoints_are_kept_in_order_and_once(store):
    made = created(store, "e")
    for step, seconds in (("folders", 0.5), ("database", 1.5), ("folders", 9.0)):
        store.checkpoint(made.id, 1, step, seconds)
    store.checkpoint(made.id, 2, "folders", 7.0)
    assert store.checkpoints(made.id, 1) == [("folders", 0.5), ("database", 1.5)]
    assert store.checkpoints(made.id, 2) == [("folders", 7.0)]


# -- forgetting -------------------------------------------------------------------------------------------------------


def test_a_forgotten_name_and_address_are_free_and_its_secrets_wiped(store, engine):
    old = created(store, "e", address="127.70.1.2")
    store.want_absent(old.id)
    store.finish_change(old.id, "DELETE")
    store.forget(old.id)
    assert (store.find("e"), store.get(old.id), store.all()) == (None, None, [])
    again = created(store, "e", address="127.70.1.2")
    assert store.find("e").id == again.id != old.id
    with engine.connect() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == str(old.id))).mappings().one()
    assert (row["secrets"], row["phase"]) == ("", "GONE")
    assert row["gone_at"] is not None


def test_a_name_can_come_and_go_many_times(store):
    for _ in range(5):
        made = created(store, "e")
        store.forget(made.id)
    assert store.names(None, 10) == []


# -- updates ---------------------------------------------------------------------------------------------------------

WANTED = dataclasses.replace(SPEC, max_workers=3)


def settled(store, name):
    made = created(store, name)
    store.finish_change(made.id, "CREATE", phase=Phase.READY, generation=1, settled=Settled(SPEC, 1))
    return made


def test_an_update_is_asked_for_once_beside_what_is_in_force(store):
    made = settled(store, "e")
    assert store.want_spec(made.id, WANTED, instead_of=1, strategy="FORCED")
    assert not store.want_spec(made.id, SPEC, instead_of=1, strategy=None), "somebody was faster"
    found = store.find("e")
    assert (found.spec, found.revision, found.asked, found.generation) == (SPEC, 1, WANTED, 2)
    assert (found.change.kind, found.change.state, found.change.strategy) == ("UPDATE", ChangeState.PENDING, "FORCED")
    assert found.status is Status.UPDATING


def test_an_update_that_works_is_in_force(store):
    made = settled(store, "e")
    store.want_spec(made.id, WANTED, instead_of=1, strategy=None)
    store.cut_over(made.id, workers="2", database="")
    found = store.find("e")
    assert (found.spec, found.revision, found.asked, found.status) == (WANTED, 2, None, Status.UPDATING)
    store.finish_change(made.id, "UPDATE", phase=Phase.READY, generation=2, settled=Settled(WANTED, 2))
    found = store.find("e")
    assert (found.spec, found.revision, found.asked, found.status) == (WANTED, 2, None, Status.AVAILABLE)


def test_an_update_that_does_not_work_brings_back_what_was_in_force(store):
    made = settled(store, "e")
    store.want_spec(made.id, WANTED, instead_of=1, strategy=None)
    store.cut_over(made.id, workers="2", database="")
    store.turn_back(made.id, ("INCORRECT_CONFIGURATION", "cannot x"), workers="2r", at=2)
    found = store.find("e")
    assert (found.spec, found.revision, found.status) == (SPEC, 1, Status.ROLLING_BACK)
    assert found.workers == "2r"
    assert (found.change.state, found.change.error_message) == (ChangeState.PENDING, "cannot x")
    store.finish_change(made.id, "UPDATE", ("INCORRECT_CONFIGURATION", "cannot x"), phase=Phase.READY, refused=2)
    found = store.find("e")
    assert (found.spec, found.revision, found.asked, found.status) == (SPEC, 1, None, Status.UPDATE_FAILED)
    assert store.want_spec(made.id, WANTED, instead_of=2, strategy=None), "and another one may be tried"
    assert store.find("e").asked == WANTED


def test_workers_drain_until_another_update_waits_for_them(store):
    made = settled(store, "e")
    store.want_spec(made.id, WANTED, instead_of=1, strategy="GRACEFUL")
    store.cut_over(made.id, workers="2", database="")
    store.let_drain(made.id, 2, Settled(WANTED, 2))
    found = store.find("e")
    assert (found.status, found.spec, found.workers, found.is_awaited) == (Status.MAINTENANCE, WANTED, "2", False)
    assert found.change.state is ChangeState.PENDING
    assert store.want_spec(made.id, SPEC, instead_of=2, strategy=None)
    found = store.find("e")
    assert (found.status, found.spec, found.asked, found.is_awaited) == (Status.MAINTENANCE, WANTED, None, True)
    assert not found.is_updatable
    store.observe(made.id, phase=Phase.READY)
    found = store.find("e")
    assert (found.status, found.spec, found.asked, found.is_awaited) == (Status.UPDATING, WANTED, SPEC, False)
    store.finish_change(made.id, "UPDATE", ("X", "cannot"), phase=Phase.READY, refused=3)
    assert store.find("e").status is Status.UPDATE_FAILED


def test_a_dry_run_leaves_everything_as_it_is(store):
    made = settled(store, "e")
    assert store.try_spec(made.id, WANTED, instead_of=1, strategy=None) == 1
    found = store.find("e")
    assert (found.status, found.spec, found.asked, found.generation) == (Status.AVAILABLE, SPEC, None, 1)
    assert (found.tried.spec, found.coming.spec, found.coming.revision) == (WANTED, WANTED, -1)
    store.finish_trial(made.id, 1, report={"restarts": ["x"]}, error="")
    found = store.find("e")
    assert (found.tried, found.trial.state, found.trial.report) == (None, TrialState.DONE, {"restarts": ["x"]})
    assert store.try_spec(made.id, WANTED, instead_of=1, strategy="GRACEFUL") == 2
    store.finish_trial(made.id, 1, report=None, error="late")
    assert store.find("e").trial.state is TrialState.PENDING, "it was another one's end"
    store.finish_trial(made.id, 2, report=None, error="cannot x")
    assert (store.find("e").trial.state, store.find("e").trial.error) == (TrialState.FAILED, "cannot x")
    assert found.change.kind == "CREATE"


def test_an_update_goes_first_and_the_dry_run_is_left(store):
    made = settled(store, "e")
    store.try_spec(made.id, WANTED, instead_of=1, strategy=None)
    store.want_spec(made.id, SPEC, instead_of=1, strategy=None)
    found = store.find("e")
    assert (found.asked, found.tried, found.trial.state) == (SPEC, None, TrialState.LEFT)
    assert store.try_spec(made.id, WANTED, instead_of=1, strategy=None) is None, "somebody was faster"


def test_a_late_end_does_not_end_a_later_change(store):
    made = settled(store, "e")
    store.want_spec(made.id, WANTED, instead_of=1, strategy=None)
    store.finish_change(made.id, "UPDATE", phase=Phase.READY, at=1)
    store.turn_back(made.id, ("X", "cannot"), workers="", at=1)
    found = store.find("e")
    assert (found.status, found.change.state, found.asked) == (Status.UPDATING, ChangeState.PENDING, WANTED)


def test_what_is_deleted_while_it_is_updated_asks_for_nothing_more(store):
    made = settled(store, "e")
    store.want_spec(made.id, WANTED, instead_of=1, strategy=None)
    store.want_absent(made.id)
    found = store.find("e")
    assert (found.asked, found.status) == (None, Status.DELETING)
    assert not store.want_spec(made.id, WANTED, instead_of=found.generation, strategy=None)


def test_tags_alone_are_those_of_who_has_the_name_now(store):
    made = created(store, "tagged")
    assert store.tags("tagged") == made.tags
    assert store.tag(made.id, {"team": "data"}, (), 50)
    assert store.tags("tagged")["team"] == "data"
    assert store.tags("nobody") == {}
