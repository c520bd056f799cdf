"""Whether an execution role gives an environment credentials: what its trust policy may ask about."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.unit.domain.samples import SPEC, environment
from tradewind.access.execution_roles import CannotIssue
from tradewind.access.role_sessions import LIFETIME, ExecutionRoles
from tradewind.domain.arns import Place
from tradewind.iam.entities import Entity, EntityKind
from tradewind.store.sessions import Issued

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLACE = Place("123456789012", "us-east-1")
TRUST = {"Effect": "Allow", "Principal": {"Service": "airflow.amazonaws.com"}, "Action": "sts:AssumeRole"}


def issue(*statements):
    arn = SPEC.execution_role_arn
    trust = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    role = Entity(EntityKind.ROLE, "AROAX", arn.rsplit("/", 1)[-1], "/", arn, NOW, trust=trust)
    identities = SimpleNamespace(role=lambda _name: role, role_used=lambda *_: None)
    sessions = SimpleNamespace(issue=lambda session: Issued("ASIAX", "secret", "token", session.expires_at))
    return ExecutionRoles(identities, sessions, PLACE).issue(environment(), NOW)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {"aws:SourceAccount": PLACE.account}},
        {"ArnLike": {"aws:SourceArn": PLACE.environment("*")}},
        {"DateLessThan": {"aws:CurrentTime": "2026-11-23T10:00:00Z"}},
        {"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:ResourceAccount": PLACE.account}},
        {"Bool": {"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "true"}},
    ],
)
def test_a_condition_that_holds(condition):
    assert issue({**TRUST, "Condition": condition}).expiration == NOW + LIFETIME
    with pytest.raises(CannotIssue, match=r"does not let airflow-env\.amazonaws\.com or"):
        issue(TRUST, {**TRUST, "Effect": "Deny", "Condition": condition})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
        {"ArnLike": {"aws:SourceArn": PLACE.environment("other")}},
        {"DateGreaterThan": {"aws:CurrentTime": "2026-11-23T10:00:00Z"}},
        {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}},
    ],
)
def test_a_condition_that_does_not(condition):
    assert issue(TRUST, {**TRUST, "Effect": "Deny", "Condition": condition})
    with pytest.raises(CannotIssue):
        issue({**TRUST, "Condition": condition})
