"""Assertions, and the sessions that the control plane keeps: the API server is a transport in memory."""

import importlib.util
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from tradewind.access import sessions
from tradewind.access.clients import Cookieless
from tradewind.access.identities import AirflowIdentity
from tradewind.access.sessions import AirflowSessions, ApiServer, SessionRefused, mint_assertion
from tradewind.domain.identifiers import EnvironmentId

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = b"s" * 43
HERE = EnvironmentId("abcdefghijkm")
ELSEWHERE = EnvironmentId("bbcdefghijkm")
ALICE = AirflowIdentity("user/alice", "user/alice")
BOB = AirflowIdentity("user/bob", "user/bob")


class AirflowInMemory:
    """Answers as an environment's API server: a new token for each assertion."""

    def __init__(self, hours=12.0, answer=None, status=201):
        self.now = NOW
        self.assertions = []
        self.urls = []
        self._hours = hours
        self._answer = answer
        self._status = status
        client = Cookieless(transport=httpx.MockTransport(self._handle))
        self.sessions = AirflowSessions(client, lambda: self.now)

    def _handle(self, request):
        self.urls.append((request.method, str(request.url)))
        self.assertions.append(json.loads(request.content)["assertion"])
        if self._answer is not None:
            if isinstance(self._answer, Exception):
                raise self._answer
            return httpx.Response(self._status, content=self._answer)
        claims = {"sub": str(len(self.assertions)), "exp": int((self.now + timedelta(hours=self._hours)).timestamp())}
        return httpx.Response(self._status, json={"access_token": jwt.encode(claims, "k" * 32, "HS256")})


SERVER = ApiServer(HERE, 18080, SECRET)


def test_an_assertion_says_who_comes_in_where_and_for_how_long():
    token = mint_assertion(SECRET, HERE, AirflowIdentity("user/alice", "Alice"), ["Admin", "Op"], now=NOW)
    untimed = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience=str(HERE), issuer="tradewind", options=untimed)
    assert claims.pop("jti")
    assert claims == {
        "iss": "tradewind",
        "aud": "abcdefghijkm",
        "sub": "user/alice",
        "name": "Alice",
        "roles": ["Admin", "Op"],
        "iat": 1772366400,
        "exp": 1772366460,
    }


def test_assertions_are_never_alike():
    assert len({mint_assertion(SECRET, HERE, ALICE, ["Admin"], now=NOW) for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret": b"s" * 31}, "32 bytes, not 31"),
        ({"identity": AirflowIdentity("", "a")}, "1 to 64 characters, not 0"),
        ({"identity": AirflowIdentity("a" * 65, "a")}, "1 to 64 characters, not 65"),
        ({"lifetime": timedelta(seconds=61)}, "1 to 60 seconds, not 61"),
        ({"lifetime": timedelta(0)}, "1 to 60 seconds, not 0"),
    ],
)
def test_what_the_environment_would_refuse_is_not_minted(changes, words):
    arguments = {"secret": SECRET, "environment_id": HERE, "identity": ALICE, "roles": ["Admin"], "now": NOW} | changes
    with pytest.raises(ValueError, match=words):
        mint_assertion(**arguments)


def test_the_environments_side_takes_what_is_minted(monkeypatch):
    """Both sides of the wire, as they are in this checkout (the other one reads the real clock)."""
    root = next(parent for parent in Path(__file__).parents if (parent / "pyproject.toml").exists())
    source = root / "airflow/src/tradewind_airflow/assertions.py"
    spec = importlib.util.spec_from_file_location("assertions_of_the_environment", source)
    other_side = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, other_side)
    spec.loader.exec_module(other_side)

    token = mint_assertion(SECRET, HERE, ALICE, ["Admin", "Public"], now=datetime.now(UTC))
    verified = other_side.verify(token, secret=SECRET.decode(), environment_id=str(HERE))
    assert (verified.user, verified.name, verified.roles) == ("user/alice", "user/alice", ("Admin", "Public"))
    with pytest.raises(other_side.AssertionRefused):
        other_side.verify(token, secret=SECRET.decode(), environment_id=str(ELSEWHERE))


def test_a_session_is_opened_once_and_kept():
    airflow = AirflowInMemory()
    token = airflow.sessions.token(SERVER, ALICE, ["Op", "Admin"])
    airflow.now += timedelta(hours=11, minutes=50)
    assert airflow.sessions.token(SERVER, ALICE, ["Admin", "Op"]) == token
    assert airflow.urls == [("POST", "http://127.0.0.1:18080/auth/tradewind/session")]


def test_a_session_is_opened_anew_shortly_before_it_expires():
    airflow = AirflowInMemory()
    token = airflow.sessions.token(SERVER, ALICE, ["Admin"])
    airflow.now += timedelta(hours=11, minutes=56)
    assert airflow.sessions.token(SERVER, ALICE, ["Admin"]) != token


def test_airflow_may_say_that_sessions_are_shorter_but_not_that_they_are_longer():
    short, long = AirflowInMemory(hours=0.5), AirflowInMemory(hours=9000)
    for airflow in (short, long):
        airflow.sessions.token(SERVER, ALICE, ["Admin"])
    short.now += timedelta(minutes=28)
    long.now += timedelta(hours=12)
    for airflow in (short, long):
        airflow.sessions.token(SERVER, ALICE, ["Admin"])
        assert len(airflow.assertions) == 2


def test_users_roles_and_environments_do_not_share_sessions():
    airflow = AirflowInMemory()
    elsewhere = ApiServer(ELSEWHERE, 18081, SECRET)
    tokens = {
        airflow.sessions.token(SERVER, ALICE, ["Admin"]),
        airflow.sessions.token(SERVER, ALICE, ["Viewer"]),
        airflow.sessions.token(SERVER, ALICE, []),
        airflow.sessions.token(SERVER, BOB, ["Admin"]),
        airflow.sessions.token(elsewhere, ALICE, ["Admin"]),
    }
    assert len(tokens) == 5


def test_a_session_that_airflow_does_not_know_is_forgotten_alone():
    airflow = AirflowInMemory()
    alices, bobs = (airflow.sessions.token(SERVER, user, ["Admin"]) for user in (ALICE, BOB))
    airflow.sessions.forget(alices)
    assert airflow.sessions.token(SERVER, ALICE, ["Admin"]) != alices
    assert airflow.sessions.token(SERVER, BOB, ["Admin"]) == bobs


def test_a_session_for_somebody_who_signs_in_is_nobody_elses():
    airflow = AirflowInMemory()
    opened = airflow.sessions.open(SERVER, ALICE, ["Admin"])
    assert airflow.sessions.token(SERVER, ALICE, ["Admin"]) != opened


def test_the_memory_of_sessions_is_bounded(monkeypatch):
    monkeypatch.setattr(sessions, "_MOST_SESSIONS", 3)
    airflow = AirflowInMemory()
    for number in range(10):
        airflow.sessions.token(SERVER, AirflowIdentity(f"user/{number}", "x"), ["Admin"])
    assert len(airflow.sessions._sessions) == 3
    airflow.sessions.token(SERVER, AirflowIdentity("user/9", "x"), ["Admin"])
    assert len(airflow.assertions) == 10


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (b'{"detail":"cannot sign in"}', 401, "its API server answers 401"),
        (b"", 302, "its API server answers 302"),
        (b"not json", 201, "answer holds no token"),
        (b"[]", 201, "answer holds no token"),
        (b'{"access_token":null}', 201, "answer holds no token"),
        (b'{"access_token":"a.b.c\\r\\nX-Evil: 1"}', 201, "answer holds no token"),
        (b'{"access_token":"' + b"a" * 70_000 + b'.b.c"}', 201, "answer holds no token"),
        (b"[" * 60_000, 201, "answer holds no token"),
        (httpx.ConnectError("refused"), 0, "does not answer"),
        (httpx.ReadTimeout("slow"), 0, "does not answer"),
    ],
)
def test_an_environment_that_gives_no_session_is_named(answer, status, words):
    with pytest.raises(
        SessionRefused, match=f"environment abcdefghijkm: its API server.*{words.removeprefix('its API server')}"
    ):
        AirflowInMemory(answer=answer, status=status).sessions.token(SERVER, ALICE, ["Admin"])


def test_a_token_that_is_no_jwt_inside_is_kept_for_less_than_12_hours():
    airflow = AirflowInMemory(answer=b'{"access_token":"a.b.c"}')
    assert airflow.sessions.token(SERVER, ALICE, ["Admin"]) == "a.b.c"
    airflow.now += timedelta(hours=11, minutes=54)
    airflow.sessions.token(SERVER, ALICE, ["Admin"])
    assert len(airflow.assertions) == 1


def test_the_secret_is_not_shown():
    assert "sss" not in repr(SERVER)


def test_a_session_is_not_used_once_another_sign_in_gave_its_user_other_roles():
    airflow = AirflowInMemory()
    viewers = airflow.sessions.token(SERVER, ALICE, ["Viewer"])
    airflow.sessions.open(SERVER, ALICE, ["Admin"])  # a browser's
    again = airflow.sessions.token(SERVER, ALICE, ["Viewer"])
    assert again != viewers
    assert len(airflow.assertions) == 3
    assert airflow.sessions.token(SERVER, ALICE, ["Viewer"]) == again


def test_no_session_is_asked_for_with_another_answers_cookie():
    seen = []

    def airflow(request):
        seen.append(request.headers.get("cookie"))
        return httpx.Response(201, json={"access_token": "a.b.c"}, headers={"set-cookie": "_token=x; Path=/"})

    kept = AirflowSessions(Cookieless(transport=httpx.MockTransport(airflow)), lambda: NOW)
    for server in (SERVER, ApiServer(ELSEWHERE, 28080, SECRET)):
        kept.open(server, ALICE, ["Viewer"])
    assert seen == [None, None]


class AirflowThatWaits:
    """Two sessions at once: while the first is being opened, somebody asks for another."""

    def __init__(self, meanwhile):
        self.asked = 0
        self._meanwhile = meanwhile
        self.kept = AirflowSessions(Cookieless(transport=httpx.MockTransport(self._handle)), lambda: NOW)

    def _handle(self, _request):
        self.asked += 1
        mine = self.asked
        if mine == 1:
            self._meanwhile(self.kept)
        return httpx.Response(201, json={"access_token": f"a.b.{mine}"})


def test_of_two_sessions_at_once_with_other_roles_none_is_used_again():
    """Airflow may have heard them in either order: Viewer's token may be good for what an Admin may."""
    airflow = AirflowThatWaits(lambda kept: kept.token(SERVER, ALICE, ["Admin"]))
    assert airflow.kept.token(SERVER, ALICE, ["Viewer"]) == "a.b.1"
    assert airflow.kept.token(SERVER, ALICE, ["Viewer"]) == "a.b.3"
    assert airflow.kept.token(SERVER, ALICE, ["Viewer"]) == "a.b.3"


def test_of_two_sessions_at_once_with_the_same_roles_one_is_kept():
    airflow = AirflowThatWaits(lambda kept: kept.token(SERVER, ALICE, ["Viewer"]))
    airflow.kept.token(SERVER, ALICE, ["Viewer"])
    assert airflow.kept.token(SERVER, ALICE, ["Viewer"]) == "a.b.1"
    assert airflow.asked == 2


def test_a_sign_in_that_failed_may_have_given_other_roles():
    """Airflow was too slow to say so, perhaps."""
    asked = []

    def airflow(_request):
        asked.append(1)
        if len(asked) == 2:
            raise httpx.ReadTimeout("late")
        return httpx.Response(201, json={"access_token": f"a.b.{len(asked)}"})

    kept = AirflowSessions(Cookieless(transport=httpx.MockTransport(airflow)), lambda: NOW)
    assert kept.token(SERVER, ALICE, ["Viewer"]) == "a.b.1"
    with pytest.raises(SessionRefused):
        kept.open(SERVER, ALICE, ["Admin"])
    assert kept.token(SERVER, ALICE, ["Viewer"]) == "a.b.3"


def test_an_environment_that_hangs_has_a_few_wait_for_it(monkeypatch):
    """Its own users can have its API server do what they like; the others need the threads."""
    monkeypatch.setattr(sessions, "_MOST_AT_ONCE", 1)
    seen = []

    def meanwhile(kept):
        with pytest.raises(SessionRefused, match="too many"):
            kept.open(SERVER, BOB, ["Viewer"])
        seen.append(kept.open(ApiServer(ELSEWHERE, 28080, SECRET), BOB, ["Viewer"]))

    airflow = AirflowThatWaits(meanwhile)
    assert airflow.kept.open(SERVER, ALICE, ["Viewer"]) == "a.b.1"
    assert seen == ["a.b.2"]
    assert airflow.kept.open(SERVER, BOB, ["Viewer"]) == "a.b.3"


def test_an_answer_that_drips_ends():
    now = [NOW]

    class Dripping(httpx.SyncByteStream):
        def __iter__(self):
            for _ in range(1000):
                now[0] += timedelta(seconds=4)
                yield b" "

    def airflow(_request):
        return httpx.Response(201, stream=Dripping())

    kept = AirflowSessions(Cookieless(transport=httpx.MockTransport(airflow)), lambda: now[0])
    with pytest.raises(SessionRefused, match="too slowly"):
        kept.open(SERVER, ALICE, ["Viewer"])
    assert now[0] - NOW < timedelta(seconds=30)
