"""The door's headers and limits, with real Caddy: how answers may be used, and what slow and large requests come to."""

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.integration.doors import Setting, environment_route, opened
from tradewind.routes.configuration import Limits
from tradewind.routes.hosts import free_port

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory) -> Iterator[Setting]:
    """A door whose limits are of three seconds."""
    limits = Limits(header=3, idle=3)
    routes = lambda door, airflow: [environment_route(airflow, free_port(door.port + 1))]  # noqa: E731
    with opened(tmp_path_factory.mktemp("r"), routes, limits=limits) as setting:
        yield setting


OURS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
AIRFLOWS = {"Content-Security-Policy": "frame-ancestors 'self'", "X-Frame-Options": "SAMEORIGIN"}


@pytest.mark.parametrize("path", ["/environments", "/nope", "/aws_mwaa/cli"])
def test_our_answers_say_how_they_may_be_used(hasty, path):
    request = hasty.environment_request if path.startswith("/aws_mwaa") else hasty.request
    _, headers, _ = request("GET", path)
    assert {name: headers.get_all(name) for name in OURS} == {name: [value] for name, value in OURS.items()}


def test_airflows_answers_may_be_framed_by_airflow_alone(hasty):
    _, headers, _ = hasty.environment_request("GET", "/home")
    assert {name: headers[name] for name in AIRFLOWS} == AIRFLOWS
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_what_an_upstream_says_itself_stays(hasty):
    for request in (hasty.environment_request, hasty.request):
        _, headers, _ = request("GET", "/policy")
        assert headers.get_all("Content-Security-Policy") == ["default-src 'self'"]
        assert headers.get_all("X-Frame-Options") == ["ALLOWED"]


@pytest.mark.parametrize(
    ("method", "site", "status"),
    [
        ("POST", "same-origin", 200),
        ("POST", "none", 200),
        ("POST", None, 200),
        ("POST", "same-site", 403),
        ("POST", "cross-site", 403),
        ("DELETE", "cross-site", 403),
        ("GET", "cross-site", 200),
    ],
)
def test_pages_of_other_origins_may_not_act_in_airflow(hasty, method, site, status):
    said = [("Sec-Fetch-Site", site)] if site else []
    before = len(hasty.airflow.received)
    assert hasty.environment_request(method, "/api/v2/dags", headers=said)[0] == status
    assert len(hasty.airflow.received) - before == (status == 200)


def test_a_body_that_is_too_long_for_airflow_is_refused_before_it_is_sent(hasty):
    before = len(hasty.airflow.received)
    for size in (100_000_000, 0):
        with hasty.connect(hasty.environment.address, hasty.environment.port, hasty.environment.host) as connection:
            head = f"POST /api/v2/dags HTTP/1.1\r\nHost: {hasty.environment.host}\r\nContent-Length: {size}\r\n\r\n"
            # the server looks at the first 256 KiB of what it will not take, before it answers
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                connection.sendall(head.encode() + b"a" * min(size, 300_000))
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == (413 if size else 200)
    assert len(hasty.airflow.received) == before + 1


def ends_within(connection, seconds: float) -> tuple[bool, bytes]:
    """Whether the server closes, and what it said before."""
    connection.settimeout(seconds)
    said = b""
    try:
        while piece := connection.recv(65536):
            said += piece
    except TimeoutError:
        return False, said
    except (ConnectionError, ssl.SSLError):
        pass
    return True, said


@pytest.mark.parametrize(
    "first",
    [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: a"],
    ids=["nothing", "a line", "half a header"],
)
def test_a_head_that_does_not_arrive_ends_the_connection(hasty, first):
    with hasty.connect("127.0.0.1", hasty.door.port, "localhost") as connection:
        connection.sendall(first)
        ended, said = ends_within(connection, 40)
    assert ended
    assert b" 200 " not in said


def test_a_head_that_drips_ends_the_connection(hasty):
    begun = time.monotonic()
    with hasty.connect("127.0.0.1", hasty.door.port, "localhost") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while time.monotonic() < begun + 60:
                connection.sendall(b"X-Drip: a\r\n")
                time.sleep(0.05)
    assert time.monotonic() - begun < 40


def test_an_idle_connection_ends(hasty):
    with hasty.connect("127.0.0.1", hasty.door.port, "localhost") as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ended, said = ends_within(connection, 40)
    assert ended
    assert said.startswith(b"HTTP/1.1 200")


def test_a_handshake_that_does_not_come_ends_the_connection(hasty):
    with socket.create_connection(("127.0.0.1", hasty.door.port), timeout=10) as plain:
        assert ends_within(plain, 40)[0]


def test_older_protocols_are_refused(hasty):
    context = ssl.create_default_context(cafile=str(hasty.bundle))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", hasty.door.port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")
