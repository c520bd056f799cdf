"""The one way in: assertions of the control plane, and nothing else."""

import time
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from tradewind.recipe import settings

get, post = partial(httpx.get, timeout=30), partial(httpx.post, timeout=30)


def roles_of(stage: Any, user: str) -> set[str]:
    rows = stage.postgres.query(
        "SELECT r.name FROM ab_role r JOIN ab_user_role ur ON ur.role_id = r.id JOIN ab_user u ON u.id = ur.user_id"
        f" WHERE u.username = '{user}'",
        stage.database,
    )
    return {name for (name,) in rows}


def test_an_assertion_opens_a_session_of_twelve_hours(stage):
    answer = stage.sign_in(stage.assertion(sub="assumed-role/first"))
    assert answer.status_code == 201
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 12 * 3600
    assert roles_of(stage, "assumed-role/first") == {"Admin"}


def test_a_session_can_be_asked_to_be_shorter_but_not_longer(stage):
    answer = stage.sign_in(stage.assertion(session_seconds=90))
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 90
    assert stage.sign_in(stage.assertion(session_seconds=12 * 3600 + 1)).status_code == 401


@pytest.mark.parametrize("kind", ["api", "cli"])
@pytest.mark.parametrize("way", ["header", "cookie"])
def test_a_token_that_is_made_within_a_session_ends_with_it(stage, kind, way):
    """The UI's "generate token": otherwise a session prolongs itself for ever, and IAM is never asked again."""
    token = stage.sign_in(stage.assertion(session_seconds=90)).json()["access_token"]
    told = {"headers": {"Authorization": f"Bearer {token}"}} if way == "header" else {"cookies": {"_token": token}}
    with httpx.Client(base_url=stage.url, timeout=30, **told) as session:
        further = session.post("/ui/auth/token", json={"token_type": kind}).raise_for_status().json()["access_token"]
    assert further != token
    ends = [jwt.decode(each, options={"verify_signature": False})["exp"] for each in (token, further)]
    assert ends[1] <= ends[0]
    used = get(f"{stage.url}/api/v2/dags", headers={"Authorization": f"Bearer {further}"})
    assert used.status_code == 200


def test_a_further_token_ends_with_the_session_when_a_second_begins_while_it_is_made(stage):
    """Stock looks at the clock again. Here ours stands one second back when it is read first."""
    code = (
        "import jwt, time\n"
        "from types import SimpleNamespace as Fake\n"
        "from tradewind_airflow import auth\n"
        "behind = iter([1])\n"
        "auth.time = Fake(time=lambda: time.time() - next(behind, 0))\n"
        "ends = int(time.time()) + 90\n"
        "auth._session_ends.set(ends)\n"
        "token = object.__new__(auth.TradewindFabAuthManager).generate_jwt(Fake(id=1))\n"
        "print(next(behind, 'read'), ends - jwt.decode(token, options={'verify_signature': False})['exp'])\n"
    )
    done = stage.run("-c", code, environment=settings.trusted_settings(stage.inputs, settings.Component.API_SERVER))
    assert done.stdout.splitlines()[-1:] == ["read 0"], done.stdout + done.stderr


def test_a_session_is_as_long_as_asked_in_a_browser_that_has_another(stage):
    old = stage.sign_in(stage.assertion(session_seconds=90)).json()["access_token"]
    answer = post(
        f"{stage.url}/auth/tradewind/session",
        json={"assertion": stage.assertion()},
        cookies={"_token": old},
    )
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 12 * 3600


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 120, "iat": int(time.time()) - 180},
        {"exp": int(time.time()) + 24 * 3600},
        {"aud": "anotherenv99"},
        {"iss": "someone"},
        {"sub": ""},
        {"sub": "x" * 65},
        {"roles": ["Root"]},
        {"roles": "Admin"},
        {"secret": "another secret, long enough for HS256"},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_an_assertion_that_proves_nothing_is_refused(stage, claims):
    answer = stage.sign_in(stage.assertion(**claims))
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("cannot sign in: ")


def test_a_tampered_or_unsigned_assertion_is_refused(stage):
    head, body, mark = stage.assertion(roles=["Viewer"]).split(".")
    other = stage.assertion(roles=["Admin"]).split(".")[1]
    assert stage.sign_in(f"{head}.{other}.{mark}").status_code == 401
    unsigned = jwt.encode(jwt.decode(f"{head}.{body}.{mark}", options={"verify_signature": False}), "", "none")
    assert stage.sign_in(unsigned).status_code == 401
    assert stage.sign_in("nonsense").status_code == 401
    assert post(f"{stage.url}/auth/tradewind/session", json={}).status_code == 422


def test_an_assertion_is_good_once(stage):
    assertion = stage.assertion()
    assert stage.sign_in(assertion).status_code == 201
    assert stage.sign_in(assertion).status_code == 401


def test_default_roles_become_those_asserted_and_custom_roles_stay(stage):
    admin = stage.client()
    created = admin.post("/auth/fab/v1/roles", json={"name": "Analysts", "actions": []})
    assert created.status_code in {200, 201}, created.text
    stage.client(sub="changing", roles=["User", "Op"])
    given = admin.patch(
        "/auth/fab/v1/users/changing",
        params={"update_mask": "roles"},
        json={"roles": [{"name": "Analysts"}, {"name": "Op"}]},
    )
    assert given.status_code == 200, given.text
    client = stage.client(sub="changing", roles=["Viewer"])
    assert roles_of(stage, "changing") == {"Viewer", "Analysts"}
    assert client.get("/api/v2/dags").status_code == 200
    assert client.post("/api/v2/pools", json={"name": "p", "slots": 1}).status_code == 403
    stage.client(sub="changing", roles=["Public"])
    assert roles_of(stage, "changing") == {"Public", "Analysts"}
    # the token from before meets the new roles at once
    assert client.get("/api/v2/variables").status_code == 403


def test_a_default_role_that_an_admin_removed_is_left_out_and_named_when_it_was_the_only_one(stage):
    stage.postgres.query("UPDATE ab_role SET name = 'Onlooker' WHERE name = 'Viewer'", stage.database)
    try:
        stage.client(sub="several", roles=["Viewer", "Public"])
        answer = stage.sign_in(stage.assertion(sub="missing", roles=["Viewer"]))
    finally:
        stage.postgres.query("UPDATE ab_role SET name = 'Viewer' WHERE name = 'Onlooker'", stage.database)
    assert roles_of(stage, "several") == {"Public"}
    assert answer.status_code == 401
    assert answer.json()["detail"] == "cannot sign in: this environment's database has no role Viewer"


def test_roles_allow_what_airflow_says_they_allow(stage):
    admin, viewer, public = (
        stage.client(),
        *(stage.client(sub=f"assumed-role/{role}", roles=[role]) for role in ("Viewer", "Public")),
    )
    for path in ("/api/v2/dags", "/api/v2/connections", "/api/v2/variables", "/api/v2/eventLogs", "/api/v2/plugins"):
        assert admin.get(path).status_code == 200, path
    assert viewer.get("/api/v2/dags").status_code == 200
    assert viewer.get("/api/v2/connections").status_code == 403
    assert public.get("/api/v2/dags").status_code == 403
    assert admin.get("/auth/fab/v1/users").status_code == 200


def test_a_custom_role_can_open_one_dag(stage):
    text = "from airflow.sdk import DAG\none, two = (DAG(name, schedule=None) for name in ('granted', 'hidden'))\n"
    stage.deploy({"two.py": text})
    admin = stage.client()
    end = time.monotonic() + 90
    while not {"granted", "hidden"} <= {dag["dag_id"] for dag in admin.get("/api/v2/dags").json()["dags"]}:
        assert time.monotonic() < end
        time.sleep(0.1)
    # Airflow commits a DAG some milliseconds before the resources that rights are given on
    actions = [{"action": {"name": "can_read"}, "resource": {"name": name}} for name in ("DAG:granted", "Website")]
    while (made := admin.post("/auth/fab/v1/roles", json={"name": "OneDag", "actions": actions})).is_error:
        assert "was not found" in made.text, made.text
        assert time.monotonic() < end, made.text
        time.sleep(0.1)
    stage.client(sub="narrow", roles=["Public"])
    admin.patch(
        "/auth/fab/v1/users/narrow",
        params={"update_mask": "roles"},
        json={"roles": [{"name": "Public"}, {"name": "OneDag"}]},
    ).raise_for_status()
    narrow = stage.client(sub="narrow", roles=["Public"])
    assert [dag["dag_id"] for dag in narrow.get("/api/v2/dags").json()["dags"]] == ["granted"]
    assert narrow.get("/api/v2/dags/hidden").status_code == 403


def test_fab_pages_know_the_person_by_the_same_token(stage):
    token = stage.sign_in(stage.assertion()).json()["access_token"]
    with httpx.Client(base_url=stage.url, cookies={"_token": token}, timeout=30) as browser:
        page = browser.get("/auth/users/list/", params={"psize_CustomUserRemoteUserModelView": 100})
        assert page.status_code == 200
        assert "assumed-role/demo" in page.text
    stranger = get(f"{stage.url}/auth/users/list/", follow_redirects=False)
    assert stranger.status_code in {302, 401, 403}
    viewer = stage.sign_in(stage.assertion(sub="assumed-role/Looker", roles=["Viewer"])).json()["access_token"]
    seen = get(f"{stage.url}/auth/users/list/", cookies={"_token": viewer})
    assert "assumed-role/demo" not in seen.text


def test_no_password_is_right(stage):
    stage.client(sub="victim", roles=["Admin"])
    from_cli = stage.run(
        "-m", "tradewind_airflow.component", "cli", "users", "create", "--username", "local", "--firstname", "l",
        "--lastname", "l", "--role", "Admin", "--email", "l@example.com", "--password", "secret",
    )  # fmt: skip
    assert from_cli.returncode == 0, from_cli.stderr
    for user, password in (("victim", ""), ("victim", "None"), ("local", "secret")):
        body = {"username": user, "password": password}
        assert post(f"{stage.url}/auth/token", json=body).status_code == 401
        assert post(f"{stage.url}/auth/token/cli", json=body).status_code == 401
        form = post(f"{stage.url}/auth/login/", data=body, headers={"Remote-User": user})
        assert form.status_code in {400, 405}
        assert "session" not in form.cookies
        assert "_token" not in form.cookies
    api = post(f"{stage.url}/auth/api/v1/security/login", json={**body, "provider": "db"})
    assert api.status_code in {400, 401, 404}
    for path in ("/auth/register/form", "/auth/registeruserdb/form"):
        assert get(f"{stage.url}{path}").status_code == 404
    assert get(f"{stage.url}/api/v2/dags", auth=("local", "secret")).status_code in {401, 403}


def test_a_browser_is_sent_to_the_sign_in_page_and_back(stage):
    there = {"X-Forwarded-Proto": "https", "Host": urlsplit(stage.inputs.base_url).netloc}
    with httpx.Client(base_url=stage.url, headers=there, timeout=30) as browser:
        first = browser.get("/api/v2/auth/login", params={"next": f"{stage.inputs.base_url}/dags/hello"})
        assert first.status_code == 307
        second = browser.get(urlsplit(first.headers["Location"])._replace(scheme="", netloc="").geturl())
        target = urlsplit(second.headers["Location"])
        assert f"{target.scheme}://{target.netloc}" == stage.inputs.base_url
        assert target.path == "/aws_mwaa/aws-console-sso"
        assert parse_qs(target.query) == {"login": ["true"], "next": [f"{stage.inputs.base_url}/dags/hello"]}
        away = browser.get("/auth/login/", params={"next": "https://example.org/"})
        assert away.status_code == 400


def test_logging_out_ends_the_token(stage):
    token = stage.sign_in(stage.assertion()).json()["access_token"]
    with httpx.Client(base_url=stage.url, cookies={"_token": token}, timeout=30) as browser:
        assert browser.get("/api/v2/dags").status_code == 200
        out = browser.get("/api/v2/auth/logout")
        assert out.status_code == 307
        assert urlsplit(out.headers["Location"]).path == "/auth/logout"
    ended = get(f"{stage.url}/api/v2/dags", headers={"Authorization": f"Bearer {token}"})
    assert ended.status_code == 403
    assert "assumed-role/demo" not in get(f"{stage.url}/auth/users/list/", cookies={"_token": token}).text
