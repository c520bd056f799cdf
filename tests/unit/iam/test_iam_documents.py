"""Parsing of policy documents: what IAM takes, what it refuses, and in which words."""

import json
import time

import pytest

from tests.unit.iam.making import allow, text_of
from tradewind.iam import DocumentKind, MalformedDocument, parse_document, parse_once
from tradewind.iam.documents import LONGEST

SYNTAX = "Syntax errors in policy."
OK = allow("airflow:GetEnvironment")


def refusal(text, kind=DocumentKind.IDENTITY):
    with pytest.raises(MalformedDocument) as refused:
        parse_document(text, kind)
    return str(refused.value)


def one(**changes):
    statement = {**OK, **changes}
    return text_of({name: value for name, value in statement.items() if value is not None})


def trusting(**changes):
    statement = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole", **changes}
    return text_of({name: value for name, value in statement.items() if value is not None})


@pytest.mark.parametrize(
    "text",
    [
        text_of(OK),
        text_of(OK, version="2008-10-17"),
        json.dumps({"Statement": OK}),
        json.dumps({"Version": "2012-10-17", "Id": "mine", "Statement": [OK]}),
        one(Sid="Mine1"),
        one(Sid=""),
        one(Action=["airflow:*", "iam:Get?ser", "*"]),
        one(Action=None, NotAction="iam:*"),
        one(Resource=None, NotResource=["arn:aws:s3:::b/*"]),
        one(Resource="arn:aws:iam::123456789012:user/${aws:username}"),
        one(Resource="arn:aws:iam::*:*"),
        one(Resource="arn:aws:s3:::b"),
        one(Resource="arn:aws-us-gov:s3:::b"),
        one(Condition={}),
        one(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "Bool": {"aws:SecureTransport": True}}),
        one(Condition={"StringEquals": {"aws:RequestTag/a:b": ["x", "y"]}}),
        text_of(OK, OK),
        " \n\t" + text_of(OK) + "\n",
    ],
)
def test_it_is_taken(text):
    assert parse_document(text).statements


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", SYNTAX),
        ("{", SYNTAX),
        ("[]", SYNTAX),
        ("null", SYNTAX),
        ("NaN", SYNTAX),
        ("{}", SYNTAX),
        (text_of(), SYNTAX),
        (text_of("x"), SYNTAX),
        (text_of([OK]), SYNTAX),
        (json.dumps({"Version": "2012-10-17", "Statement": None}), SYNTAX),
        (json.dumps({"Version": "2012-10-17", "Statement": OK, "Statements": []}), SYNTAX),
        (json.dumps({"version": "2012-10-17", "Statement": OK}), SYNTAX),
        (json.dumps({"Version": 2012, "Statement": OK}), SYNTAX),
        (json.dumps({"Version": "2012-10-17", "Id": 1, "Statement": OK}), SYNTAX),
        (text_of(OK, version="2012-10-18"), "The policy must contain a valid version string"),
        ('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', SYNTAX),
        (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}',
            SYNTAX,
        ),
        ("[" * 100_000, SYNTAX),
        ('{"a":' * 50_000, SYNTAX),
        (f'{{"Statement": {"9" * 5000}}}', SYNTAX),
        (one(Sid="\ud800"), SYNTAX),
        (one(Resource="arn:aws:s3:::\ud800"), SYNTAX),
        ('{"Version":"2012-10-17"} x', SYNTAX),
        ('{"Version":"2012-10-17",}', SYNTAX),
        (text_of(OK) + " " * LONGEST, SYNTAX),
        (one(Effect=None), SYNTAX),
        (one(Effect=True), SYNTAX),
        (one(Effect="allow"), "The policy failed legacy parsing"),
        (one(Sid=1), SYNTAX),
        (one(Sid="a b"), "Statement IDs (SID) must be alpha-numeric."),
        (one(Sid="é"), "Statement IDs (SID) must be alpha-numeric."),
        (text_of({**OK, "Sid": "a"}, {**OK, "Sid": "a"}), "Statement IDs (SID) in a single policy must be unique."),
        (one(Action=None), "Policy statement must contain actions."),
        (one(Action=[]), "Policy statement must contain actions."),
        (one(NotAction="*"), SYNTAX),
        (one(Action=1), SYNTAX),
        (one(Action={"a": "b"}), SYNTAX),
        (one(Action=["airflow:*", None]), SYNTAX),
        (one(Action="GetEnvironment"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (one(Action="a:b:c"), "Actions/Condition can contain only one colon."),
        (one(Action="a b:c"), "Vendor a b is not valid"),
        (one(Action="air*:x"), "Vendor air* is not valid"),
        (one(Action="airflow:"), SYNTAX),
        (one(Resource=None), "Policy statement must contain resources."),
        (one(Resource=[]), "Policy statement must contain resources."),
        (one(NotResource="*"), SYNTAX),
        (one(Resource="environment/x"), 'Resource environment/x must be in ARN format or "*".'),
        (one(Resource="arn:"), 'Resource arn: must be in ARN format or "*".'),
        (one(Resource="arn::s3:::b"), 'Partition "" is not valid for resource "arn::s3:::b".'),
        (one(Resource="arn:gcp:s3"), 'Partition "gcp" is not valid for resource "arn:gcp:s3:*:*:*".'),
        (one(Resource="arn:aws:iam::123456789012:alice"), 'IAM resource path must either be "*" or start with user/,'),
        (
            one(Resource="arn:aws:iam:us-east-1:123456789012:user/a"),
            "IAM resource arn:aws:iam:us-east-1:123456789012:user/a cannot contain region information.",
        ),
        (one(Resource="arn:aws:s3:::${aws:username"), "The policy failed legacy parsing"),
        (one(Principal="*"), "Policy document should not specify a principal."),
        (one(NotPrincipal={"AWS": "*"}), "Policy document should not specify a principal."),
        (one(Conditions={}), SYNTAX),
        (one(Condition=[]), SYNTAX),
        (one(Condition={"Bool": "x"}), SYNTAX),
        (one(Condition={"Bool": {"aws:SecureTransport": None}}), SYNTAX),
        (one(Condition={"Bool": {"aws:SecureTransport": [["true"]]}}), SYNTAX),
        (one(Condition={"Bool": {"SecureTransport": "true"}}), "Actions/Conditions must be prefaced by a vendor"),
        (one(Condition={"Boolean": {"aws:SecureTransport": "true"}}), "Invalid Condition type : Boolean."),
    ],
)
def test_it_is_refused_in_awss_words(text, sentence):
    assert refusal(text).startswith(sentence)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"AWS": ["arn:aws:iam::123456789012:user/path/alice", "arn:aws:iam::123456789012:role/R"]}},
        {"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/R/session"}},
        {"Principal": {"AWS": "AIDAEXAMPLEEXAMPLE01"}},
        {"Principal": {"Service": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]}},
        {"Principal": {"Federated": "arn:aws:iam::123456789012:saml-provider/x"}, "Action": "sts:AssumeRoleWithSAML"},
        {"Principal": None, "NotPrincipal": {"AWS": "123456789012"}, "Effect": "Deny"},
        {"Action": ["sts:AssumeRole", "sts:TagSession", "STS:SetSourceIdentity"]},
        {"Action": "sts:*"},
    ],
)
def test_a_trust_policy_is_taken(changes):
    assert parse_document(trusting(**changes), DocumentKind.TRUST).statements[0].trusted


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Principal": None}, "Missing required field Principal"),
        ({"Principal": {}}, SYNTAX),
        ({"Principal": {"AWS": []}}, "Missing required field Principal"),
        ({"Principal": "alice"}, SYNTAX),
        ({"Principal": ["*"]}, SYNTAX),
        ({"Principal": {"User": "alice"}}, SYNTAX),
        ({"Principal": {"AWS": "alice"}}, 'Invalid principal in policy: "AWS":"alice"'),
        (
            {"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}},
            'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/*"',
        ),
        ({"Principal": {"Service": "*"}}, 'Invalid principal in policy: "SERVICE":"*"'),
        ({"Principal": {"Service": "airflow"}}, 'Invalid principal in policy: "SERVICE":"airflow"'),
        ({"NotPrincipal": "*"}, SYNTAX),
        ({"Principal": None, "NotPrincipal": {"AWS": "123456789012"}}, SYNTAX),
        ({"Resource": "*"}, "Has prohibited field Resource"),
        ({"Action": "*"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Action": "airflow:*"}, "AssumeRole policy may only specify STS AssumeRole actions."),
    ],
)
def test_a_trust_policy_is_refused_in_awss_words(changes, sentence):
    assert refusal(trusting(**changes), DocumentKind.TRUST) == sentence


def test_a_document_names_the_keys_it_asks_for():
    document = parse_document(
        text_of(
            allow(
                resource="arn:aws:s3:::${aws:PrincipalTag/Team, 'x'}",
                Condition={"StringEquals": {"aws:SourceVpc": "${aws:username}"}, "Null": {"iam:K": "true"}},
            )
        )
    )
    assert document.keys() == {
        "aws:principaltag/team": "aws:PrincipalTag/Team",
        "aws:sourcevpc": "aws:SourceVpc",
        "aws:username": "aws:username",
        "iam:k": "iam:K",
    }


def test_a_document_of_many_stars_is_parsed_in_no_time():
    text = text_of(allow("airflow:" + "*a" * 5_000, "arn:aws:s3:::" + "*a" * 5_000))
    began = time.process_time()
    assert parse_document(text).statements
    assert time.process_time() - began < 5


def test_short_documents_are_kept_and_long_ones_are_not():
    """Parsed, 128 KiB take up to 15 MB: whoever may use the simulator must not have hundreds of them kept."""
    short, long = text_of(OK), text_of(*[OK] * 400)
    assert parse_document(short) is parse_document(short)
    assert parse_document(long) is not parse_document(long)
    assert parse_document(long) == parse_document(long)
    assert parse_once(short) is not parse_document(short)
