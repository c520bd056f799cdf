"""The short way to the Execution API answers as the long one does: the same requests, both ways, one process."""

import json

COMPARE = """
import asyncio, json, time, uuid
import httpx, jwt
from airflow.configuration import conf
from airflow.api_fastapi import app as module
from tradewind_airflow.compat import execution_door

assert execution_door.install()
door = module.cached_app()
assert type(door).__name__ == "ExecutionDoor", type(door)
calls = []
short_way = execution_door._short_way
def counted(execution):
    short = short_way(execution)
    async def call(scope, receive, send):
        calls.append(scope["path"])
        await short(scope, receive, send)
    return call
execution_door._short_way = counted

def token(sub, *, lives=86400, left=None, secret=None, **claims):
    now = int(time.time())
    left = lives if left is None else left
    usual = {"sub": str(sub), "aud": conf.get_mandatory_list_value("execution_api", "jwt_audience")[0],
             "iat": now - (lives - left), "nbf": now - (lives - left), "exp": now + left, "scope": "execution"}
    return jwt.encode(usual | claims, secret or conf.get("api_auth", "jwt_secret"), algorithm="HS512")

async def main():
    from airflow.api_fastapi.execution_api.versions import bundle
    newest = bundle.versions[0].value
    one, other = uuid.uuid4(), uuid.uuid4()
    state = {"state": "running", "hostname": "h", "unixname": "u", "pid": 1, "start_date": "2026-01-01T00:00:00Z"}
    run = f"/execution/task-instances/{one}/run"
    good = {"Authorization": "Bearer " + token(one)}
    asked = {
        "no token": ("PATCH", run, {}, state),
        "no such task instance": ("PATCH", run, good, state),
        "another's token": ("PATCH", run, {"Authorization": "Bearer " + token(other)}, state),
        "a forged token": ("PATCH", run, {"Authorization": "Bearer " + token(one, secret="x" * 64)}, state),
        "an expired token": ("PATCH", run, {"Authorization": "Bearer " + token(one, left=-10)}, state),
        "no token at all in it": ("PATCH", run, {"Authorization": "Bearer nonsense"}, state),
        "a body that is wrong": ("PATCH", run, good, {"state": "running"}),
        "no json": ("PATCH", run, good, None),
        "a correlation id": ("PATCH", run, good | {"correlation-id": "c-1"}, state),
        "an old version": ("PATCH", run, good | {"Airflow-API-Version": "2025-04-28"}, state),
        "an unknown version": ("PATCH", run, good | {"Airflow-API-Version": "1999-01-01"}, state),
        "this version": ("PATCH", run, good | {"Airflow-API-Version": newest}, state),
        "this version, and a body that is wrong": ("PATCH", run, good | {"Airflow-API-Version": newest}, {"pid": "x"}),
        "this version, a variable": ("GET", "/execution/variables/nothing",
                                     good | {"Airflow-API-Version": newest, "correlation-id": "c-2"}, None),
        "no version that there can be": ("PATCH", run, good | {"Airflow-API-Version": "tomorrow"}, state),
        "a variable": ("GET", "/execution/variables/nothing", good, None),
        "another method": ("DELETE", run, good, None),
        "no such path": ("GET", "/execution/nothing", good, None),
        "health": ("GET", "/execution/health", {}, None),
        "a token that is nearly over": ("GET", "/execution/variables/nothing",
                                        {"Authorization": "Bearer " + token(one, lives=6000, left=600)}, None),
    }
    both, of_the_transport = {}, {"date", "content-length", "vary", "content-encoding"}
    async with door.router.lifespan_context(door._app):
        for name, (method, path, headers, body) in asked.items():
            answers = []
            for app in (door._app, door):
                before = len(calls)
                transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                    answer = await client.request(method, path, headers=headers, json=body)
                kept = {k: v for k, v in answer.headers.items() if k not in of_the_transport}
                renewed = kept.pop("refreshed-api-token", None) is not None
                answers.append([answer.status_code, answer.text, kept, renewed, len(calls) - before])
            both[name] = answers
    print("RESULT" + json.dumps(both))

asyncio.run(main())
"""


def test_both_ways_answer_alike(stage):
    from tradewind.recipe import settings

    variables = settings.trusted_settings(stage.inputs, settings.Component.API_SERVER)
    done = stage.run("-c", COMPARE, environment=variables)
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert found, done.stdout[-2000:] + done.stderr[-3000:]
    both = json.loads(found[0].removeprefix("RESULT"))
    assert len(both) == 20
    for name, (long, short) in both.items():
        assert short[:4] == long[:4], name
        assert long[4] == 0
    statuses = {name: short[0] for name, (_, short) in both.items()}
    assert statuses["no token"] in {401, 403}
    assert statuses["no such task instance"] == 404
    assert statuses["another's token"] == 403
    assert statuses["a forged token"] in {401, 403}
    assert statuses["an expired token"] in {401, 403}
    assert statuses["a body that is wrong"] == 422
    for name in ("an old version", "this version", "this version, a variable", "no version that there can be"):
        assert both[name][1][2]["airflow-api-version"], name
    assert both["a correlation id"][1][2]["correlation-id"] == "c-1"
    renewed = {name for name, (_, short) in both.items() if short[3]}
    assert renewed == {"a token that is nearly over"}
    long_way = {name for name, (_, short) in both.items() if short[4] == 0}
    assert long_way == {"a token that is nearly over", "an expired token", "no token at all in it"}
