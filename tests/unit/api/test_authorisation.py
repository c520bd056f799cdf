"""Which questions stand before which operation, and how several of them are decided."""

import dataclasses
import json

import pytest

from tests.unit.api.doubles import CREATE, OWN_SERVICE, PLACE, SERVICE, services
from tests.unit.domain.samples import environment
from tradewind.access.roles import ROLES
from tradewind.api.authorisation import Question, Questions, decide, own_questions, questions
from tradewind.api.callers import Caller
from tradewind.domain.identifiers import new_environment_id
from tradewind.domain.snapshots import Kind
from tradewind.iam import DocumentKind, Holding, Policy, Principal, parse_document, root_principal

ROOT = Caller(root_principal(PLACE.account))
SAMPLE = PLACE.environment("sample")
ROLE = CREATE["ExecutionRoleArn"]
PASSED = {"iam:PassedToService": ["airflow.amazonaws.com"]}


def asked(operation, parameters, working=None, own=False):
    ask = own_questions if own else questions
    return ask(operation, parameters, working or services(environment()), ROOT)


def pairs(found):
    return [(question.action, question.resource) for question in found.each]


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("GetEnvironment", {"Name": "sample"}, [("airflow:GetEnvironment", SAMPLE)]),
        ("DeleteEnvironment", {"Name": "sample"}, [("airflow:DeleteEnvironment", SAMPLE)]),
        ("CreateCliToken", {"Name": "sample"}, [("airflow:CreateCliToken", SAMPLE)]),
        ("PublishMetrics", {"EnvironmentName": "sample"}, [("airflow:PublishMetrics", SAMPLE)]),
        ("ListEnvironments", {}, [("airflow:ListEnvironments", "*")]),
        ("TagResource", {"ResourceArn": SAMPLE, "Tags": {}}, [("airflow:TagResource", SAMPLE)]),
        ("UntagResource", {"ResourceArn": SAMPLE, "tagKeys": ["k"]}, [("airflow:UntagResource", SAMPLE)]),
        ("ListTagsForResource", {"ResourceArn": SAMPLE}, [("airflow:ListTagsForResource", SAMPLE)]),
        ("UpdateEnvironment", {"Name": "sample"}, [("airflow:UpdateEnvironment", SAMPLE)]),
        (
            "UpdateEnvironment",
            {"Name": "sample", "ExecutionRoleArn": ROLE},
            [("airflow:UpdateEnvironment", SAMPLE), ("iam:PassRole", ROLE)],
        ),
        (
            "CreateEnvironment",
            {"Name": "new", **CREATE},
            [("airflow:CreateEnvironment", PLACE.environment("new")), ("iam:PassRole", ROLE)],
        ),
    ],
)
def test_what_is_asked(operation, parameters, expected):
    found = asked(operation, parameters)
    assert pairs(found) == expected
    assert not found.one_is_enough


@pytest.mark.parametrize("operation", ["CreateWebLoginToken", "InvokeRestApi"])
def test_web_login_and_rest_calls_are_about_airflows_roles_and_one_is_enough(operation):
    found = asked(operation, {"Name": "sample"})
    assert pairs(found) == [(f"airflow:{operation}", PLACE.airflow_role("sample", role)) for role in ROLES]
    assert found.one_is_enough


def test_passing_a_role_says_to_whom():
    assert asked("CreateEnvironment", {"Name": "new", **CREATE}).each[1].keys == PASSED


def test_tags_of_request_and_resource_are_condition_keys():
    tagged = services(dataclasses.replace(environment(), tags={"team": "data"}))
    assert asked("GetEnvironment", {"Name": "sample"}, tagged).each[0].keys == {"aws:ResourceTag/team": ["data"]}
    created = asked("CreateEnvironment", {"Name": "new", **CREATE, "Tags": {"team": "ops"}}).each[0].keys
    assert created == {"aws:RequestTag/team": ["ops"], "aws:TagKeys": ["team"]}
    tagging = asked("TagResource", {"ResourceArn": SAMPLE, "Tags": {"a": "b"}}, tagged).each[0].keys
    assert tagging == {"aws:RequestTag/a": ["b"], "aws:TagKeys": ["a"], "aws:ResourceTag/team": ["data"]}
    untagging = asked("UntagResource", {"ResourceArn": SAMPLE, "tagKeys": ["a", "b"]}, tagged).each[0].keys
    assert untagging == {"aws:TagKeys": ["a", "b"], "aws:ResourceTag/team": ["data"]}


def test_every_operation_has_questions_even_with_no_parameters():
    for operation in SERVICE.operations:
        assert asked(operation, {}).each, operation
    for operation in OWN_SERVICE.operations:
        assert asked(operation, {}, own=True).each, operation


def test_a_copy_needs_rights_on_both_and_on_the_role_it_brings():
    found = asked("ForkEnvironment", {"Name": "sample", "NewName": "copy"}, own=True)
    assert pairs(found) == [
        ("tradewind:ForkEnvironment", SAMPLE),
        ("airflow:CreateEnvironment", PLACE.environment("copy")),
        ("iam:PassRole", environment().spec.execution_role_arn),
    ]


def test_what_a_snapshot_holds_is_its_environments():
    working = services(environment())
    working.snapshots.ask("snap-1", environment(), Kind.MANUAL)
    working.snapshots.take("snap-1")
    role = environment().spec.execution_role_arn
    own = ("tradewind:{}", PLACE.snapshot("snap-1")), ("tradewind:{}", SAMPLE)
    for operation, parameters, more in [
        ("GetSnapshot", {}, []),
        ("DeleteSnapshot", {}, []),
        ("RestoreSnapshot", {}, [("airflow:UpdateEnvironment", SAMPLE), ("iam:PassRole", role)]),
        (
            "RestoreSnapshot",
            {"Name": "new"},
            [("airflow:CreateEnvironment", PLACE.environment("new")), ("iam:PassRole", role)],
        ),
    ]:
        found = asked(operation, {"SnapshotId": "snap-1", **parameters}, working, own=True)
        assert pairs(found) == [*((asked_.format(operation), arn) for asked_, arn in own), *more]


@pytest.mark.parametrize("operation", ["GetSnapshot", "DeleteSnapshot", "RestoreSnapshot"])
def test_a_snapshot_has_the_tags_of_its_own_environment_and_of_no_other_with_that_name(operation):
    old = environment(tags={"team": "finance"})
    working = services(old)
    working.snapshots.ask("snap-1", old, Kind.MANUAL)
    working.snapshots.take("snap-1")
    found = [question.keys for question in asked(operation, {"SnapshotId": "snap-1"}, working, own=True).each]
    assert found[:2] == [{"aws:ResourceTag/team": ["finance"]}] * 2
    other = environment(id=new_environment_id(), tags={"team": "mine"})
    working.environments.known = {"once sample": old, "sample": other}
    assert [question.keys for question in asked(operation, {"SnapshotId": "snap-1"}, working, own=True).each] == found


def test_a_snapshot_that_is_not_there_is_asked_about_by_its_own_arn():
    found = asked("GetSnapshot", {"SnapshotId": "snap-9"}, own=True)
    assert pairs(found) == [("tradewind:GetSnapshot", PLACE.snapshot("snap-9"))]


def caller(*statements):
    alice = Principal(f"arn:aws:iam::{PLACE.account}:user/alice", PLACE.account, "user/alice")
    document = {"Version": "2012-10-17", "Statement": list(statements)}

    policy = Policy("p", parse_document(json.dumps(document), DocumentKind.IDENTITY), "inline policy p of user alice")
    return Caller(alice, Holding(identity=(policy,)))


READ = {"Effect": "Allow", "Action": "airflow:Get*", "Resource": "*"}


def test_all_questions_must_be_allowed_and_the_first_denied_one_gives_the_reason():
    both = Questions((Question("airflow:GetEnvironment", SAMPLE), Question("iam:PassRole", ROLE)))
    assert decide(ROOT, both)
    decision = decide(caller(READ), both)
    assert not decision
    assert f"not authorized to perform: iam:PassRole on resource: {ROLE}" in decision.reason


def test_a_tag_does_not_answer_for_one_that_differs_in_case_alone():
    tagging = {"Action": "airflow:TagResource", "Resource": "*"}
    is_data = {"StringEquals": {"aws:RequestTag/team": "data"}}
    may = caller({**tagging, "Effect": "Allow", "Condition": is_data})
    may_not = caller({**tagging, "Effect": "Allow"}, {**tagging, "Effect": "Deny", "Condition": is_data})
    for tags, is_allowed, is_free in [
        ({"team": "admin", "Team": "data"}, False, False),
        ({"Team": "data", "team": "admin"}, False, False),
        ({"TEAM": "data", "team": "data", "x": "y"}, True, False),
        ({"Team": "admin", "team": "ops"}, False, True),
    ]:
        found = asked("TagResource", {"ResourceArn": SAMPLE, "Tags": tags})
        assert bool(decide(may, found)) is is_allowed, tags
        assert bool(decide(may_not, found)) is is_free, tags


def test_where_one_is_enough_the_first_ones_reason_is_told():
    roles = Questions((Question("airflow:GetX", "arn:one"), Question("airflow:PutX", "arn:two")), one_is_enough=True)
    assert decide(caller(READ), roles)
    nobody = decide(caller({**READ, "Action": "s3:*"}), roles)
    assert "airflow:GetX on resource: arn:one" in nobody.reason


def test_no_question_is_a_yes():
    assert decide(caller(READ), Questions(()))
