"""The sign-in page in a real browser: its policy holds, its form and its links work, and a person gets in.

Chromium speaks TLS to the real gateway; only the store and Airflow are in memory. A host of an environment gets the
proxy's mark, the other one is the API's. Through the provider it goes with npm's oidc-provider.
"""

import base64
import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.chromium import CHROMIUM, Chromium
from tests.integration.test_openid_provider import CLIENT, HERE, NODE, SECRET, RunningProvider, clock, roles_of
from tests.unit.access.doubles import TokensInMemory
from tests.unit.api.doubles import ACCOUNT, PLACE
from tests.unit.domain.samples import ID
from tests.unit.gateway.doubles import SessionsThatAreNoted, credential, services
from tradewind.access.openid import Federation, open_flow
from tradewind.access.providers import Provider
from tradewind.access.tokens import Grant, mint_web_token
from tradewind.gateway import create_gateway
from tradewind.gateway.services import OpenIdSignIn

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
KEY, KEY_SECRET = "AKIAALICEALICEALICE0", "s" * 40


class Door:
    """The gateway behind TLS, as the proxy would put it there."""

    def __init__(self, folder):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("*.localhost")]), False)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        ))  # fmt: skip
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.SHA256())
        digest.update(public)
        self.spki = base64.b64encode(digest.finalize()).decode()
        self.gateway = None
        self.server = uvicorn.Server(uvicorn.Config(
            self, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off",
            ssl_certfile=folder / "cert.pem", ssl_keyfile=folder / "key.pem",
        ))  # fmt: skip
        self.thread = threading.Thread(target=self.server.run)

    async def __call__(self, scope, receive, send):
        headers = [pair for pair in scope["headers"] if not pair[0].startswith(b"x-tradewind")]
        if dict(headers)[b"host"].startswith(b"env."):
            headers.append((b"x-tradewind-environment", str(ID).encode()))
        await self.gateway({**scope, "headers": headers}, receive, send)

    @property
    def port(self):
        return self.server.servers[0].sockets[0].getsockname()[1]

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with Door(tmp_path_factory.mktemp("door")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(door, tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("profile"), door.spki)
    yield browser
    browser.end()


@pytest.fixture
def page(door, chromium, tmp_path):
    """The sign-in page, without anybody's cookies."""
    chromium.call("Network.clearBrowserCookies")
    door.gateway = create_gateway(services({KEY: credential()}, now=clock))
    chromium.origin = f"https://env.localhost:{door.port}"
    chromium.address = f"{chromium.origin}/aws_mwaa/aws-console-sso"
    return chromium


def fill_in(page, secret):
    page.run(f"document.getElementById('access_key_id').value = '{KEY}'")
    page.run(f"document.getElementById('secret_access_key').value = '{secret}'")
    page.click("button")


def test_a_person_with_an_access_key_gets_in(page, tmp_path):
    page.go(f"{page.address}?next=/dags/mine")
    page.picture(tmp_path / "form.png")
    fill_in(page, KEY_SECRET)
    page.wait(f"location.href === '{page.origin}/dags/mine'")
    cookie = page.cookies()["_token"]
    assert cookie["value"] == "session-1"
    assert (cookie["httpOnly"], cookie["secure"], cookie["domain"]) == (True, True, "env.localhost")


def test_a_person_with_a_wrong_secret_is_told_and_tries_again(page, tmp_path):
    page.go(f"{page.address}?next=/dags/mine")
    fill_in(page, "wrong")
    page.wait("document.querySelector('[role=alert]') !== null")
    page.picture(tmp_path / "wrong.png")
    assert "is not right" in page.run("document.querySelector('[role=alert]').innerText")
    assert page.run("document.getElementById('access_key_id').value") == KEY
    assert page.run("document.getElementById('secret_access_key').value") == ""
    assert "_token" not in page.cookies()
    page.run(f"document.getElementById('secret_access_key').value = '{KEY_SECRET}'")
    page.click("button")
    page.wait(f"location.href === '{page.origin}/dags/mine'")


def test_the_form_works_without_scripts(page):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.go(f"{page.address}?next=/dags/mine")
        fill_in(page, KEY_SECRET)
        page.wait(f"location.href === '{page.origin}/dags/mine'")
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("wanted", ["/dags/mine", "/.//elsewhere.localhost/", "//elsewhere.localhost/"])
def test_a_link_leads_to_the_wanted_page_of_this_host_and_to_no_other(page, wanted):
    grant = Grant(ID, "sample", "user/alice", "user/alice", ("Op",))
    token = mint_web_token(grant, ACCOUNT.token_key, clock())
    page.go(f"{page.address}?next={wanted}#{token}")
    page.wait(f"location.pathname !== '{'/aws_mwaa/aws-console-sso'}'")
    assert page.run("location.href") == page.origin + (wanted if wanted == "/dags/mine" else "/")
    assert page.cookies()["_token"]["value"] == "session-1"


def test_nothing_that_is_put_into_the_page_runs(page):
    page.go(page.address)
    page.run("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)")
    page.run("const i = new Image(); i.src = 'https://elsewhere.localhost/x'; document.body.append(i)")
    assert page.run("window.ran === undefined")
    assert page.run("document.styleSheets.length") == 1


@pytest.mark.skipif(not (NODE and (HERE / "node_modules").is_dir()), reason="needs `npm ci --prefix tests/oidc`")
def test_a_person_comes_in_through_the_provider(page, door, tmp_path):
    public = f"https://localhost:{door.port}"
    sessions = SessionsThatAreNoted()
    with contextlib.ExitStack() as stack:
        running = RunningProvider(public)
        stack.callback(running.end)
        provider = Provider(
            running.issuer, CLIENT, SECRET, {"admins": "AirflowAdmin"}, "Real ID", "openid profile groups"
        )
        way = open_flow(provider, public, ACCOUNT.token_key, TokensInMemory(), clock)
        stack.callback(way.fetcher.client.close)
        federation = Federation(provider, PLACE, roles_of(provider).get, clock)
        openid = OpenIdSignIn(way, federation, lambda _: f"env.localhost:{door.port}")
        door.gateway = create_gateway(services(openid=openid, now=clock, sessions=sessions))

        page.go(f"{page.address}?next=/dags/mine")
        page.picture(tmp_path / "provider.png")
        page.click("a.button")
        page.wait("document.querySelector('[name=login]') !== null")
        page.run("document.querySelector('[name=login]').value = 'alice'")
        page.run("document.querySelector('[name=password]').value = 'x'")
        page.click("button")
        page.wait("document.querySelector('[name=prompt][value=consent]') !== null")
        page.click("button")
        page.wait(f"location.href === '{page.origin}/dags/mine'")
    assert sessions.opened == [(str(ID), "assumed-role/AirflowAdmin/alice", ("Admin",))]
    cookies = page.cookies()
    assert cookies["_token"]["domain"] == "env.localhost"
    assert "__Host-tradewind-openid" not in cookies
