"""The door's certificates, sides and limits, with real Caddy: given pairs, an ACME server, two addresses, slow clients.

The ACME server is pebble, Let's Encrypt's own for tests (Debian's package `pebble`), with its name server; it must
be on PATH or below TRADEWIND_PEBBLE.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.integration.authorities import Authority
from tests.integration.doors import Setting, environment_route, opened, wait_until
from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes.configuration import EnvironmentRoute, Limits
from tradewind.routes.given import Given, Source, take_roots
from tradewind.routes.hosts import free_port, sides
from tradewind.routes.tls import STRICT_TRANSPORT, Acme

pytestmark = pytest.mark.timeout(120)

PUBLIC = "127.0.0.3"
NAMES = ("*.us-east-1.x.test", "mwaa.x.test")


def named(letter: str, mode: str):
    """Makes an environment with a name for a host."""

    def route(door, airflow):
        host = f"{letter}bcdefghijkm.us-east-1.x.test"
        return EnvironmentRoute(EnvironmentId(f"{letter}bcdefghijkm"), host, door.port, airflow, sides=sides(mode))

    return route


def ask(setting, host, *, at="127.0.0.1", path="/", method="GET", headers=()):
    """(status, headers, which upstream answered)."""
    status, said, body = setting.request(method, path, server=at, sni=host, host=host, headers=headers)
    with contextlib.suppress(ValueError):
        return status, said, json.loads(body).get("upstream")
    return status, said, None


def shown(setting, host, *, at="127.0.0.1") -> x509.Certificate:
    """The certificate that a client sees, which it trusts."""
    with setting.connect(at, setting.door.port, host) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


# -- given certificates -----------------------------------------------------------------------------------------


def write(authority: Authority, folder: Path) -> Given:
    """A new pair where the service looks for it."""
    certificate, key = authority.issue(*NAMES)
    for name, content in (("c.pem", certificate), ("k.pem", key)):
        (folder / f"{name}.new").write_bytes(content)
        (folder / f"{name}.new").rename(folder / name)
    return Given(
        Source(folder / "c.pem", folder / "k.pem", NAMES), folder / "ca" / "storage", lambda: datetime.now(UTC)
    )


def test_a_given_certificate_is_shown_and_renewed_under_way(tmp_path_factory):
    run = tmp_path_factory.mktemp("r")
    authority = Authority()
    (run / "roots.pem").write_bytes(authority.pem)
    given = write(authority, run)
    given.roots = take_roots(run / "roots.pem", given.folder)
    route = named("a", "PUBLIC_ONLY")
    with opened(run, lambda *at: [route(*at)], tls=given.take(), public_names=("mwaa.x.test",)) as setting:
        host = setting.environment.host
        first = shown(setting, host).serial_number
        assert shown(setting, "mwaa.x.test").serial_number == first
        assert shown(setting, "localhost").issuer != shown(setting, host).issuer

        # for a year, and never where our own authority signs
        assert ask(setting, host)[1]["Strict-Transport-Security"] == STRICT_TRANSPORT
        assert ask(setting, "mwaa.x.test", path="/environments")[1]["Strict-Transport-Security"] == STRICT_TRANSPORT
        assert "Strict-Transport-Security" not in ask(setting, "localhost", path="/environments")[1]

        assert given.renewed(pytest.fail) is None
        write(authority, run)
        setting.keeper.renew(given.renewed(pytest.fail))
        wait_until(lambda: shown(setting, host).serial_number != first, setting.process.log)
        second = shown(setting, host).serial_number

        # half a renewal changes nothing, and the proxy comes back without the files
        (run / "k.pem").write_bytes(authority.issue(*NAMES)[1])
        told: list[str] = []
        assert given.renewed(told.append) is None
        assert "does not belong to the certificate" in told[0]
        (run / "c.pem").unlink()
        setting.stop(signal.SIGKILL)
        setting.start()
        wait_until(lambda: shown(setting, host).serial_number == second, setting.process.log)
        assert len([*setting.door.storage.glob("given-*.key")]) == 1


# -- private and public -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_sided(tmp_path_factory) -> Iterator[tuple[Setting, list[EnvironmentRoute]]]:
    makers = [named("p", "PRIVATE_ONLY"), named("q", "PUBLIC_ONLY"), named("r", "PUBLIC_AND_PRIVATE")]
    made: list[EnvironmentRoute] = []

    def routes(door, airflow):
        made.extend(maker(door, airflow) for maker in makers)
        return made

    addresses = ("127.0.0.1", "127.0.0.2")
    with opened(tmp_path_factory.mktemp("r"), routes, addresses=addresses, public=(PUBLIC,)) as setting:
        for route in made:
            wait_until(lambda route=route: _has_certificate(setting, route.host), setting.process.log)
        yield setting, made


def _has_certificate(setting, host) -> bool:
    try:
        return bool(shown(setting, host))
    except ssl.SSLError:
        return False


@pytest.mark.parametrize(
    ("index", "at", "upstream"),
    [
        (0, "127.0.0.1", "airflow"),
        (0, "127.0.0.2", "airflow"),
        (0, PUBLIC, "control"),  # the API, which knows no such path: as for any unknown host
        (1, "127.0.0.2", "control"),
        (1, PUBLIC, "airflow"),
        (2, "127.0.0.2", "airflow"),
        (2, PUBLIC, "airflow"),
    ],
)
def test_hosts_are_known_where_their_access_mode_lets_them(two_sided, index, at, upstream):
    setting, made = two_sided
    assert ask(setting, made[index].host, at=at, path="/home")[2] == upstream
    before = len(setting.control_plane.received)
    forged = [("X-Tradewind-Environment", str(made[index].id)), ("X-Tradewind-Listener", "private")]
    ask(setting, made[index].host, at=at, path="/aws_mwaa/login", method="POST", headers=forged)
    (received,) = setting.control_plane.received[before:]
    assert received.values("X-Tradewind-Listener") == ["public" if at == PUBLIC else "private"]
    marked = [str(made[index].id)] if upstream == "airflow" else []
    assert received.values("X-Tradewind-Environment") == marked


def test_a_connection_made_to_another_host_is_misdirected(two_sided):
    setting, made = two_sided
    status, _, body = setting.request("GET", "/home", sni=made[2].host, host=made[0].host)
    assert (status, body) == (421, b"This connection was made to another host.\n")
    assert setting.request("GET", "/home", sni="localhost", host=made[0].host)[0] == 421


@pytest.mark.parametrize("name", ["X-Tradewind-Listener", "x-tradewind-environment", "close, X-Tradewind-Environment"])
def test_marks_are_not_hop_by_hop(two_sided, name):
    setting, made = two_sided
    ask(setting, made[0].host, path="/aws_mwaa/login", method="POST", headers=[("Connection", name)])
    received = setting.control_plane.received[-1]
    assert received.values("X-Tradewind-Environment") == [str(made[0].id)]
    assert received.values("X-Tradewind-Listener") == ["private"]


@pytest.mark.parametrize(("at", "side"), [("127.0.0.1", "private"), ("127.0.0.2", "private"), (PUBLIC, "public")])
def test_the_api_answers_on_both_sides_and_is_told_which(two_sided, at, side):
    setting, _ = two_sided
    forged = [
        ("X-Tradewind-Listener", "private"),
        ("x-tradewind-listener", "private"),
        ("X_Tradewind_Listener", "private"),
    ]
    assert ask(setting, "localhost", at=at, path="/environments", headers=forged)[2] == "control"
    assert setting.control_plane.received[-1].values("X-Tradewind-Listener") == [side]
    assert setting.control_plane.received[-1].values("X_Tradewind_Listener") == []


def test_a_wildcard_for_the_public_leaves_the_private_address_private(tmp_path_factory):
    route = named("p", "PRIVATE_ONLY")
    with opened(tmp_path_factory.mktemp("r"), lambda *at: [route(*at)], public=("0.0.0.0",)) as setting:
        host = setting.environment.host
        wait_until(lambda: _has_certificate(setting, host), setting.process.log)
        assert ask(setting, host, path="/home")[2] == "airflow"
        assert ask(setting, host, at=PUBLIC, path="/home")[2] == "control"


# -- headers and limits -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hasty(tmp_path_factory) -> Iterator[Setting]:
    """A door whose limits are of one second."""
    limits = Limits(header=1, idle=1)
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
        ended, said = ends_within(connection, 5)
    assert ended
    assert b" 200 " not in said


def test_a_head_that_drips_ends_the_connection(hasty):
    begun = time.monotonic()
    with hasty.connect("127.0.0.1", hasty.door.port, "localhost") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while time.monotonic() < begun + 8:
                connection.sendall(b"X-Drip: a\r\n")
                time.sleep(0.05)
    assert time.monotonic() - begun < 6


def test_an_idle_connection_ends(hasty):
    with hasty.connect("127.0.0.1", hasty.door.port, "localhost") as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ended, said = ends_within(connection, 5)
    assert ended
    assert said.startswith(b"HTTP/1.1 200")


def test_a_handshake_that_does_not_come_ends_the_connection(hasty):
    with socket.create_connection(("127.0.0.1", hasty.door.port), timeout=10) as plain:
        assert ends_within(plain, 8)[0]


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


# -- ACME -------------------------------------------------------------------------------------------------------


def pebbles() -> tuple[str, str] | None:
    folder = os.environ.get("TRADEWIND_PEBBLE")
    path = folder or os.environ.get("PATH", "")
    found = [shutil.which(name, path=path) for name in ("pebble", "pebble-challtestsrv")]
    return (found[0], found[1]) if found[0] and found[1] else None


@contextlib.contextmanager
def pebble(run: Path, authority: Authority, tls_port: int) -> Iterator[str]:
    """A running ACME server that looks names up to `PUBLIC` and asks there on `tls_port`; its directory's URL."""
    server, names = pebbles()
    port, management, dns, other = (free_port(start + os.getpid() % 500) for start in (30000, 31000, 32000, 33000))
    certificate, key = authority.issue("127.0.0.1")
    (run / "pebble.crt").write_bytes(certificate)
    (run / "pebble.key").write_bytes(key)
    configuration = {
        "listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(run / "pebble.crt"), "privateKey": str(run / "pebble.key"),
        "httpPort": 1, "tlsPort": tls_port, "ocspResponderURL": "", "externalAccountBindingRequired": False,
    }  # fmt: skip
    (run / "pebble.json").write_text(json.dumps({"pebble": configuration}))
    unused = ["-http01", "", "-https01", "", "-tlsalpn01", ""]
    where = ["-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{other}"]
    commands = [
        [names, *unused, *where, "-defaultIPv4", PUBLIC, "-defaultIPv6", ""],
        [server, "-config", str(run / "pebble.json"), "-dnsserver", f"127.0.0.1:{dns}"],
    ]
    surroundings = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": ""}
    with (run / "pebble.log").open("ab") as log:
        started = [subprocess.Popen(command, env=surroundings, stdout=log, stderr=log) for command in commands]
    trust = ssl.create_default_context(cadata=authority.pem.decode())

    def root() -> bytes | None:
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{management}/roots/0", context=trust, timeout=5) as answer:
                return answer.read()
        except OSError:
            return None

    try:
        wait_until(lambda: root() is not None, run / "pebble.log")
        (run / "roots.pem").write_bytes(authority.pem + root())
        yield f"https://127.0.0.1:{port}/dir"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)


@pytest.mark.skipif(pebbles() is None, reason="the ACME server pebble is not installed (Debian: pebble)")
def test_an_acme_server_signs_public_names(tmp_path_factory):
    run = tmp_path_factory.mktemp("r")
    authority = Authority()
    tls_port = free_port(28000 + os.getpid() % 2000)  # as `opened` will find it
    route = named("a", "PUBLIC_ONLY")
    with pebble(run, authority, tls_port) as directory:
        roots = take_roots(run / "roots.pem", run / "ca" / "storage")
        tls = Acme(directory, "ops@x.test", roots, tls_port, PUBLIC)
        door = {"tls": tls, "public": (PUBLIC,), "public_names": ("mwaa.x.test",)}
        with opened(run, lambda *at: [route(*at)], **door) as setting:
            assert setting.door.port == tls_port
            for host in (setting.environment.host, "mwaa.x.test"):
                wait_until(lambda host=host: _has_public_certificate(setting, host), setting.process.log, 40)
                certificate = shown(setting, host, at=PUBLIC)
                assert "Pebble" in certificate.issuer.rfc4514_string()
                assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)
            assert ask(setting, setting.environment.host, at=PUBLIC, path="/home")[2] == "airflow"
            headers = ask(setting, setting.environment.host, at=PUBLIC)[1]
            assert headers["Strict-Transport-Security"] == STRICT_TRANSPORT
            assert "Pebble" not in shown(setting, "localhost").issuer.rfc4514_string()


def _has_public_certificate(setting, host) -> bool:
    try:
        return bool(shown(setting, host, at=PUBLIC))
    except (ssl.SSLError, http.client.HTTPException):
        return False
