"""From a person who was let in to Airflow's own session.

An *assertion* is a JWT that the environment's auth manager trusts: HS256 with a secret that this one
environment's API server and the control plane share, `iss` "tradewind", `aud` the environment's id, `sub`
the Airflow user name (1 to 64 characters), `name` what the UI shows, `roles`, `jti`, `iat`, `exp` at most
60 s later. The API server exchanges it, once, at `/auth/tradewind/session` for Airflow's JWT (12 h):

    POST {"assertion": "..."} -> 201 {"access_token": "..."}

`AirflowSessions` keeps those for the control plane's own calls (InvokeRestApi), by environment and user, until a
little before they expire. A session has the roles that its user was given last, by whichever sign-in: one is used
again only while those are the roles asked for. Of two with different roles that are opened at once for one user nobody
knows which came last at Airflow, and of one that failed not whether it got there: nothing is kept then. The caller
lets it forget when Airflow answers 401: an environment whose keys were made anew must not be locked out for 12 hours.
The environment runs its users' code, so what it answers is data, of a limited size and form, and in a limited time; and
one that hangs has so many threads wait for it and no more.
"""

import json
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt

from tradewind.access.clients import Cookieless
from tradewind.access.identities import LONGEST, AirflowIdentity
from tradewind.domain.errors import CannotProvide
from tradewind.domain.identifiers import EnvironmentId

ISSUER = "tradewind"
PATH = "/auth/tradewind/session"
LIFETIME = timedelta(seconds=60)
SESSION = timedelta(hours=12)
SECRET_BYTES = 32
_MARGIN = timedelta(minutes=5)
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LARGEST_ANSWER = 65536
_MOST_SESSIONS = 4096
_MOST_AT_ONCE = 48  # sessions of one environment that are being opened, of the server's 200 threads
_SECONDS = 10.0

_Key = tuple[EnvironmentId, str]


class SessionRefused(CannotProvide):
    """The environment's API server gave no session."""


@dataclass(frozen=True)
class ApiServer:
    """An environment's API server on this machine, and the secret that it shares with the control plane."""

    environment_id: EnvironmentId
    port: int
    secret: bytes = field(repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


def mint_assertion(
    secret: bytes,
    environment_id: EnvironmentId,
    identity: AirflowIdentity,
    roles: Sequence[str],
    *,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> str:
    """Mint what the environment's auth manager exchanges for a session. ValueError for what it would not take."""
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"an environment's secret has at least {SECRET_BYTES} bytes, not {len(secret)}")
    if not 1 <= len(identity.user_name) <= LONGEST:
        raise ValueError(f"an Airflow user name has 1 to {LONGEST} characters, not {len(identity.user_name)}")
    if not timedelta(seconds=1) <= lifetime <= LIFETIME:
        raise ValueError(f"an assertion lives 1 to 60 seconds, not {lifetime.total_seconds():g}")
    issued = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": str(environment_id),
        "sub": identity.user_name,
        "name": identity.first_name,
        "roles": list(roles),
        "jti": secrets.token_urlsafe(16),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
    }
    return jwt.encode(claims, secret, "HS256")


@dataclass(frozen=True)
class _Kept:
    """A session, while no other has given its user roles since."""

    roles: frozenset[str]
    token: str = field(repr=False)
    expires: datetime


@dataclass
class _Opening:
    """A session that is being opened. `is_last`: its user's roles in Airflow are these when it is done."""

    roles: frozenset[str]
    is_last: bool = True


class AirflowSessions:
    """Airflow's sessions of the control plane's callers. Safe for many threads."""

    def __init__(self, client: Cookieless, now: Callable[[], datetime]) -> None:
        """Use the client, with its time-outs, for loopback only. `now` gives aware times."""
        self._client = client
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[_Key, _Kept] = {}
        self._under_way: dict[_Key, list[_Opening]] = {}

    def token(self, server: ApiServer, identity: AirflowIdentity, roles: Sequence[str]) -> str:
        """Airflow's JWT for this user with exactly these roles: a kept one, or a new one. Raises SessionRefused."""
        key, wanted = (server.environment_id, identity.user_name), frozenset(roles)
        with self._lock:
            kept = self._sessions.get(key)
        if kept is not None and kept.roles == wanted and self._now() < kept.expires:
            return kept.token
        return self._open(server, identity, roles, is_kept=True)

    def open(self, server: ApiServer, identity: AirflowIdentity, roles: Sequence[str]) -> str:
        """Open a session that is not kept here: for somebody who signs in. Raises SessionRefused."""
        return self._open(server, identity, roles, is_kept=False)

    def _open(self, server: ApiServer, identity: AirflowIdentity, roles: Sequence[str], *, is_kept: bool) -> str:
        key = (server.environment_id, identity.user_name)
        opening = self._begin(key, frozenset(roles))
        kept: _Kept | None = None
        try:
            token = self._ask(server, identity, roles)
            kept = _Kept(opening.roles, token, self._good_until(token)) if is_kept else None
        finally:
            self._end(key, opening, kept)
        return token

    def _begin(self, key: _Key, roles: frozenset[str]) -> _Opening:
        opening = _Opening(roles)
        with self._lock:
            if sum(len(openings) for (id_, _), openings in self._under_way.items() if id_ == key[0]) >= _MOST_AT_ONCE:
                raise SessionRefused(f"cannot open a session in environment {key[0]}: too many are being opened")
            others = self._under_way.setdefault(key, [])
            for other in others:
                if other.roles != roles:
                    other.is_last = opening.is_last = False
            others.append(opening)
        return opening

    def _end(self, key: _Key, opening: _Opening, kept: _Kept | None) -> None:
        with self._lock:
            others = self._under_way[key]
            others[:] = [other for other in others if other is not opening]
            if not others:
                del self._under_way[key]
            self._sessions.pop(key, None)
            if kept is not None and opening.is_last:
                self._make_room()
                self._sessions[key] = kept

    def _ask(self, server: ApiServer, identity: AirflowIdentity, roles: Sequence[str]) -> str:
        assertion = mint_assertion(server.secret, server.environment_id, identity, roles, now=self._now())
        sentence = f"cannot open a session in environment {server.environment_id}: its API server"
        try:
            status, body = self._post(server.url + PATH, {"assertion": assertion})
        except httpx.HTTPError as error:
            raise SessionRefused(f"{sentence} does not answer ({error!r})") from error
        if status not in {httpx.codes.OK, httpx.codes.CREATED}:
            raise SessionRefused(f"{sentence} answers {status}", evidence=(_shown(body),))
        try:
            token = json.loads(body)["access_token"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SessionRefused(f"{sentence}'s answer holds no token") from error
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise SessionRefused(f"{sentence}'s answer holds no token")
        return token

    def forget(self, token: str) -> None:
        """Forget a session that Airflow answered 401 to."""
        with self._lock:
            self._sessions = {key: kept for key, kept in self._sessions.items() if kept.token != token}

    def _post(self, url: str, document: dict[str, str]) -> tuple[int, bytes]:
        with self._client.stream("POST", url, json=document, follow_redirects=False) as answer:
            body, until = b"", self._now() + timedelta(seconds=_SECONDS)
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > _LARGEST_ANSWER:
                    return answer.status_code, b""
                if self._now() > until:  # the client's own limit is one of silence
                    raise httpx.ReadTimeout("the answer came too slowly")
            return answer.status_code, body

    def _good_until(self, token: str) -> datetime:
        """A little before the token says that it expires, and never later than Airflow's 12 hours allow."""
        now = self._now()
        latest = now + SESSION - _MARGIN
        try:
            # Read, not trusted: only how long it is kept depends on it.
            claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
            stated = datetime.fromtimestamp(float(claims["exp"]), now.tzinfo)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError, OSError, RecursionError):
            return latest
        return min(latest, stated - min(_MARGIN, abs(stated - now) / 10))

    def _make_room(self) -> None:
        if len(self._sessions) < _MOST_SESSIONS:
            return
        now = self._now()
        self._sessions = {key: kept for key, kept in self._sessions.items() if kept.expires > now}
        while len(self._sessions) >= _MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))


def _shown(body: bytes) -> str:
    return body[:500].decode(errors="replace")
