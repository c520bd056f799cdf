"""Requests that no library sends. Each is a row: what is sent, byte for byte, where to, and what must not come of it.

`<A>`, `<B>` and `<API>` stand for the authorities of two environments and of the API, as `World` has them. Who answered
is told by marks that each of the door's four voices has. `test_door_hostile.py` sends them.
"""

import contextlib
import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 60.0
EVIL = "evil.example.org"
A, B, API = "A", "B", "API"  # where a request is sent: two environments' listeners, and the API's


# Who refuses these first, the proxy or what is behind it, is a race.
RACES = {
    "a chunk longer than said", "a chunk's size that overflows", "8 MB announced to the gateway",
    "200 MB announced to Airflow",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """An address at the door, and the authority that its clients name."""

    address: str
    port: int
    authority: str


@dataclass(frozen=True)
class World:
    """The service, the places, and what a visitor of environment A holds."""

    service: Any
    places: dict[str, Place]
    names: dict[str, str]
    ids: dict[str, str]
    session: str  # of A, as the cookie `_token` has it
    trust: ssl.SSLContext

    def talk(self, place: str, raw: bytes) -> bytes:
        """Write bytes over TLS; all that comes back until the door closes or is silent."""
        where = self.places[place]
        said = b""
        with (
            socket.create_connection((where.address, where.port), timeout=SECONDS) as plain,
            self.trust.wrap_socket(plain, server_hostname=where.address) as stream,
        ):
            # the answer may come before the end of what is refused
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                stream.sendall(raw)
            try:
                while piece := stream.recv(65536):
                    said += piece
                    stream.settimeout(8)  # a connection that is kept alive
                    if b"101 Switching" in said:
                        break
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass
        return said

    def fill(self, text: str) -> bytes:
        """Put the places' authorities and tokens into a case's text."""
        for name, place in self.places.items():
            text = text.replace(f"<{name}>", place.authority)
            text = text.replace(f"<{name} with a dot>", f"{place.address}.:{place.port}")
            text = text.replace(f"<id of {name}>", self.ids.get(name, ""))
        return text.replace("<session of A>", self.session).encode("latin-1")


@dataclass(frozen=True)
class Said:
    """One answer, as raw bytes say it."""

    raw: bytes

    @property
    def statuses(self) -> list[int]:
        return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", self.raw)]

    @property
    def headers(self) -> http.client.HTTPMessage:
        head = self.raw.partition(b"\r\n\r\n")[0].partition(b"\r\n")[2]
        return http.client.parse_headers(io.BytesIO(head + b"\r\n\r\n"))

    @property
    def party(self) -> str:
        """Who answered: each of the door's four voices has marks of its own."""
        if self.headers["x-amzn-requestid"]:
            return "the API"
        policy = self.headers["content-security-policy"] or ""
        if not policy or ("style-src" in policy and "script-src" not in policy):
            return "the proxy"
        return "the gateway" if policy.startswith("default-src 'none'") else "Airflow"

    def __str__(self) -> str:
        if not self.statuses:
            return "closed without an answer"
        error = self.headers["x-amzn-errortype"]
        return f"{', then '.join(map(str, self.statuses))} by {self.party}" + (f" ({error})" if error else "")


def parties_but(*forbidden: str) -> Callable[[Said], bool]:
    """Nobody of these answered with anything but a refusal of the request's form."""
    return lambda said: said.party not in forbidden


def refused(said: Said) -> bool:
    return all(status >= 400 for status in said.statuses)


def stays_here(said: Said) -> bool:
    return EVIL not in (said.headers["location"] or "") and said.headers["location"] != f"//{EVIL}"


@dataclass(frozen=True)
class Case:
    """One hostile request. `<A>`, `<B>` and `<API>` stand for authorities."""

    kind: str
    name: str
    place: str
    raw: str
    good: Callable[[Said], bool]


def get(path: str, *headers: str, host: str = "<A>", method: str = "GET", body: str = "", version: str = "1.1") -> str:
    lines = [f"{method} {path} HTTP/{version}", f"Host: {host}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if not any(line.lower().startswith("connection:") for line in headers):
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", body])


def paths() -> list[Case]:
    """An environment's host leads to no path of the API, and the API's host to none of an environment's."""
    to_api = [
        "/environments", "/healthz", "/tradewind/snapshots", "/aws_mwaa/../environments",
        "/aws_mwaa/%2e%2e/environments", "/aws_mwaa/..%2fenvironments", "/aws_mwaa/%2e%2e%2fenvironments",
        "/aws_mwaa/..;/environments", "/aws_mwaa/..\\environments", "/aws_mwaa/..%5cenvironments",
        "/aws_mwaa//../../environments", "/aws_mwaa/%252e%252e/environments", "/aws_mwaa/login/../../environments",
        "/aws_mwaa/%00/../../environments", "//environments", "/./environments", "/%2e/environments",
    ]  # fmt: skip
    to_gateway = [
        "/aws_mwaa/login", "/aws_mwaa/cli", "/pluginsv2/aws_mwaa/login", "/aws_mwaa%2flogin", "//aws_mwaa/login",
        "/environments/../aws_mwaa/login", "/environments/%2e%2e/aws_mwaa/login", "/AWS_MWAA/LOGIN",
    ]  # fmt: skip
    odd = [
        "/AWS_MWAA/login", "/aws_mwaa%2flogin", "/%61ws_mwaa/login", "/api/../aws_mwaa/login", "//aws_mwaa//login",
        "/aws_mwaa/login;x=y", "/aws_mwaa/login%00", "/aws_mwaa/./login", "/aws_mwaa/%2e/login", "/aws_mwaa\\login",
    ]  # fmt: skip
    return [
        *(Case("path", f"GET {path} at A", A, get(path), parties_but("the API")) for path in to_api),
        *(
            Case(
                "path", f"POST {path} at the API", API, get(path, host="<API>", method="POST", body="token=x"), refused
            )
            for path in to_gateway
        ),
        *(Case("path", f"POST {path} at A", A, get(path, method="POST", body="token=x"), refused) for path in odd),
    ]


def marks() -> list[Case]:
    """The proxy's marks cannot be sent: the API never takes a request for an environment's."""
    spellings = {
        "as it is": "X-Tradewind-Environment: <id of A>",
        "in small letters": "x-tradewind-environment: <id of A>",
        "with underscores": "X_Tradewind_Environment: <id of A>",
        "a space before the colon": "X-Tradewind-Environment : <id of A>",
        "a tab before the colon": "X-Tradewind-Environment\t: <id of A>",
        "folded": "X-Other: a\r\n X-Tradewind-Environment: <id of A>",
        "after a bare line feed": "X-Other: a\nX-Tradewind-Environment: <id of A>",
        "after a bare carriage return": "X-Other: a\rX-Tradewind-Environment: <id of A>",
        "twice": "X-Tradewind-Environment: <id of A>\r\nX-Tradewind-Environment: <id of A>",
        "with a NUL": "X-Tradewind-Environment\0: <id of A>",
        "as hop-by-hop": "X-Tradewind-Environment: <id of A>\r\nConnection: X-Tradewind-Environment, close",
    }
    return [
        *(
            Case("mark", f"{how}, at the API", API, get("/aws_mwaa/aws-console-sso", header, host="<API>"), refused)
            for how, header in spellings.items()
        ),
        Case("mark", "taken away as hop-by-hop, at A", A,
             get("/aws_mwaa/aws-console-sso", "Connection: X-Tradewind-Environment"), parties_but("the API")),
        Case("mark", "in a trailer, at the API", API,
             "POST /aws_mwaa/login HTTP/1.1\r\nHost: <API>\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
             "Trailer: X-Tradewind-Environment\r\n\r\n0\r\nX-Tradewind-Environment: <id of A>\r\n\r\n", refused),
    ]  # fmt: skip


def smuggling() -> list[Case]:
    """Two readers of one request must agree on where it ends: else what follows is the next visitor's request."""
    inner = "GET /environments HTTP/1.1\r\nHost: <API>\r\nConnection: close\r\n\r\n"
    chunked = "Transfer-Encoding: chunked"
    post = "POST /api/v2/dags HTTP/1.1\r\nHost: <A>\r\n"
    rows = {
        "length, then chunks": f"{post}Content-Length: {len(inner) + 5}\r\n{chunked}\r\n\r\n0\r\n\r\n{inner}",
        "chunks, then length": f"{post}{chunked}\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{inner}",
        "two lengths that differ": f"{post}Content-Length: 0\r\nContent-Length: {len(inner)}\r\n\r\n{inner}",
        "two lengths in one": f"{post}Content-Length: 0, {len(inner)}\r\n\r\n{inner}",
        "a length with a sign": f"{post}Content-Length: +0\r\n\r\n{inner}",
        "a negative length": f"{post}Content-Length: -1\r\n\r\n{inner}",
        "a length in hexadecimal": f"{post}Content-Length: 0x0\r\n\r\n{inner}",
        "an unknown coding": f"{post}Transfer-Encoding: xchunked\r\n\r\n{inner}",
        "chunked twice": f"{post}{chunked}\r\n{chunked}\r\n\r\n0\r\n\r\n{inner}",
        "chunked with a tab": f"{post}Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{inner}",
        "a folded coding": f"{post}Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{inner}",
        "a space before the colon": f"{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}",
        "a chunk longer than said": f"{post}{chunked}\r\nConnection: close\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        "a chunk's size that overflows": f"{post}{chunked}\r\nConnection: close\r\n\r\nfffffffffffffffff\r\n",
        "chunks in HTTP/1.0": f"POST /api/v2/dags HTTP/1.0\r\nHost: <A>\r\n{chunked}\r\n\r\n0\r\n\r\n{inner}",
        "line feeds alone": "GET /api/v2/version HTTP/1.1\nHost: <A>\nConnection: close\n\n",
        "no version": "GET /environments\r\n\r\n",
        "a version that is none": get("/environments").replace("HTTP/1.1", "HTTP/9.9"),
        "a line end in the path": "GET /api\r\nHost: <API>\r\n\r\n HTTP/1.1\r\nHost: <A>\r\n\r\n",
    }

    def no_second_voice(said: Said) -> bool:
        # What is read as a second request must have been answered as one: openly, by the same reader, unsigned.
        return b'"Environments"' not in said.raw and len(said.statuses) <= 2

    return [Case("smuggling", name, A, raw, no_second_voice) for name, raw in rows.items()]


def spoofing() -> list[Case]:
    """Who is asked is decided by Host alone; what it says otherwise gives no access and no redirect elsewhere."""
    cookie = "Cookie: _token=<session of A>"
    dags = "/api/v2/dags"
    return [
        Case("host", "A's host at A, with A's session", A, get(dags, cookie), lambda said: said.statuses == [200]),
        Case("host", "B's host at A, with A's session", A, get(dags, cookie, host="<B>"), refused),
        Case("host", "A's host at B's address, no session", B, get(dags), refused),
        Case("host", "an absolute URI of B, Host A, A's session", A,
             get("https://<B>/api/v2/dags", cookie), refused),
        Case("host", "an absolute URI of another scheme", A, get("ftp://<A>/api/v2/dags"), refused),
        Case("host", "another host, at A", A, get(dags, cookie, host=EVIL), refused),
        Case("host", "a dot at the end", A, get(dags, cookie, host="<A with a dot>"), refused),
        Case("host", "a user before it", A, get(dags, cookie, host=f"<A>@{EVIL}"), refused),
        Case("host", "two", A, get(dags, cookie, "Host: <B>"), refused),
        Case("host", "none", A, f"GET {dags} HTTP/1.1\r\n{cookie}\r\nConnection: close\r\n\r\n", refused),
        Case("host", "empty", A, get(dags, cookie, host=""), refused),
        Case("host", "with a space", A, get(dags, cookie, host="<A> <B>"), refused),
        Case("host", "X-Forwarded-Host of another", A,
             get("/", f"X-Forwarded-Host: {EVIL}", f"Forwarded: host={EVIL}"), stays_here),
        Case("host", "X-Forwarded-Prefix", A, get("/", f"X-Forwarded-Prefix: //{EVIL}"), stays_here),
        Case("host", "X-Original-URL, X-Rewrite-URL", A,
             get(dags, "X-Original-URL: /aws_mwaa/login", "X-Rewrite-URL: /environments"), refused),
        Case("host", "X-HTTP-Method-Override", A, get(dags, "X-HTTP-Method-Override: DELETE"), refused),
    ]  # fmt: skip


def methods() -> list[Case]:
    """No method makes a tunnel or an echo."""
    secret = "X-Secret: as-it-was-sent"

    def no_echo(said: Said) -> bool:
        return refused(said) and b"as-it-was-sent" not in said.raw

    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    h2c = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")

    def no_upgrade(said: Said) -> bool:
        return 101 not in said.statuses

    return [
        Case("method", "TRACE at A", A, get("/", secret, method="TRACE"), no_echo),
        Case("method", "TRACE at the API", API, get("/", secret, method="TRACE", host="<API>"), no_echo),
        Case("method", "TRACE at the gateway", A, get("/aws_mwaa/login", secret, method="TRACE"), no_echo),
        Case("method", "CONNECT to this machine's port 22", API,
             "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nConnection: close\r\n\r\n", refused),
        Case("method", "CONNECT to A", A, "CONNECT <A> HTTP/1.1\r\nHost: <A>\r\nConnection: close\r\n\r\n", refused),
        Case("method", "a method of nobody's", A, get("/api/v2/dags", method="JEFF"), refused),
        Case("method", "a method in small letters", A, get("/api/v2/dags", method="get"), refused),
        Case("method", "a websocket at the gateway", A, get("/aws_mwaa/login", *upgrade), no_upgrade),
        Case("method", "a websocket at the API", API, get("/environments", *upgrade, host="<API>"), no_upgrade),
        Case("method", "a websocket at Airflow", A, get("/api/v2/dags", *upgrade), no_upgrade),
        Case("method", "HTTP/2 in clear text within TLS, at the API", API,
             get("/environments", *h2c, host="<API>"), no_upgrade),
        Case("method", "HTTP/2 in clear text within TLS, at Airflow", A, get("/api/v2/dags", *h2c), no_upgrade),
    ]  # fmt: skip


def redirects() -> list[Case]:
    """Nothing that a link holds makes the door lead a browser elsewhere."""
    tricks = [
        f"/auth/login/?next=https://{EVIL}/", f"/auth/login/?next=//{EVIL}/", f"/auth/login?next=/\\{EVIL}/",
        f"//{EVIL}/%2e%2e", f"/\\{EVIL}/", f"//{EVIL}/api/v2/dags/", f"/%2f{EVIL}/..", f"/auth//{EVIL}/login/..",
        f"/api/v2/auth/login?next=https://{EVIL}/", f"/api/v2/auth/logout?next=https://{EVIL}/",
        f"/auth/logout/?next=https://{EVIL}", f"/?next=https://{EVIL}%0d%0aLocation:%20https://{EVIL}",
    ]  # fmt: skip

    def stays(said: Said) -> bool:
        where = said.headers["location"] or "/"
        return not re.match(rf"(https?:)?[/\\]{{2}}[^/]*{re.escape(EVIL)}", where)

    return [Case("redirect", f"GET {path} at A", A, get(path), stays) for path in tricks]


def limits() -> list[Case]:
    """Sizes beyond the limits are refused."""
    return [
        Case("size", "a header of 80 kB", A, get("/", f"X-Long: {'a' * 80_000}"), refused),
        Case("size", "a path of 80 kB", A, get(f"/{'a' * 80_000}"), refused),
        Case("size", "20,000 headers", A, get("/", *(f"X-{n}: a" for n in range(20_000))), refused),
        Case("size", "a form of 100 kB at the gateway", A,
             get("/aws_mwaa/login", method="POST", body="token=" + "a" * 100_000), refused),
        Case("size", "8 MB announced to the gateway", A,
             f"POST /aws_mwaa/cli HTTP/1.1\r\nHost: <A>\r\nConnection: close\r\nContent-Length: {8 << 20}\r\n\r\n" +
             "a" * (8 << 20), refused),
        Case("size", "200 MB announced to Airflow", A,
             f"POST /api/v2/dags HTTP/1.1\r\nHost: <A>\r\nConnection: close\r\nContent-Length: {200 << 20}\r\n\r\n" +
             "a" * 300_000, refused),
    ]  # fmt: skip


CASES = [*paths(), *marks(), *smuggling(), *spoofing(), *methods(), *redirects(), *limits()]
