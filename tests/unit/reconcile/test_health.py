"""What Airflow's health page and the workers' events prove, and what they do not."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.reconcile.health import Health, hostnames, judge

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FRESH = (NOW - timedelta(seconds=5)).isoformat()
STALE = (NOW - timedelta(seconds=31)).isoformat()


def page(**changes):
    """The page of Airflow 3.3 when all is well."""
    healthy = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": FRESH},
        "triggerer": {"status": "healthy", "latest_triggerer_heartbeat": FRESH},
        "dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": FRESH},
    }
    return healthy | changes


def test_a_page_on_which_all_is_well_leaves_nothing_open():
    assert judge(page(), NOW, triggerer=True) == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"metadatabase": {"status": "unhealthy"}}, ("metadata database",)),
        ({"metadatabase": None}, ("metadata database",)),
        ({"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": FRESH}}, ("scheduler",)),
        ({"scheduler": {"status": "healthy", "latest_scheduler_heartbeat": STALE}}, ("scheduler",)),
        ({"scheduler": {"status": "healthy", "latest_scheduler_heartbeat": None}}, ("scheduler",)),
        ({"scheduler": {"status": "healthy"}}, ("scheduler",)),
        ({"scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "yesterday"}}, ("scheduler",)),
        ({"scheduler": {"status": "healthy", "latest_scheduler_heartbeat": 17}}, ("scheduler",)),
        ({"scheduler": "healthy"}, ("scheduler",)),
        ({"scheduler": ["healthy"]}, ("scheduler",)),
        ({"dag_processor": None}, ("dag processor",)),
        ({"triggerer": {"status": None, "latest_triggerer_heartbeat": None}}, ("triggerer",)),
        ({"metadatabase": None, "scheduler": None, "triggerer": None, "dag_processor": None},
         ("metadata database", "scheduler", "dag processor", "triggerer")),
    ],
)  # fmt: skip
def test_what_the_page_leaves_open_is_named(changes, missing):
    assert judge(page(**changes), NOW, triggerer=True) == missing


def test_a_triggerer_that_is_turned_off_is_not_missed():
    gone = page(triggerer={"status": None, "latest_triggerer_heartbeat": None})
    assert judge(gone, NOW, triggerer=False) == ()


def test_a_heartbeat_without_a_zone_is_utc():
    beat = {"status": "healthy", "latest_scheduler_heartbeat": "2026-03-01T11:59:40"}
    assert judge(page(scheduler=beat), NOW, triggerer=True) == ()


@pytest.mark.parametrize("document", [None, [], "healthy", 3])
def test_what_is_no_page_proves_no_api_server(document):
    assert judge(document, NOW, triggerer=True) == ("API server",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(page())), JSON))
def test_whatever_an_environment_answers_is_judged(changes):
    """The page is made by a server that runs its users' plugins: it is data, of any form."""
    assert isinstance(judge(page(**changes), NOW, triggerer=True), tuple)


def test_health_is_what_misses_nothing():
    assert Health(())
    assert not Health(("scheduler",))


# -- workers' events, as Celery 5.6 with kombu's redis transport publishes them --------------------------------


def event(kind="worker-heartbeat", hostname="worker-1@abcdefghjkmn"):
    return {
        "hostname": hostname, "utcoffset": 0, "pid": 13097, "clock": 2, "freq": 2.0, "active": 0, "processed": 7,
        "loadavg": [0.1, 0.2, 0.3], "timestamp": 1795337023.83, "type": kind,
    }  # fmt: skip


def envelope(said, *, encoded=True):
    text = json.dumps(said)
    properties = {
        "delivery_mode": 1,
        "delivery_info": {"exchange": "celeryev", "routing_key": "worker.heartbeat"},
        "priority": 0,
        "delivery_tag": "294cdf54-6fb3-4438-a89a-0ce23064c98f",
    }
    return {
        "body": base64.b64encode(text.encode()).decode() if encoded else text,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"hostname": "worker-1@abcdefghjkmn"},
        "properties": properties | ({"body_encoding": "base64"} if encoded else {}),
    }


def message(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {
        "type": "pmessage",
        "pattern": b"/0.celeryev/worker.*",
        "channel": b"/0.celeryev/worker.heartbeat",
        "data": data,
    }


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("kind", ["worker-heartbeat", "worker-online"])
def test_a_worker_that_speaks_is_heard(kind, encoded):
    assert hostnames(message(envelope(event(kind), encoded=encoded))) == {"worker-1@abcdefghjkmn"}


@pytest.mark.parametrize("kind", ["worker-offline", "task-started", None])
def test_a_farewell_is_no_sign_of_life(kind):
    assert hostnames(message(envelope(event(kind)))) == set()


@pytest.mark.parametrize(
    "said",
    [
        {"type": "psubscribe", "pattern": None, "channel": b"/0.celeryev/worker.*", "data": 1},
        None,
        message(b"not json"),
        message(b"[" * 100_000),
        message([]),
        message({}),
        message({"body": 3}),
        message({"body": "%%%", "properties": {"body_encoding": "base64"}}),
        message({"body": "{}", "properties": []}),
        message(envelope([event()])),
        message(envelope(event(hostname=7))),
    ],
)
def test_what_is_no_event_names_nobody(said):
    assert hostnames(said) == set()
