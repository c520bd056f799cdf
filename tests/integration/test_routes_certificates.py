"""The door's certificates, with real Caddy: given pairs and an ACME server.

The ACME server is pebble, Let's Encrypt's own for tests (Debian's package `pebble`), with its name server; it must
be on PATH or below TRADEWIND_PEBBLE.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.authorities import Authority
from tests.integration.doors import PUBLIC, ask, named, opened, shown, wait_until
from tradewind.routes.given import Given, Source, take_roots
from tradewind.routes.hosts import free_port
from tradewind.routes.tls import STRICT_TRANSPORT, Acme

pytestmark = pytest.mark.timeout(120)

NAMES = ("*.us-east-1.x.test", "mwaa.x.test")


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


def _serial(setting, host):
    try:
        return shown(setting, host).serial_number
    except OSError:  # of a door that is closing, or not open yet
        return None


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
        wait_until(lambda: _serial(setting, host) not in {None, first}, setting.process.log)
        second = shown(setting, host).serial_number

        # half a renewal changes nothing, and the proxy comes back without the files
        (run / "k.pem").write_bytes(authority.issue(*NAMES)[1])
        told: list[str] = []
        assert given.renewed(told.append) is None
        assert "does not belong to the certificate" in told[0]
        (run / "c.pem").unlink()
        setting.stop(signal.SIGKILL)
        setting.start()
        wait_until(lambda: _serial(setting, host) == second, setting.process.log)
        assert len([*setting.door.storage.glob("given-*.key")]) == 1


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
