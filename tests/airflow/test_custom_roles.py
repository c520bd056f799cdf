"""Custom roles beside the default ones: made by the command line, given by an admin, kept at sign-in.

MWAA's documented way to rights for single DAGs: IAM lets a person in with Public or with nothing, and an admin gives a
role of Airflow's own. Here the roles are made with the commands that `/aws_mwaa/cli` allows (`airflow roles create`,
`add-perms`, `del-perms`, `list`) or named by the DAG's file (`access_control`).
"""

import json
import time
from typing import Any

import httpx
import pytest

from tests.airflow.conftest import Stage, eventually
from tests.airflow.rights import DAG_FILE, give

OPENED, CLOSED, BY_FILE = "custom_opened", "custom_closed", "custom_by_file"
# What a person needs beside the rights for the DAG itself, to see its runs and start them.
AROUND = ("Website", "DAG Runs", "Task Instances", "Task Logs", "XComs", "DAG Code", "DAG Versions", "Assets")


def airflow(stage: Stage, *arguments: str) -> str:
    """Airflow's own command, as the component starts it."""
    done = stage.run("-m", "tradewind_airflow.component", "cli", *arguments)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return str(done.stdout)


def roles(admin: httpx.Client, user: str) -> set[str]:
    """The roles of a person, as the page of users shows them."""
    found = admin.get(f"/auth/fab/v1/users/{user}").raise_for_status().json()
    return {role["name"] for role in found["roles"]}


@pytest.fixture(scope="module")
def admin(stage: Stage) -> httpx.Client:
    """An admin, once the DAGs are there, each with one run that has ended."""
    airflow(stage, "roles", "create", "ByFile", "Opener")
    access: dict[str, Any] = {OPENED: None, CLOSED: None, BY_FILE: {"ByFile": {"can_read"}}}
    stage.deploy({f"{dag}.py": DAG_FILE.format(dag=dag, access=rule) for dag, rule in access.items()})
    admin = stage.client(sub="custom-admin", roles=["Admin"])
    for dag in access:
        eventually(lambda dag=dag: admin.get(f"/api/v2/dags/{dag}").is_success, seconds=90, what=dag)
        run = {"dag_run_id": "first", "logical_date": "2026-01-01T00:00:00Z"}
        assert stage.trigger(admin, dag, **run)["state"] == "success"
    # Airflow commits a DAG some milliseconds before the resources that rights are given on
    known = f"SELECT count(*) = 3 FROM ab_view_menu WHERE name IN ('DAG:{OPENED}', 'DAG:{CLOSED}', 'DAG:{BY_FILE}')"
    eventually(lambda: stage.postgres.query(known, stage.database)[0][0], seconds=90, what="the DAGs' resources")
    return admin


@pytest.fixture(scope="module")
def opener(stage: Stage, admin: httpx.Client) -> str:
    """A role for one DAG, made by commands alone."""
    seen = ("--action", "can_read", "can_edit", "--resource", f"DAG:{OPENED}", *AROUND)
    airflow(stage, "roles", "add-perms", "Opener", *seen)
    airflow(stage, "roles", "add-perms", "Opener", "--action", "can_create", "--resource", "DAG Runs", "Assets")
    return "Opener"


@pytest.fixture(params=[[], ["Public"]], ids=["nothing from IAM", "Public from IAM"])
def narrow(stage: Stage, admin: httpx.Client, opener: str, request: pytest.FixtureRequest) -> httpx.Client:
    """Somebody who has the role for one DAG, and signs in after it was given."""
    name = f"custom-narrow{len(request.param)}"
    stage.client(sub=name, roles=request.param)
    give(admin, name, *request.param, opener)
    return stage.client(sub=name, roles=request.param)


def test_who_comes_with_fewer_roles_has_lost_the_others(stage, admin):
    first = stage.client(sub="custom-falling", roles=["Admin", "Op"])
    assert first.get("/auth/fab/v1/roles").status_code == 200
    second = stage.client(sub="custom-falling", roles=["Viewer"])
    assert roles(admin, "custom-falling") == {"Viewer"}
    for session in (first, second):  # the old session too: rights are the person's, not the token's
        assert session.get("/auth/fab/v1/roles").status_code == 403
        assert session.get("/api/v2/variables").status_code == 403
        assert session.get("/api/v2/dags").status_code == 200


def test_who_comes_with_no_role_has_none(stage, admin):
    stage.client(sub="custom-fallen", roles=["Admin", "Op", "User", "Viewer", "Public"])
    assert roles(admin, "custom-fallen") == {"Admin", "Op", "User", "Viewer", "Public"}
    session = stage.client(sub="custom-fallen", roles=[])
    assert roles(admin, "custom-fallen") == set()
    assert session.get("/ui/auth/me").status_code == 200
    assert session.get("/api/v2/dags").status_code == 403


def test_a_custom_role_that_the_command_line_gave_stays(stage, admin, opener):
    stage.client(sub="custom-kept", roles=["Admin"])
    airflow(stage, "users", "add-role", "--username", "custom-kept", "--role", opener)
    for asserted in (["Viewer"], [], ["Op", "Public"]):
        stage.client(sub="custom-kept", roles=asserted)
        assert roles(admin, "custom-kept") == {*asserted, opener}


def test_a_custom_role_that_was_taken_away_does_not_come_back(stage, admin, opener):
    stage.client(sub="custom-taken", roles=["Public"])
    give(admin, "custom-taken", "Public", opener)
    give(admin, "custom-taken", "Public")
    stage.client(sub="custom-taken", roles=["Public"])
    assert roles(admin, "custom-taken") == {"Public"}


def test_a_custom_role_opens_one_dag_and_no_other(stage, narrow):
    assert [dag["dag_id"] for dag in narrow.get("/api/v2/dags").json()["dags"]] == [OPENED]
    assert narrow.get(f"/api/v2/dags/{OPENED}/details").json()["dag_id"] == OPENED
    assert stage.trigger(narrow, OPENED)["state"] == "success"
    log = narrow.get(f"/api/v2/dags/{OPENED}/dagRuns/first/taskInstances/only/logs/1")
    assert f"said by {OPENED}" in log.text
    assert narrow.patch(f"/api/v2/dags/{OPENED}", json={"is_paused": False}).status_code == 200
    for method, path in (
        ("GET", ""), ("GET", "/details"), ("GET", "/dagRuns"), ("POST", "/dagRuns"), ("GET", "/tasks"),
        ("GET", "/dagRuns/first"), ("GET", "/dagRuns/first/taskInstances/only/logs/1"),
        ("GET", "/dagRuns/first/taskInstances/only/xcomEntries/return_value"), ("PATCH", ""), ("DELETE", ""),
    ):  # fmt: skip
        answer = narrow.request(method, f"/api/v2/dags/{CLOSED}{path}", json={})
        assert answer.status_code == 403, f"{method} {path}: {answer.text}"
    assert narrow.delete(f"/api/v2/dags/{OPENED}").status_code == 403
    assert narrow.get(f"/api/v2/dagSources/{CLOSED}").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/api/v2/dags", "dags"),
        ("GET", "/api/v2/dags/~/dagRuns", "dag_runs"),
        ("POST", "/api/v2/dags/~/dagRuns/list", "dag_runs"),
        ("GET", "/api/v2/dags/~/dagRuns/~/taskInstances", "task_instances"),
        ("POST", "/api/v2/dags/~/dagRuns/~/taskInstances/list", "task_instances"),
        ("GET", "/api/v2/dags/~/dagRuns/~/taskInstances/~/xcomEntries", "xcom_entries"),
        ("GET", "/api/v2/dags/~/dagVersions", "dag_versions"),
        ("GET", f"/api/v2/dagStats?dag_ids={OPENED}&dag_ids={CLOSED}", "dags"),
        ("GET", "/api/v2/dagTags", "tags"),
    ],
)
def test_a_list_over_all_dags_holds_the_opened_one_only(narrow, method, path, key):
    answer = narrow.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == 200, answer.text
    entries = answer.json()[key]
    assert {entry["dag_id"] if isinstance(entry, dict) else entry for entry in entries} == {OPENED}


def test_what_names_all_dags_changes_nothing_of_a_closed_one(admin, narrow):
    closed = f"/api/v2/dags/{CLOSED}/dagRuns/first"
    named = {"dag_id": CLOSED, "dag_run_id": "first"}
    for path, entity in (
        ("/api/v2/dags/~/dagRuns", {**named, "note": "no"}),
        ("/api/v2/dags/~/dagRuns/~/taskInstances", {**named, "task_id": "only", "note": "no"}),
        (f"/api/v2/dags/{OPENED}/dagRuns", {**named, "note": "no"}),
        (f"/api/v2/dags/{OPENED}/dagRuns/first/taskInstances", {**named, "task_id": "only", "note": "no"}),
    ):
        answer = narrow.patch(path, json={"actions": [{"action": "update", "entities": [entity]}]})
        assert answer.status_code == 403 or answer.json()["update"]["success"] == [], f"{path}: {answer.text}"
    body = {"dag_runs": [named], "dry_run": False}
    assert narrow.post("/api/v2/dags/~/clearDagRuns", json=body).status_code == 403
    assert narrow.patch("/api/v2/dags", params={"dag_id_pattern": "~"}, json={"is_paused": True}).status_code == 403
    [asset] = admin.get("/api/v2/assets", params={"name_pattern": CLOSED}).json()["assets"]
    assert narrow.post(f"/api/v2/assets/{asset['id']}/materialize").status_code == 403
    assert admin.get(closed).json()["note"] is None
    assert admin.get(closed).json()["state"] == "success"
    assert admin.get(f"{closed}/taskInstances/only").json()["note"] is None
    assert not admin.get(f"/api/v2/dags/{CLOSED}").json()["is_paused"]
    assert admin.get(f"/api/v2/dags/{CLOSED}/dagRuns").json()["total_entries"] == 1


def test_a_dags_file_can_name_the_role_that_sees_it(stage, admin):
    stage.client(sub="custom-reader", roles=["Public"])
    give(admin, "custom-reader", "Public", "ByFile")
    reader = stage.client(sub="custom-reader", roles=["Public"])
    assert [dag["dag_id"] for dag in reader.get("/api/v2/dags").json()["dags"]] == [BY_FILE]
    assert reader.patch(f"/api/v2/dags/{BY_FILE}", json={"is_paused": True}).status_code == 403


def test_commands_make_and_change_roles(stage, admin, opener):
    assert "Added 2 role(s)" in airflow(stage, "roles", "create", "Made", "MadeToo")
    airflow(stage, "roles", "add-perms", "Made", "--action", "can_read", "can_edit", "--resource", "Pools", "Variables")
    stage.client(sub="custom-made", roles=[])
    give(admin, "custom-made", "Made")
    assert stage.client(sub="custom-made", roles=[]).get("/api/v2/variables").status_code == 200
    airflow(stage, "roles", "del-perms", "Made", "--action", "can_read", "--resource", "Variables")
    listed = json.loads(airflow(stage, "roles", "list", "--permission", "--output", "json"))
    assert {row["resource"]: row["action"] for row in listed if row["name"] == "Made"} == {
        "Pools": "can_edit,can_read",
        "Variables": "can_edit",
    }
    assert {row["name"] for row in listed} >= {"Admin", "Op", "User", "Viewer", "Made", "Opener"}
    made = stage.client(sub="custom-made", roles=[])
    assert made.get("/api/v2/pools").status_code == 200
    assert made.get("/api/v2/variables").status_code == 403


def test_a_command_says_what_does_not_exist(stage):
    asked = ("add-perms", "Viewer", "--action", "can_read", "--resource", "DAG:not_there")
    done = stage.run("-m", "tradewind_airflow.component", "cli", "roles", *asked)
    assert done.returncode == 1
    assert "Resource named 'DAG:not_there' does not exist" in done.stdout


def test_an_assertion_cannot_name_a_custom_role(stage, admin, opener):
    """IAM grants MWAA's five only. What names another is refused whole: nobody is made, and nothing is taken."""
    stage.client(sub="custom-asserting", roles=["Viewer"])
    for name in ("custom-asserting", "custom-unborn"):
        for asserted in ([opener], ["Op", opener], ["admin"], ["Admin "], [["Admin"]], {"Admin": True}, None):
            answer = stage.sign_in(stage.assertion(sub=name, roles=asserted))
            assert answer.status_code == 401
            assert answer.json()["detail"] == "cannot sign in: roles must be among Admin, Op, User, Viewer, Public"
    assert roles(admin, "custom-asserting") == {"Viewer"}
    assert admin.get("/auth/fab/v1/users/custom-unborn").status_code == 404


def test_names_that_differ_in_case_only_are_not_one_person(stage, admin):
    """Airflow's database keeps them apart as little as it lets both be there: the first keeps the name."""
    first = stage.client(sub="custom-Alice", roles=["Viewer"])
    answer = stage.sign_in(stage.assertion(sub="custom-alice", roles=["Admin"]))
    assert answer.status_code == 401
    assert "'custom-Alice' is another user" in answer.json()["detail"]
    assert roles(admin, "custom-Alice") == {"Viewer"}
    assert first.get("/api/v2/connections").status_code == 403


@pytest.mark.parametrize(
    ("claims", "status"),
    [({"padding": "x" * 16384}, 422), ({"exp": str}, 401), ({"exp": float}, 401), ({"iat": "now"}, 401)],
    ids=["oversized", "exp is text", "exp is a fraction", "iat is text"],
)
def test_an_assertion_of_another_form_is_refused(stage, claims, status):
    if (kind := claims.get("exp")) is not None:
        claims = {"exp": kind(int(time.time()) + 30)}
    assert stage.sign_in(stage.assertion(**claims)).status_code == status
