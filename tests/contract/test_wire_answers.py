"""botocore's parser reads back what we answer, and a whole boto3 client talks to us without a socket."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.in_process import answered, parsed, received
from tradewind.wire import (
    COMMON_ERRORS,
    Bounds,
    Key,
    SignedRequest,
    WireError,
    load_service,
    validation_message,
    verify,
)

SERVICE = load_service("mwaa")
MODEL = ServiceModel(Loader().load_service_model("mwaa", "service-2"), "mwaa")
PARSER = create_parser("rest-json")
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def anything(shape):  # noqa: PLR0911
    """Values of the shape's types; an answer is not held to the model's patterns."""
    if getattr(shape, "is_document_type", False):
        return JSON.filter(lambda value: value is not None)
    match shape.type_name:
        case "structure":
            members = {name: anything(member) for name, member in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            return st.fixed_dictionaries(required, optional=members)
        case "list":
            return st.lists(anything(shape.member), max_size=4)
        case "map":
            return st.dictionaries(anything(shape.key), anything(shape.value), max_size=4)
        case "string":
            return TEXT
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    raise AssertionError(shape)


@pytest.mark.parametrize("name", SERVICE.operations)
def test_botocore_reads_back_what_we_answer(name):
    shape = MODEL.operation_model(name).output_shape

    @settings(max_examples=60, deadline=None)
    @given(anything(shape))
    def round_trip(result):
        found = parsed(PARSER, SERVICE.encode(name, result, "id-1"), shape)
        metadata = found.pop("ResponseMetadata")
        assert found == result
        assert metadata["RequestId"] == "id-1"
        assert metadata["HTTPStatusCode"] == 200

    round_trip()


@pytest.mark.parametrize("shape", MODEL.error_shapes, ids=lambda shape: shape.name)
def test_botocore_reads_back_our_errors(shape):
    members = {name: member for name, member in shape.members.items() if name.lower() != "message"}

    @settings(max_examples=40, deadline=None)
    @given(TEXT, st.fixed_dictionaries({name: anything(member) for name, member in members.items()}))
    def round_trip(message, values):
        response = SERVICE.encode_error(WireError(shape.name, message, values), "id-1")
        found = parsed(PARSER, response, MODEL.operation_model("InvokeRestApi").output_shape)
        assert found["Error"]["Code"] == shape.name
        assert found["Error"]["Message"] == (message if len(members) < len(shape.members) else "")
        assert found["ResponseMetadata"]["HTTPStatusCode"] == shape.metadata["error"]["httpStatusCode"]
        assert found["ResponseMetadata"]["RequestId"] == "id-1"
        modelled = PARSER.parse({"status_code": 200, "headers": {}, "body": response.body}, shape)
        assert {name: modelled[name] for name in values} == values

    round_trip()


class AnsweredInProcess:
    """What stands behind a client: verifies, routes, decodes and checks as the service does, then answers."""

    def __init__(self, answer, now=None):
        self.answer = answer
        self.now = now
        self.seen = []

    def __call__(self, request, **_):
        return answered(request, self.respond(received(request)))

    def respond(self, signed):
        try:
            return self.succeed(signed)
        except WireError as error:
            return SERVICE.encode_error(error, "id-1")

    def succeed(self, signed):
        now = self.now or datetime.now(UTC)
        verify(signed, region="eu-west-1", service=SERVICE.signing_name, lookup={"AKIA": Key("secret")}.get, now=now)
        routed = SERVICE.route(signed)
        params = SERVICE.decode(routed.operation, routed.labels, signed.raw_query, signed.headers, signed.body)
        violations = SERVICE.check(routed.operation, params, overrides={"RestApiPath": Bounds(1, 2048)})
        if violations:
            raise WireError("ValidationException", validation_message(violations))
        self.seen.append((routed.operation, params))
        if isinstance(self.answer, WireError):
            raise self.answer
        return SERVICE.encode(routed.operation, self.answer, "id-1")


def client(answer, *, secret="secret", key="AKIA", region="eu-west-1", token=None, now=None, validate=True):
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=validate)
    made = boto3.client(
        "mwaa", region_name=region, endpoint_url="https://localhost:8443", config=config,
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
    )  # fmt: skip
    door = AnsweredInProcess(answer, now)
    made.meta.events.register("before-send.mwaa", door)
    return made, door


ARN = "arn:aws:airflow:eu-west-1:123456789012:environment/e_1"


@pytest.mark.parametrize(
    ("operation", "params", "answer"),
    [
        ("get_environment", {"Name": "e"}, {"Environment": {"CreatedAt": datetime(2026, 1, 1, tzinfo=UTC)}}),
        ("list_environments", {"MaxResults": 3, "NextToken": "a+/= &é"}, {"Environments": ["a"], "NextToken": "x"}),
        ("list_environments", {}, {"Environments": []}),
        ("delete_environment", {"Name": "e"}, {}),
        ("list_tags_for_resource", {"ResourceArn": ARN}, {"Tags": {"a": "b"}}),
        ("tag_resource", {"ResourceArn": ARN, "Tags": {"a b": "é"}}, {}),
        ("untag_resource", {"ResourceArn": ARN, "tagKeys": ["b", "a b", "é="]}, {}),
        ("create_cli_token", {"Name": "e"}, {"CliToken": "t", "WebServerHostname": "h"}),
        ("create_web_login_token", {"Name": "e"}, {"WebToken": "t", "WebServerHostname": "h:8443"}),
        ("invoke_rest_api", {"Name": "e", "Path": "/dags/" + "d" * 200, "Method": "GET", "Body": {}},
         {"RestApiStatusCode": 200, "RestApiResponse": {"dags": []}}),
    ],
)  # fmt: skip
def test_a_client_is_understood_and_understands(operation, params, answer):
    made, door = client(answer)
    found = getattr(made, operation)(**params)
    assert {key: value for key, value in found.items() if key != "ResponseMetadata"} == answer
    assert door.seen[0][1] == params


@pytest.mark.parametrize(
    ("how", "code", "status", "words"),
    [
        ({"key": "AKIB"}, "UnrecognizedClientException", 403, "security token included in the request is invalid"),
        ({"token": "t"}, "UnrecognizedClientException", 403, "security token included in the request is invalid"),
        ({"secret": "other"}, "InvalidSignatureException", 403, "does not match the signature you provided"),
        ({"region": "eu-west-2"}, "InvalidSignatureException", 403, "valid region, not 'eu-west-2'"),
        ({"now": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidSignatureException", 403, "Signature not yet current"),
        ({"now": datetime(2120, 1, 1, tzinfo=UTC)}, "InvalidSignatureException", 403, "Signature expired"),
    ],
)
def test_a_client_that_is_refused_says_so(how, code, status, words):
    made, door = client({"Environments": []}, **how)
    with pytest.raises(ClientError, match=words) as raised:
        made.list_environments()
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert door.seen == []


def test_a_wrong_request_is_a_modelled_validation_exception():
    made, _ = client({})
    with pytest.raises(made.exceptions.ValidationException, match="2 validation errors detected: Value '9' at 'name'"):
        made.create_environment(
            Name="9",
            ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
            SourceBucketArn="arn:aws:s3:::b",
            DagS3Path="d",
            NetworkConfiguration={"SubnetIds": ["subnet-1"] * 3, "SecurityGroupIds": ["sg-1"]},
        )


def test_a_value_of_another_type_is_a_serialization_exception():
    made, _ = client({}, validate=False)
    with pytest.raises(ClientError, match="STRING_VALUE can not be converted to an Integer") as raised:
        made.update_environment(Name="e", MaxWorkers="5")
    assert raised.value.response["Error"]["Code"] == "SerializationException"


def test_an_error_of_airflow_reaches_the_client_whole():
    failure = WireError("RestApiClientException", "", {"RestApiStatusCode": 404, "RestApiResponse": {"detail": "none"}})
    made, _ = client(failure)
    with pytest.raises(made.exceptions.RestApiClientException) as raised:
        made.invoke_rest_api(Name="e", Path="/dags/x", Method="GET")
    assert raised.value.response["RestApiStatusCode"] == 404
    assert raised.value.response["RestApiResponse"] == {"detail": "none"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("code", sorted(COMMON_ERRORS))
def test_every_common_error_reaches_the_client(code):
    made, _ = client(WireError(code, "why"))
    with pytest.raises(ClientError) as raised:
        made.get_environment(Name="e")
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["Error"]["Message"] == "why"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == COMMON_ERRORS[code]
    assert raised.value.response["ResponseMetadata"]["RequestId"] == "id-1"


def test_a_presigned_url_works():
    made, door = client({})
    url = urlsplit(made.generate_presigned_url("get_environment", {"Name": "e"}))
    door.answer = {"Environment": {"Name": "e"}}
    response = door.respond(SignedRequest("GET", url.path, url.query, [("Host", url.netloc)], b""))
    assert (response.status, response.body) == (200, b'{"Environment":{"Name":"e"}}')
