"""The policy simulator: decisions, matched statements, missing keys, pages; botocore's model judges its answers."""

from dataclasses import dataclass

import pytest

from tests.unit.api.modelled import perform
from tests.unit.iam.making import ACCOUNT, allow, deny, policy, text_of, user
from tradewind.api.callers import Caller
from tradewind.api.operations.iam import IAM_OPERATIONS
from tradewind.iam import Holding, Policy, root_principal
from tradewind.wire import WireError

ALICE = user(tags={"team": "blue"})
READ = allow("airflow:Get*", "arn:aws:airflow:*:*:environment/a*")
ENV = f"arn:aws:airflow:us-east-1:{ACCOUNT}:environment/"
GET = "airflow:GetEnvironment"


@dataclass
class Known:
    """Satisfies what simulation asks of IamServices."""

    holdings: dict

    @property
    def identities(self):
        return self

    def holding_of(self, arn):
        return self.holdings.get(arn)


def managed(*statements, owner=ACCOUNT):
    arn = f"arn:aws:iam::{owner}:policy/mine"
    return Policy("mine", policy(*statements).document, f"managed policy {arn}")


def call(operation, holding=Holding(), **parameters):  # noqa: B008  (frozen)
    root = root_principal(ACCOUNT)
    known = Known({ALICE.arn: (ALICE, holding), root.arn: (root, Holding())})
    return perform(IAM_OPERATIONS, known, operation, Caller(root), parameters)


def custom(*statements, **parameters):
    texts = [text_of(*statements)] if statements else []
    return call("SimulateCustomPolicy", **{"PolicyInputList": texts, "ActionNames": [GET], **parameters})


def principal(holding, **parameters):
    return call(
        "SimulatePrincipalPolicy", holding, **{"PolicySourceArn": ALICE.arn, "ActionNames": [GET], **parameters}
    )


def decisions(answer):
    return [(each["EvalResourceName"], each["EvalDecision"]) for each in answer["EvaluationResults"]]


def refusal(operation, **parameters):
    with pytest.raises(WireError) as refused:
        call(operation, **parameters)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(
    ("statements", "expected"),
    [([READ], "allowed"), ([allow("iam:*")], "implicitDeny"), ([READ, deny("airflow:*")], "explicitDeny")],
)
def test_a_decision(statements, expected):
    answer = custom(*statements, ResourceArns=[ENV + "a"])
    assert decisions(answer) == [(ENV + "a", expected)]
    assert answer["IsTruncated"] is False
    (specific,) = answer["EvaluationResults"][0]["ResourceSpecificResults"]
    assert (specific["EvalResourceName"], specific["EvalResourceDecision"]) == (ENV + "a", expected)


def test_without_resources_it_is_any():
    answer = custom(allow("airflow:*"))
    assert decisions(answer) == [("*", "allowed")]
    assert answer["EvaluationResults"][0]["ResourceSpecificResults"] == []


def test_each_action_on_each_resource():
    answer = custom(READ, ActionNames=[GET, "iam:GetUser"], ResourceArns=[ENV + "a", ENV + "b"])
    found = [
        (each["EvalActionName"], each["EvalResourceName"][-1], each["EvalDecision"])
        for each in answer["EvaluationResults"]
    ]
    assert found == [
        (GET, "a", "allowed"),
        (GET, "b", "implicitDeny"),
        ("iam:GetUser", "a", "implicitDeny"),
        ("iam:GetUser", "b", "implicitDeny"),
    ]


def test_the_statement_that_matched_is_shown():
    (result,) = custom(allow("iam:*"), allow("airflow:*"))["EvaluationResults"]
    text = text_of(allow("iam:*"), allow("airflow:*"))
    assert result["MatchedStatements"] == [
        {
            "SourcePolicyId": "PolicyInputList.1",
            "SourcePolicyType": "none",
            "StartPosition": {"Line": 1, "Column": text.index('{"Effect": "Allow", "Action": "airflow') + 1},
            "EndPosition": {"Line": 1, "Column": len(text) - 1},
        }
    ]


@pytest.mark.parametrize(
    ("held", "kind"),
    [(policy(READ), "user"), (managed(READ), "user-managed"), (managed(READ, owner="aws"), "aws-managed")],
)
def test_what_a_user_holds(held, kind):
    (result,) = principal(Holding((held,)), ResourceArns=[ENV + "a"])["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"
    (matched,) = result["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == (held.name, kind)


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ({"PolicyType": "inline"}, "iam:GetUser"),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "deploy", "AttachmentType": "user", "AttachmentName": "alice"}},
            "iam:GetUser",
        ),
        ({"PolicyType": "user-managed"}, GET),
        ({"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/mine"}, GET),
    ],
)
def test_what_is_excluded(excluded, left):
    held = Holding((policy(allow(GET)), managed(allow("iam:GetUser"))))
    answer = principal(held, ActionNames=[GET, "iam:GetUser"], PolicyExclusionList=[excluded])
    allowed = [each["EvalActionName"] for each in answer["EvaluationResults"] if each["EvalDecision"] == "allowed"]
    assert allowed == [left]


def test_policies_that_are_sent_add_up():
    assert decisions(principal(Holding())) == [("*", "implicitDeny")]
    assert decisions(principal(Holding(), PolicyInputList=[text_of(allow())])) == [("*", "allowed")]


@pytest.mark.parametrize(
    ("boundary", "sent", "expected", "is_within"),
    [
        (allow(), None, "allowed", True),
        (allow("iam:*"), None, "implicitDeny", False),
        (deny(), None, "explicitDeny", False),
        (allow("iam:*"), allow(), "allowed", True),
    ],
)
def test_a_boundary(boundary, sent, expected, is_within):
    more = {} if sent is None else {"PermissionsBoundaryPolicyInputList": [text_of(sent)]}
    (result,) = principal(Holding((policy(allow()),), policy(boundary)), **more)["EvaluationResults"]
    assert result["EvalDecision"] == expected
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": is_within}
    assert bool(result["MatchedStatements"])


def test_context_and_what_is_missing_of_it():
    condition = {"StringEquals": {"aws:RequestTag/Team": "${aws:PrincipalTag/team}"}, "Null": {"iam:K": "true"}}
    statement = allow(GET, Condition=condition)
    assert custom(statement)["EvaluationResults"][0]["MissingContextValues"] == [
        "aws:PrincipalTag/team",
        "aws:RequestTag/Team",
        "iam:K",
    ]
    assert custom(statement, ActionNames=["iam:GetUser"])["EvaluationResults"][0]["MissingContextValues"] == []
    entry = {"ContextKeyName": "AWS:requesttag/team", "ContextKeyType": "string", "ContextKeyValues": ["blue"]}
    (result,) = principal(Holding((policy(statement),)), ContextEntries=[entry])["EvaluationResults"]
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", ["iam:K"])


def test_a_caller_lends_his_name():
    statement = allow(resource=ENV + "${aws:username}")
    asked = {"ResourceArns": [ENV + "alice"]}
    assert decisions(custom(statement, **asked)) == [(ENV + "alice", "implicitDeny")]
    assert decisions(custom(statement, CallerArn=ALICE.arn, **asked)) == [(ENV + "alice", "allowed")]


def test_pages():
    asked = {"ActionNames": [GET, "iam:GetUser"], "ResourceArns": [ENV + name for name in "abc"], "MaxItems": 4}
    first = custom(allow(), **asked)
    second = custom(allow(), **asked, Marker=first["Marker"])
    assert (first["IsTruncated"], second["IsTruncated"], "Marker" in second) == (True, False, False)
    together = [*first["EvaluationResults"], *second["EvaluationResults"]]
    assert together == custom(allow(), **{**asked, "MaxItems": 100})["EvaluationResults"]
    assert custom(allow(), **asked, Marker="OTk5")["EvaluationResults"] == []


def test_a_page_is_shorter_where_there_are_many_statements():
    answer = custom(*[allow("iam:*")] * 1000, ActionNames=[GET] * 100)
    assert len(answer["EvaluationResults"]) == 50
    assert answer["IsTruncated"]


def test_a_page_is_shorter_where_there_is_much_to_compare():
    values = {"Condition": {"StringEquals": {"aws:TagKeys": ["a"] * 1000}}}
    few, many = ({"ContextKeyName": "aws:TagKeys", "ContextKeyType": "stringList", "ContextKeyValues": ["b"] * count}
                 for count in (1, 500))  # fmt: skip
    lengths = [
        len(custom({**allow(), **values}, ActionNames=[GET] * 100, ContextEntries=[entry])["EvaluationResults"])
        for entry in (few, many)
    ]
    assert lengths == [100, 1]


def test_what_is_too_much_for_one_decision_is_refused():
    values = {"Condition": {"StringEquals": {"aws:TagKeys": ["a"] * 1000}}}
    entry = {"ContextKeyName": "aws:TagKeys", "ContextKeyType": "stringList", "ContextKeyValues": ["b"] * 1100}
    asked = {"PolicyInputList": [text_of({**allow(), **values})], "ActionNames": [GET]}
    code, sentence = refusal("SimulateCustomPolicy", **asked, ContextEntries=[entry])
    assert (code, sentence) == (
        "InvalidInputException",
        "The policies and the context are too large to be simulated together.",
    )
    code, sentence = refusal(
        "SimulateCustomPolicy", **asked, ContextEntries=[{**entry, "ContextKeyValues": ["b" * 262_145]}]
    )
    assert "ContextEntries holds more than 262144 characters" in sentence


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "sentence"),
    [
        ("SimulateCustomPolicy", {"PolicyInputList": ["{"]}, "InvalidInputException", "Syntax errors in policy."),
        ("SimulateCustomPolicy", {"ActionNames": ["iam:*"]}, "InvalidInputException", "Invalid action name: iam:*"),
        ("SimulateCustomPolicy", {"Marker": "%%"}, "InvalidInputException", "Invalid Marker."),
        ("SimulateCustomPolicy", {"Marker": "LTE="}, "InvalidInputException", "Invalid Marker."),
        ("SimulateCustomPolicy", {"ResourcePolicy": "{}"}, "InvalidInputException", "ResourcePolicy is not supported"),
        (
            "SimulateCustomPolicy",
            {"PermissionsBoundaryPolicyInputList": [text_of(allow())] * 2},
            "InvalidInputException",
            "Only one permissions boundary",
        ),
        ("SimulateCustomPolicy", {"CallerArn": "arn:aws:iam::1:user/bob"}, "InvalidInputException", "CallerArn"),
        (
            "SimulateCustomPolicy",
            {"ContextEntries": [{"ContextKeyName": "aws:x", "ContextKeyType": "ip", "ContextKeyValues": ["x"]}]},
            "InvalidInputException",
            "Invalid value for context key aws:x of type ip.",
        ),
        (
            "SimulatePrincipalPolicy",
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/bob"},
            "NoSuchEntityException",
            "Policy source ARN",
        ),
        (
            "SimulatePrincipalPolicy",
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:root"},
            "NoSuchEntityException",
            "Policy source ARN",
        ),
    ],
)
def test_what_is_refused(operation, parameters, code, sentence):
    usual = {"ActionNames": [GET]}
    if operation == "SimulateCustomPolicy":
        usual["PolicyInputList"] = [text_of(allow())]
    found = refusal(operation, **{**usual, **parameters})
    assert found[0] == code
    assert found[1].startswith(sentence)


def test_the_keys_that_policies_ask_for():
    texts = [
        text_of(allow(Condition={"Bool": {"aws:SecureTransport": "true"}})),
        text_of(allow(resource=ENV + "${aws:username}", Condition={"Null": {"AWS:securetransport": "true"}})),
    ]
    assert call("GetContextKeysForCustomPolicy", PolicyInputList=texts)["ContextKeyNames"] == [
        "AWS:securetransport",
        "aws:username",
    ]
    held = Holding((policy(allow(Condition={"Null": {"iam:K": "true"}})),))
    found = call("GetContextKeysForPrincipalPolicy", held, PolicySourceArn=ALICE.arn, PolicyInputList=texts[:1])
    assert found["ContextKeyNames"] == ["aws:SecureTransport", "iam:K"]
