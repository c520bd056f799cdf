"""People sign in at a real service: in a browser, with an access key and through a provider, into the real Airflow.

Every way in is walked to Airflow's own pages, which show what the person's IAM policies give; the audit log tells it.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from tests.conftest import Service, bring_up, tradewind
from tests.integration.chromium import CERTUTIL, CHROMIUM, Chromium, trust
from tests.integration.test_openid_provider import CLIENT, HERE, NODE, SECRET, RunningProvider

NAME = "entered"
SIGN_IN = "/aws_mwaa/aws-console-sso"

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (CHROMIUM and CERTUTIL), reason="needs chromium and certutil (libnss3-tools)"),
    pytest.mark.skipif(not (NODE and (HERE / "node_modules").is_dir()), reason="needs `npm ci --prefix tests/oidc`"),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[RunningProvider, int]]:
    """A real provider, and the port where the service is to answer, which the provider sends people back to."""
    with socket.socket() as drawn:
        drawn.bind(("127.0.0.1", 0))
        port = drawn.getsockname()[1]
    running = RunningProvider(f"https://localhost:{port}")
    yield running, port
    running.end()


@pytest.fixture(scope="module")
def own(data_root: Path, provider: tuple[RunningProvider, int]) -> Iterator[Service]:
    """A service that knows the provider, with one environment."""
    running, port = provider
    data = data_root / "sign-in"
    made = bring_up(
        data, "--port", str(port),
        TRADEWIND_OIDC_ISSUER=running.issuer, TRADEWIND_OIDC_CLIENT_ID=CLIENT, TRADEWIND_OIDC_CLIENT_SECRET=SECRET,
        TRADEWIND_OIDC_SCOPES="openid profile email groups", TRADEWIND_OIDC_NAME="Real ID",
        TRADEWIND_OIDC_PUBLIC_URL=f"https://localhost:{port}",
        TRADEWIND_OIDC_ROLES=json.dumps({"admins": "Admins", "staff": "Readers"}),
    )  # fmt: skip
    try:
        made.bucket(NAME)
        made.create(NAME, NAME, EnvironmentClass="mw1.micro", MaxWorkers=1)
        assert made.wait(NAME)["Status"] == "AVAILABLE"
        yield made
    finally:
        done = tradewind("down", data=data)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def iam(own: Service) -> "boto3.client":
    return boto3.client(
        "iam", endpoint_url=own.endpoint_url, region_name=own.region, verify=own.ca_bundle,
        aws_access_key_id=own.access_key_id, aws_secret_access_key=own.secret_access_key,
        config=Config(inject_host_prefix=False),
    )  # fmt: skip


def policy(own: Service, *roles: str) -> str:
    """May sign in with these roles of Airflow."""
    place = f"arn:aws:airflow:{own.region}:{own.account_id}:role/{NAME}"
    resources = [f"{place}/{role}" for role in roles]
    statement = {"Effect": "Allow", "Action": "airflow:CreateWebLoginToken", "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def key(own: Service, iam: "boto3.client") -> dict[str, str]:
    """The access key of a user who may look and no more."""
    iam.create_user(UserName="vera")
    iam.put_user_policy(UserName="vera", PolicyName="look", PolicyDocument=policy(own, "Viewer"))
    return iam.create_access_key(UserName="vera")["AccessKey"]


@pytest.fixture(scope="module")
def federated(own: Service, iam: "boto3.client", provider: tuple[RunningProvider, int]) -> None:
    """The roles that the provider's people come in by."""
    issuer = provider[0].issuer.split("://", 1)[1]
    trusting = {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{own.account_id}:oidc-provider/{issuer}"},
        "Condition": {"StringEquals": {f"{issuer}:aud": CLIENT}},
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusting]})
    for name, role in (("Admins", "Admin"), ("Readers", "Viewer")):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=name, PolicyName="airflow", PolicyDocument=policy(own, role))


@pytest.fixture
def page(own: Service, tmp_path: Path) -> Iterator[Chromium]:
    """A new browser on the sign-in page, where Airflow sends whoever has no session."""
    trust(tmp_path, own.data / "ca" / "storage" / "pki" / "authorities" / "local" / "root.crt")
    chromium = Chromium(tmp_path)
    try:
        host = own.client().get_environment(Name=NAME)["Environment"]["WebserverUrl"]
        chromium.go(f"https://{host}/")
        chromium.wait(f"location.pathname === '{SIGN_IN}'")
        yield chromium
    finally:
        chromium.end()


def fill_in(page: Chromium, key: dict[str, str], secret: str | None = None) -> None:
    page.run(f"document.getElementById('access_key_id').value = '{key['AccessKeyId']}'")
    page.run(f"document.getElementById('secret_access_key').value = '{secret or key['SecretAccessKey']}'")
    page.click("form button")


def see_airflow(page: Chromium, picture: Path, *, is_admin: bool) -> None:
    """Airflow's home page, with the menu that only admins have or without it."""
    page.wait("document.title.includes('Airflow') && document.body.innerText.includes('Dags')")
    page.wait("document.body.innerText.includes('Welcome')")
    if is_admin:  # the menus come when Airflow has been asked for them
        page.wait("document.body.innerText.includes('Security')")
    page.picture(picture)
    assert page.run("document.body.innerText.includes('Security')") is is_admin


def go_through_the_provider(page: Chromium, login: str) -> None:
    page.click("a.button")
    page.wait("document.querySelector('[name=login]') !== null")
    page.run(f"document.querySelector('[name=login]').value = '{login}'")
    page.run("document.querySelector('[name=password]').value = 'x'")
    page.click("button")
    page.wait("document.querySelector('[name=prompt][value=consent]') !== null")
    page.click("button")


def sign_ins(own: Service) -> list[tuple[str, str]]:
    """Who signed in or was refused, the newest first: identity and error."""
    done = tradewind("audit", "list", "--limit", "1000", "--output", "json", data=own.data)
    assert done.returncode == 0, done.stderr
    return [
        (one["userIdentity"].get("arn", ""), one.get("errorCode", ""))
        for one in reversed(json.loads(done.stdout)["Records"])
        if one["eventType"] == "AwsConsoleSignIn"
    ]


def alert(page: Chromium) -> str:
    page.wait("document.querySelector('[role=alert]') !== null")
    return str(page.run("document.querySelector('[role=alert]').innerText"))


def test_a_user_signs_in_with_an_access_key(own, page, key, tmp_path):
    page.picture(tmp_path / "form.png")
    fill_in(page, key, "wrong" * 8)
    assert "is not right" in alert(page)
    fill_in(page, key)
    see_airflow(page, tmp_path / "viewer.png", is_admin=False)
    cookie = page.cookies()["_token"]
    assert (cookie["httpOnly"], cookie["secure"], cookie["domain"]) == (
        True,
        True,
        urlsplit(page.run("location.href")).hostname,
    )
    (who, error), (refused, why) = sign_ins(own)[:2]
    assert (who.rpartition(":")[2], error) == ("user/vera", "")
    assert why
    assert key["SecretAccessKey"] not in json.dumps([who, refused])


def test_a_user_without_a_role_in_this_environment_is_told_what_is_missing(own, iam, page):
    iam.create_user(UserName="nobody")
    fill_in(page, iam.create_access_key(UserName="nobody")["AccessKey"])
    assert "airflow:CreateWebLoginToken" in alert(page)
    assert "_token" not in page.cookies()


@pytest.mark.usefixtures("federated")
def test_a_person_signs_in_through_the_provider(own, page, tmp_path):
    go_through_the_provider(page, "alice")
    see_airflow(page, tmp_path / "admin.png", is_admin=True)
    assert sign_ins(own)[0] == (f"arn:aws:sts::{own.account_id}:assumed-role/Admins/alice", "")


@pytest.mark.usefixtures("federated")
def test_another_person_has_another_role(page, tmp_path):
    go_through_the_provider(page, "bob")
    see_airflow(page, tmp_path / "reader.png", is_admin=False)


@pytest.mark.usefixtures("federated")
def test_who_is_in_no_group_that_counts_stays_outside(own, page):
    go_through_the_provider(page, "carol")
    assert "No IAM role is mapped to what Real ID says about you" in alert(page)
    assert "_token" not in page.cookies()
    assert sign_ins(own)[0] == ("", "AccessDeniedException")
