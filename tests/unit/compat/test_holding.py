"""While it is held: orders are refused, and everything else goes on."""

import asyncio

import pytest

from tradewind_airflow.compat import holding


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The hold, there."""
    path = tmp_path / "hold"
    path.touch()
    monkeypatch.setenv(holding.VARIABLE, str(path))
    return path


class Airflow:
    routes = ("one",)

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, _receive, send):
        self.asked.append((scope.get("method"), scope.get("path")))
        await send({"type": "http.response.start", "status": 200})


def statuses(app, *requests):
    sent = []

    async def send(message):
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    for method, path in requests:
        asyncio.run(app({"type": "http", "method": method, "path": path}, None, send))
    return sent


def test_orders_are_refused_while_it_is_there(file):
    app = holding.Held(Airflow())
    orders = [("POST", "/api/v2/dags/x/dagRuns"), ("PATCH", "/api/v2/dags/x"), ("DELETE", "/api/v2/connections/x")]
    assert statuses(app, *orders) == [503, 503, 503]
    assert statuses(app, ("GET", "/api/v2/dags"), ("POST", "/auth/tradewind/session"), ("HEAD", "/")) == [200] * 3
    assert statuses(app, ("PATCH", "/execution/task-instances/x/run")) == [200]
    file.unlink()
    assert statuses(app, *orders) == [200, 200, 200]
    assert app.routes == ("one",)


def test_what_is_no_request_passes(file):
    airflow = Airflow()
    asyncio.run(holding.Held(airflow)({"type": "lifespan"}, None, _nothing))
    assert airflow.asked == [(None, None)]


async def _nothing(_message):
    return


def test_who_has_no_hold_is_left_as_it_is(monkeypatch):
    monkeypatch.delenv(holding.VARIABLE, raising=False)
    assert not holding.install("scheduler")
    assert not holding.install("api-server")
