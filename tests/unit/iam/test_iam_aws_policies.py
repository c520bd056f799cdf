"""AWS's managed policies parse, have AWS's ARNs, and allow what their names say and no more."""

import re

import pytest

from tradewind.iam import DocumentKind, Holding, Kind, Policy, Principal, Request, authorise, parse_document
from tradewind.iam.aws_policies import aws_policies, aws_version
from tradewind.iam.entities import Home

HOME = Home("123456789012")
ALICE = Principal("arn:aws:iam::123456789012:user/alice", "123456789012", "user/alice", kind=Kind.USER)


def allows(name, action, resource="*"):
    document = parse_document(aws_version(name).document, DocumentKind.IDENTITY)
    holding = Holding(identity=(Policy(name, document, name),))
    return bool(authorise(ALICE, holding, Request(action, resource)))


@pytest.mark.parametrize("name", [policy.name for policy in aws_policies(HOME).values()])
def test_each_is_a_policy(name):
    parse_document(aws_version(name).document, DocumentKind.IDENTITY)


def test_they_have_awss_arns_and_ids_of_their_own():
    policies = aws_policies(Home("123456789012", "aws-cn"))
    assert "arn:aws-cn:iam::aws:policy/AdministratorAccess" in policies
    ids = {policy.id for policy in policies.values()}
    assert len(ids) == len(policies)
    assert all(re.fullmatch(r"ANPA[A-Z0-9]{17}", id_) for id_ in ids)


@pytest.mark.parametrize(
    ("name", "action", "resource", "is_allowed"),
    [
        ("AdministratorAccess", "iam:CreateUser", "*", True),
        ("PowerUserAccess", "airflow:CreateEnvironment", "*", True),
        ("PowerUserAccess", "iam:CreateUser", "*", False),
        ("PowerUserAccess", "iam:PassRole", "*", False),
        ("PowerUserAccess", "iam:ListRoles", "*", True),
        ("IAMFullAccess", "iam:CreateUser", "*", True),
        ("IAMFullAccess", "airflow:GetEnvironment", "*", False),
        ("IAMReadOnlyAccess", "iam:ListUsers", "*", True),
        ("IAMReadOnlyAccess", "iam:CreateAccessKey", "*", False),
        ("ReadOnlyAccess", "airflow:ListEnvironments", "*", True),
        ("ReadOnlyAccess", "airflow:CreateCliToken", "*", False),
        ("ReadOnlyAccess", "airflow:DeleteEnvironment", "*", False),
        ("ReadOnlyAccess", "airflow:InvokeRestApi", "*", False),
        ("AmazonMWAAFullConsoleAccess", "airflow:CreateEnvironment", "*", True),
        ("AmazonMWAAFullConsoleAccess", "iam:CreateUser", "*", False),
        ("AmazonMWAAFullConsoleAccess", "tradewind:RestoreSnapshot", "*", True),
        ("AmazonMWAAFullApiAccess", "tradewind:ForkEnvironment", "*", True),
        ("AmazonMWAAFullApiAccess", "tradewind:RotateFernetKey", "*", True),
        ("AmazonMWAAFullApiAccess", "tradewind:RotateMasterKey", "*", False),
        ("AmazonMWAAFullConsoleAccess", "iam:PassRole", "*", False),  # to MWAA only
        ("AmazonMWAAReadOnlyAccess", "airflow:GetEnvironment", "*", True),
        ("AmazonMWAAReadOnlyAccess", "airflow:UpdateEnvironment", "*", False),
        ("AmazonMWAAAirflowCliAccess", "airflow:CreateCliToken", "*", True),
        ("AmazonMWAAAirflowCliAccess", "airflow:CreateWebLoginToken", "*", False),
    ],
)
def test_what_they_allow(name, action, resource, is_allowed):
    assert allows(name, action, resource) is is_allowed


def test_the_ui_as_user_and_no_more():
    of_role = "arn:aws:airflow:us-east-1:123456789012:role/prod/{}"
    assert allows("AmazonMWAAWebServerAccess", "airflow:CreateWebLoginToken", of_role.format("User"))
    for role in ("Admin", "Op", "Viewer", "Public"):
        assert not allows("AmazonMWAAWebServerAccess", "airflow:CreateWebLoginToken", of_role.format(role))
