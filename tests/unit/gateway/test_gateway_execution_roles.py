"""The execution role's credentials at the door: for the environment's own process, and for its role alone."""

import asyncio
import dataclasses
from datetime import timedelta

import httpx
import jwt
import pytest
import structlog

from tests.unit.api.doubles import ACCOUNT, EnvironmentsInMemory, SessionsForEveryone, trail
from tests.unit.domain.samples import ID, NOW, SPEC, environment
from tradewind.access.execution_roles import AUDIENCE, ISSUER, CannotIssue, TemporaryCredentials
from tradewind.domain.environments import Phase, Target
from tradewind.domain.manifests import Completed
from tradewind.gateway import GatewayServices, create_gateway
from tradewind.recipe.execution_roles import signing_key
from tradewind_airflow.credentials.asking import ControlPlane

PATH = "/aws_mwaa/execution-role"
ROLE = SPEC.execution_role_arn


class TokensThatAreNew:
    def claim(self, jti, expires):
        return True


class IssuerOfHours:
    def __init__(self):
        self.issued = []

    def __call__(self, of):
        self.issued.append(of.spec.execution_role_arn)
        return TemporaryCredentials("ASIAX", "SECRET", "TOKEN", NOW + timedelta(hours=12))


def role_that_is_missing(of):
    raise CannotIssue(f"cannot give credentials: there is no role {of.spec.execution_role_arn}")


def post(of, issue, *, token=None, role=ROLE, scheme="Bearer"):
    services = GatewayServices(
        account=ACCOUNT, environments=EnvironmentsInMemory(of), sessions=SessionsForEveryone(),
        used_tokens=TokensThatAreNew(), run_cli=lambda *_: Completed(0, b"", b""), now=lambda: NOW,
        issue_credentials=issue, trail=trail(),
    )  # fmt: skip
    plane = ControlPlane("", "", str(ID), role, signing_key(environment().secrets).encode(), clock=NOW.timestamp)
    headers = {"x-tradewind-environment": str(ID), "authorization": f"{scheme} {token or plane.proof()}"}

    async def ask():
        transport = httpx.ASGITransport(create_gateway(services))
        async with httpx.AsyncClient(transport=transport, base_url="https://host") as client:
            return await client.post(PATH, headers=headers)

    with structlog.testing.capture_logs() as told:
        answer = asyncio.run(ask())
    assert "SECRET" not in repr(told)
    return answer


@pytest.mark.parametrize("phase", [Phase.PROVISIONING, Phase.READY, Phase.CHANGING, Phase.DRAINING])
def test_an_environment_gets_credentials_of_its_role_even_before_it_was_proven(phase):
    issue = IssuerOfHours()
    answer = post(environment(phase=phase), issue)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "AccessKeyId": "ASIAX", "SecretAccessKey": "SECRET", "Token": "TOKEN",
        "Expiration": "2026-03-02T00:00:00Z", "RoleArn": ROLE,
    }  # fmt: skip
    assert issue.issued == [ROLE]


def test_while_an_update_is_prepared_the_role_is_the_old_one():
    asked = dataclasses.replace(SPEC, execution_role_arn="arn:aws:iam::111111111111:role/new")
    issue = IssuerOfHours()
    assert post(environment(asked=asked), issue, role=asked.execution_role_arn).status_code == 409
    assert post(environment(asked=asked), issue).status_code == 200
    assert issue.issued == [ROLE]


def test_a_role_that_is_missing_is_told_by_name():
    answer = post(environment(), role_that_is_missing)
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "RoleUnavailable", "message": f"cannot give credentials: there is no role {ROLE}"
    }  # fmt: skip


@pytest.mark.parametrize("how", [{"token": "x.y.z"}, {"scheme": "Basic"}, {"scheme": ""}])
def test_without_a_proof_nothing_is_issued(how):
    issue = IssuerOfHours()
    answer = post(environment(), issue, **how)
    assert answer.status_code == 401
    assert issue.issued == []


@pytest.mark.parametrize("changes", [{"target": Target.ABSENT}, {"phase": Phase.REFUSED}])
def test_what_is_to_go_gets_nothing(changes):
    issue = IssuerOfHours()
    assert post(environment(**changes), issue).status_code == 503
    assert issue.issued == []


def test_a_service_that_issues_nothing_says_so():
    answer = post(environment(), None)
    assert answer.status_code == 404
    assert "SECRET" not in answer.text


@pytest.mark.parametrize("jti", ["", "a\0b", "x" * 129, "ä", 7, None])
def test_a_proof_whose_id_cannot_be_kept_is_none(jti):
    """PostgreSQL takes no NUL: what is no id must be refused, not fail."""
    moment = int(NOW.timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(ID), "role": ROLE, "iat": moment, "exp": moment + 60}
    issue = IssuerOfHours()
    token = jwt.encode({**claims, "jti": jti}, signing_key(environment().secrets), "HS256")
    assert post(environment(), issue, token=token).status_code == 401
    assert issue.issued == []
    good = jwt.encode({**claims, "jti": "an-Id_1"}, signing_key(environment().secrets), "HS256")
    assert post(environment(), issue, token=good).status_code == 200
