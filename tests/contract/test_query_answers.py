"""botocore's parser reads back what we answer for IAM and STS, and whole boto3 clients talk to us without a socket."""

import json
from datetime import UTC, datetime
from urllib.parse import quote

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings

from tests.contract.in_process import answered, parsed, received
from tests.contract.query_shapes import MODELS, OPERATIONS, values
from tradewind.wire import (
    QUERY_ERRORS,
    Key,
    WireError,
    asked_service,
    load_service,
    signed_service,
    validation_message,
    verify,
)

SERVICES = {name: load_service(name) for name in MODELS}
PARSER = create_parser("query")


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_botocore_reads_back_what_we_answer(service, name):
    shape = MODELS[service].operation_model(name).output_shape

    def read_back(result):
        found = parsed(PARSER, SERVICES[service].encode(name, result, "id-1"), shape)
        metadata = found.pop("ResponseMetadata")
        assert found == result
        assert metadata["RequestId"] == "id-1"
        assert metadata["HTTPStatusCode"] == 200

    if shape is None:
        read_back({})
        return

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(shape))
    def round_trip(result):
        read_back(result)

    round_trip()


class AnsweredInProcess:
    """What stands behind a client: chooses the service, verifies, routes, decodes and checks, then answers."""

    def __init__(self, answer, key):
        self.answer = answer
        self.key = key
        self.seen = []

    def __call__(self, request, **_):
        signed = received(request)
        service = SERVICES[asked_service(signed.headers, signed.raw_query, signed.body)]
        try:
            response = self.succeed(service, signed)
        except WireError as error:
            response = service.encode_error(error, "id-1")
        return answered(request, response)

    def succeed(self, service, signed):
        routed = service.route(signed)
        if signed_service(signed.headers, signed.raw_query) or routed.operation != "AssumeRoleWithWebIdentity":
            lookup = {"AKIA": self.key}.get
            verify(signed, region="us-east-1", service=service.signing_name, lookup=lookup, now=datetime.now(UTC))
        params = service.decode(routed.operation, routed.labels, signed.raw_query, signed.headers, signed.body)
        if violations := service.check(routed.operation, params):
            raise WireError("ValidationException", validation_message(violations))
        self.seen.append((routed.operation, params))
        if isinstance(self.answer, WireError):
            raise self.answer
        return service.encode(routed.operation, self.answer, "id-1")


def client(service, answer, *, secret="secret", token=None, key=None):
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    made = boto3.client(
        service, region_name="us-east-1", endpoint_url="https://localhost:8443", config=config,
        aws_access_key_id="AKIA", aws_secret_access_key=secret, aws_session_token=token,
    )  # fmt: skip
    door = AnsweredInProcess(answer, key or Key("secret"))
    made.meta.events.register(f"before-send.{service}", door)
    return made, door


MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
USER = {"Path": "/", "UserName": "bob", "UserId": "AIDA", "Arn": "arn:aws:iam::1:user/bob", "CreateDate": MOMENT}
ROLE = "arn:aws:iam::123456789012:role/r"
CREDENTIALS = {"AccessKeyId": "ASIA0123456789012345", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": MOMENT}


@pytest.mark.parametrize(
    ("service", "operation", "params", "answer"),
    [
        ("iam", "create_user", {"UserName": "bob", "Tags": [{"Key": "a b", "Value": "é+@="}]}, {"User": USER}),
        ("iam", "list_users", {"MaxItems": 2, "PathPrefix": "/x/"}, {"Users": [USER, USER], "IsTruncated": False}),
        ("iam", "list_users", {}, {"Users": []}),
        ("iam", "delete_user", {"UserName": "bob"}, {}),
        ("iam", "update_account_password_policy", {"RequireSymbols": True, "MinimumPasswordLength": 9}, {}),
        ("iam", "get_account_summary", {}, {"SummaryMap": {"Users": 3, "Roles": 0}}),
        ("iam", "simulate_custom_policy",
         {"PolicyInputList": ["{}"], "ActionNames": ["iam:GetUser"], "ContextEntries": [
             {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": ["a", "b"], "ContextKeyType": "stringList"}]},
         {"EvaluationResults": [{"EvalActionName": "iam:GetUser", "EvalDecision": "allowed",
                                 "EvalDecisionDetails": {"a": "allowed"}}]}),
        ("sts", "get_caller_identity", {}, {"UserId": "u", "Account": "123456789012", "Arn": ROLE}),
        ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "session", "DurationSeconds": 900,
                                "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
         {"Credentials": CREDENTIALS}),
        ("sts", "assume_role_with_web_identity",
         {"RoleArn": ROLE, "RoleSessionName": "session", "WebIdentityToken": "e.y.J"}, {"Credentials": CREDENTIALS}),
    ],
)  # fmt: skip
def test_a_client_is_understood_and_understands(service, operation, params, answer):
    made, door = client(service, answer)
    found = getattr(made, operation)(**params)
    assert {key: value for key, value in found.items() if key != "ResponseMetadata"} == answer
    assert door.seen[0][1] == params


def test_a_policy_document_that_is_encoded_is_read_as_json():
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*/100%"}]}
    answer = {"UserName": "bob", "PolicyName": "p", "PolicyDocument": quote(json.dumps(document), safe="")}
    made, _ = client("iam", answer)
    assert made.get_user_policy(UserName="bob", PolicyName="p")["PolicyDocument"] == document


def test_temporary_credentials_are_understood():
    key = Key("secret", "to/ken=")
    made, door = client("sts", {"Account": "1"}, token="to/ken=", key=key)
    assert made.get_caller_identity()["Account"] == "1"
    assert door.seen == [("GetCallerIdentity", {})]


@pytest.mark.parametrize(
    ("how", "code", "status"),
    [
        ({"secret": "x"}, "SignatureDoesNotMatch", 403),
        ({"token": "x"}, "InvalidClientTokenId", 403),
        ({"key": Key("secret", "t")}, "InvalidClientTokenId", 403),
        ({"token": "t", "key": Key("secret", "t", MOMENT)}, "ExpiredToken", 403),
    ],
)
@pytest.mark.parametrize("service", MODELS)
def test_a_client_that_is_refused_says_so(service, how, code, status):
    made, door = client(service, {}, **how)
    with pytest.raises(ClientError) as raised:
        made.get_caller_identity() if service == "sts" else made.get_user()
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["Error"]["Type"] == "Sender"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert door.seen == []


@pytest.mark.parametrize("service", MODELS)
def test_every_error_of_the_model_is_raised_as_its_own_class(service):
    made, door = client(service, {})
    for shape in MODELS[service].error_shapes:
        door.answer = WireError(shape.name, "why <&> not\r\n")
        with pytest.raises(getattr(made.exceptions, shape.name)) as raised:
            made.get_caller_identity() if service == "sts" else made.get_user()
        error = raised.value.response["Error"]
        status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        assert error["Code"] == shape.error_code
        assert error["Message"] == "why <&> not\r\n"
        assert error["Type"] == ("Sender" if status < 500 else "Receiver")
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert raised.value.response["ResponseMetadata"]["RequestId"] == "id-1"


@pytest.mark.parametrize("name", sorted(QUERY_ERRORS))
def test_every_error_of_the_front_door_reaches_the_client(name):
    made, _ = client("iam", WireError(name, "why"))
    with pytest.raises(ClientError) as raised:
        made.get_user()
    response = raised.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == QUERY_ERRORS[name]


def test_a_constraint_is_told_as_iam_tells_it():
    made, _ = client("iam", {})
    with pytest.raises(ClientError) as raised:
        made.create_user(UserName="b" * 65)
    assert raised.value.response["Error"]["Code"] == "ValidationError"
    assert raised.value.response["Error"]["Message"] == (
        f"1 validation error detected: Value '{'b' * 65}' at 'userName' failed to satisfy constraint:"
        " Member must have length less than or equal to 64"
    )
