"""Each group of Airflow's endpoints and each of FAB's pages, for each role: allowed or refused, as documented.

What is documented is data, in `documented_roles`. Asked are people with each of the five default roles, somebody who
was let in without any role, somebody with a custom role for one DAG, and somebody without a token. A group of a newer
Airflow fails these tests until the data knows it, and so does any operation that is open to people without rights.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.airflow.conftest import Stage, eventually
from tests.airflow.documented_roles import (
    FAB_OPERATIONS,
    GRANTED,
    HIDDEN,
    LATE,
    MENU,
    ONE_DAG,
    OPEN,
    OPERATIONS,
    PAGES,
    ROLES,
    SECURITY_MENU,
    SIGNED_IN,
    UI_OPERATIONS,
    Operation,
)
from tests.airflow.rights import DAG_FILE, give

RIGHTS = {**ROLES, "no role": frozenset[str](), "one DAG": ONE_DAG}


@dataclass
class World:
    """People of all kinds, and what they ask for."""

    stage: Stage
    people: dict[str, httpx.Client] = field(default_factory=dict)
    things: dict[str, dict[str, str]] = field(default_factory=dict)  # by DAG: what stands for {…}

    def ask(self, who: httpx.Client, operation: Operation, dag: str) -> httpx.Response:
        body = operation.body if operation.body is None else json.loads(_filled(json.dumps(operation.body), self, dag))
        return who.request(operation.method, _filled(operation.path, self, dag), json=body)


def _filled(text: str, world: World, dag: str) -> str:
    for name, value in world.things[dag].items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.fixture(scope="module")
def world(stage: Stage) -> World:
    world, admin = World(stage), stage.client(sub="roles/Admin", roles=["Admin"])
    stage.deploy({f"{dag}.py": DAG_FILE.format(dag=dag, access=None) for dag in (GRANTED, HIDDEN)})
    for dag in (GRANTED, HIDDEN):
        eventually(lambda dag=dag: admin.get(f"/api/v2/dags/{dag}").is_success, seconds=90, what=dag)
        run = stage.trigger(admin, dag, logical_date="2026-01-01T00:00:00Z")
        assert run["state"] == "success"
        [asset] = admin.get("/api/v2/assets", params={"name_pattern": dag}).json()["assets"]
        token = admin.get(f"/api/v2/dags/{dag}").json()["file_token"]
        world.things[dag] = {"dag": dag, "run": run["dag_run_id"], "asset": str(asset["id"]), "file": token}
    for path, body in (
        ("/api/v2/pools", {"name": "roles_kept", "slots": 1}),
        ("/api/v2/variables", {"key": "roles_kept", "value": "1"}),
        ("/api/v2/connections", {"connection_id": "roles_kept", "conn_type": "http"}),
    ):
        admin.post(path, json=body).raise_for_status()
    [event, *_] = admin.get("/api/v2/eventLogs", params={"dag_id": GRANTED}).json()["event_logs"]
    for things in world.things.values():
        things["event"] = str(event["event_log_id"])
    make_role(admin, "OnlyOneDag", ONE_DAG)
    stage.client(sub="roles_somebody", roles=["Public"])
    give(admin, "roles_somebody", "Public", "OnlyOneDag")
    world.people = {role: stage.client(sub=f"roles/{role}", roles=[role]) for role in ROLES}
    world.people["no role"] = stage.client(sub="roles/none", roles=[])
    world.people["one DAG"] = stage.client(sub="roles_somebody", roles=["Public"])
    return world


def make_role(admin: httpx.Client, name: str, rights: frozenset[str]) -> None:
    """A custom role. Airflow commits a DAG some milliseconds before the resource that rights are given on."""
    pairs = [right.rpartition(".")[::2] for right in sorted(rights)]
    actions = [{"action": {"name": action}, "resource": {"name": resource}} for resource, action in pairs]

    def made() -> bool:
        answer = admin.post("/auth/fab/v1/roles", json={"name": name, "actions": actions})
        assert answer.is_success or "was not found" in answer.text, answer.text
        return answer.is_success

    eventually(made, seconds=90, what=f"the role {name}")


def verdict(operation: Operation, answer: httpx.Response) -> str:
    """`allowed` or `refused`; in words what is neither."""
    if answer.status_code == 403 and answer.json().get("detail") == "Forbidden":
        return "refused"
    allowed = operation.allowed if isinstance(operation.allowed, tuple) else (operation.allowed,)
    return "allowed" if answer.status_code in allowed else f"{answer.status_code} {answer.text[:300]}"


def documents(world: World) -> Mapping[str, Any]:
    """What there is to ask for: two documents that the server serves, and the UI's, which lies with Airflow."""
    served = {
        name: httpx.get(f"{world.stage.url}{name}", timeout=30) for name in ("/openapi.json", "/auth/openapi.json")
    }
    [ui] = world.stage.inputs.runtime.glob("lib/python*/site-packages/airflow/api_fastapi/**/_private_ui.yaml")
    code = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"
    return {
        **{name: answer.raise_for_status().json() for name, answer in served.items()},
        "ui": json.loads(world.stage.run("-c", code, str(ui)).stdout),
    }


def operations(document: Any) -> list[tuple[str, str, list[str]]]:
    """Method, path and groups of each operation."""
    return [
        (method.upper(), path, operation.get("tags", []))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


@pytest.mark.parametrize(
    ("operation", "dag"),
    [
        pytest.param(operation, dag, id=f"{operation.group}: {operation.method} {operation.path} {dag}")
        for operation in (*OPERATIONS, *UI_OPERATIONS, *FAB_OPERATIONS)
        for dag in ((GRANTED, HIDDEN) if operation.is_of_a_dag else (GRANTED,))
    ],
)
def test_an_operation_is_allowed_or_refused_as_documented(world, operation, dag):
    documented = {who: "allowed" if operation.is_allowed(rights, dag) else "refused" for who, rights in RIGHTS.items()}
    found = {who: verdict(operation, world.ask(client, operation, dag)) for who, client in world.people.items()}
    assert found == documented
    with httpx.Client(base_url=world.stage.url, timeout=30) as nobody:
        assert world.ask(nobody, operation, dag).status_code == 401


def test_the_table_has_a_reading_and_a_writing_operation_of_every_group(world):
    known = {"/openapi.json": OPERATIONS, "ui": UI_OPERATIONS, "/auth/openapi.json": FAB_OPERATIONS}
    for name, document in documents(world).items():
        there = {
            (tag, method == "GET")
            for method, path, tags in operations(document)
            for tag in tags
            if (method, path) not in OPEN | SIGNED_IN
        }
        missing = there - {(operation.group, operation.method == "GET") for operation in known[name]}
        assert not missing, f"groups of {name} (and whether reading) that the table lacks"


def test_no_operation_is_open_to_people_without_rights(world):
    """All of them, not only those in the table."""
    open_to_nobody, open_to_public = set(), set()
    with httpx.Client(base_url=world.stage.url, timeout=30) as nobody:
        for name, document in documents(world).items():
            prefix = "/auth" if name == "/auth/openapi.json" else ""
            for method, path, _ in operations(document):
                filled = prefix + re.sub(r"\{[^}]*\}", "1", path)
                if nobody.request(method, filled, json={}).status_code != 401:
                    open_to_nobody.add((method, path))
                elif world.people["Public"].request(method, filled, json={}).status_code != 403:
                    open_to_public.add((method, path))
    assert open_to_nobody == OPEN
    assert open_to_public == SIGNED_IN | LATE


@pytest.mark.parametrize("who", RIGHTS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_fab_is_shown_or_refused_as_documented(world, page, who):
    token = world.people[who].headers["Authorization"].split()[1]
    answer = httpx.get(f"{world.stage.url}{page}", cookies={"_token": token}, timeout=30)
    shown = PAGES[page] in RIGHTS[who]
    assert answer.status_code == (200 if shown else 302), answer.text[:500]
    if not shown:
        assert answer.headers["Location"].startswith("/auth/login/")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_fab_is_not_shown_to_who_did_not_sign_in(world, page):
    answer = httpx.get(f"{world.stage.url}{page}", timeout=30)
    assert answer.status_code == 302
    assert "/auth/login" in answer.headers["Location"]


@pytest.mark.parametrize("who", RIGHTS)
def test_the_menu_shows_what_is_documented(world, who):
    menus = world.people[who].get("/ui/auth/menus").raise_for_status().json()
    for found, table in (
        (menus["authorized_menu_items"], MENU),
        ([item["text"] for item in menus["extra_menu_items"]], SECURITY_MENU),
    ):
        assert set(found) == {entry for entry, right in table.items() if right in RIGHTS[who]}


@pytest.mark.parametrize(("path", "kind"), [("/", "text/html"), ("/dags", "text/html"), ("/docs", "text/html")])
def test_a_plain_page_holds_nothing_that_a_role_is_needed_for(world, path, kind):
    """The UI is one page for all, that asks /ui and /api for what it shows."""
    answers = [client.get(path) for client in world.people.values()]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize("role", ROLES)
def test_the_database_has_the_documented_roles(world, role):
    actions = world.people["Admin"].get(f"/auth/fab/v1/roles/{role}").raise_for_status().json()["actions"]
    found = {f"{pair['resource']['name']}.{pair['action']['name']}" for pair in actions}
    if role == "Admin":  # "all possible permissions"
        assert found >= ROLES[role]
    else:
        assert found == ROLES[role]
