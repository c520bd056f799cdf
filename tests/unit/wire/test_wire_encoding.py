"""Answers: bytes on the wire, and results that are not of the output's shape."""

import json
from datetime import UTC, datetime

import pytest

from tradewind.wire import COMMON_ERRORS, WireError, load_service
from tradewind.wire.encoding import encode_result
from tradewind.wire.shapes import model_from_json

SERVICE = load_service("mwaa")


def environment(**members):
    return json.loads(SERVICE.encode("GetEnvironment", {"Environment": members}, "r").body)["Environment"]


def test_an_answer_has_a_status_a_type_and_the_request_id():
    response = SERVICE.encode("CreateEnvironment", {"Arn": "a"}, "id-1")
    assert response.status == 200
    assert response.headers == {"Content-Type": "application/json", "x-amzn-RequestId": "id-1"}
    assert response.body == b'{"Arn":"a"}'


def test_nothing_to_say_is_an_empty_object():
    assert SERVICE.encode("DeleteEnvironment", {}, "r").body == b"{}"


def test_none_is_absent_at_any_depth():
    found = environment(Name="e", KmsKey=None, LastUpdate={"Status": "SUCCESS", "Error": None})
    assert found == {"Name": "e", "LastUpdate": {"Status": "SUCCESS"}}


def test_whole_seconds_are_integers_and_others_have_a_fraction():
    whole = SERVICE.encode(
        "GetEnvironment", {"Environment": {"CreatedAt": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}}, "r"
    )
    assert whole.body == b'{"Environment":{"CreatedAt":1700000000}}'
    assert environment(CreatedAt=datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)) == {"CreatedAt": 1700000000.5}


def test_any_document_is_an_answer():
    for document in ({"a": [None, 1.5, "é"]}, "half \ud800", [], 0, False):
        body = SERVICE.encode("InvokeRestApi", {"RestApiStatusCode": 200, "RestApiResponse": document}, "r").body
        assert json.loads(body)["RestApiResponse"] == document


@pytest.mark.parametrize(
    ("operation", "result", "error"),
    [
        ("CreateEnvironment", {"Arm": "a"}, "CreateEnvironmentOutput has no member Arm"),
        ("DeleteEnvironment", {"Arn": "a"}, "has no member Arn"),
        ("GetEnvironment", {"Environment": {"Nonsense": None}}, "Environment has no member Nonsense"),
        ("ListEnvironments", {}, "the required member Environments is absent"),
        ("CreateEnvironment", {"Arn": 1}, "cannot encode CreateEnvironment.Arn: a int is no String"),
        ("GetEnvironment", {"Environment": {"MinWorkers": True}}, "no Number"),
        ("GetEnvironment", {"Environment": {"MinWorkers": 1.0}}, "no Number"),
        ("GetEnvironment", {"Environment": {"CreatedAt": 1}}, "no Timestamp"),
        ("GetEnvironment", {"Environment": {"CreatedAt": datetime(2026, 1, 1)}}, "no Timestamp"),  # noqa: DTZ001
        ("GetEnvironment", {"Environment": {"Tags": []}}, "no Map"),
        ("GetEnvironment", {"Environment": []}, "no Structure"),
        ("ListEnvironments", {"Environments": "abc"}, "no List"),
        ("ListEnvironments", {"Environments": ["a", None]}, "Environments.2"),
        ("InvokeRestApi", {"RestApiResponse": float("nan")}, "JSON"),
    ],
)
def test_a_result_of_another_shape_is_a_defect(operation, result, error):
    with pytest.raises((TypeError, ValueError), match=error):
        SERVICE.encode(operation, result, "r")


def test_blobs_are_base64():
    model = model_from_json(
        "b",
        {
            "metadata": {"protocol": "rest-json", "endpointPrefix": "b"},
            "operations": {"Do": {"http": {"method": "GET", "requestUri": "/"}, "output": {"shape": "Out"}}},
            "shapes": {"Out": {"type": "structure", "members": {"B": {"shape": "Blob"}}}, "Blob": {"type": "blob"}},
        },
    )
    assert encode_result(model, "Do", {"B": b"\x00\xff"}, "r").body == b'{"B":"AP8="}'


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (WireError("ValidationException", "m"), 400, {"message": "m"}),
        (WireError("ResourceNotFoundException", "m"), 404, {"message": "m"}),
        (WireError("InternalServerException", "m"), 500, {"message": "m"}),
        (WireError("ServiceUnavailableException", "m"), 503, {"message": "m"}),
        (WireError("AccessDeniedException", "m"), 403, {"Message": "m"}),
        (
            WireError("RestApiClientException", "m", {"RestApiStatusCode": 404, "RestApiResponse": {"detail": "x"}}),
            400,
            {"RestApiStatusCode": 404, "RestApiResponse": {"detail": "x"}},
        ),
        (WireError("RestApiServerException", "", {"RestApiStatusCode": 500}), 400, {"RestApiStatusCode": 500}),
        (WireError("SerializationException", "m"), 400, {"message": "m"}),
        (WireError("MissingAuthenticationTokenException", "m"), 403, {"message": "m"}),
        (WireError("RequestEntityTooLargeException", "m"), 413, {"message": "m"}),
    ],
)
def test_an_error_has_its_status_its_type_and_its_members(error, status, body):
    response = SERVICE.encode_error(error, "id-1")
    assert response.status == status
    assert response.headers["x-amzn-ErrorType"] == error.code
    assert response.headers["x-amzn-RequestId"] == "id-1"
    assert json.loads(response.body) == body


@pytest.mark.parametrize("code", sorted({*COMMON_ERRORS, *SERVICE.errors}))
def test_every_error_that_there_is_can_be_answered(code):
    response = SERVICE.encode_error(WireError(code, "m"), "r")
    assert response.status == SERVICE.errors.get(code, COMMON_ERRORS.get(code))


def test_statuses_agree_where_the_model_and_the_front_door_have_an_error():
    assert {
        code: COMMON_ERRORS[code] for code in COMMON_ERRORS if code in SERVICE.errors
    }.items() <= SERVICE.errors.items()


@pytest.mark.parametrize(
    "error",
    [WireError("Nonsense", "m"), WireError("Environment", "m"), WireError("ValidationException", "m", {"X": 1})],
)
def test_an_error_that_there_is_not_is_a_defect(error):
    with pytest.raises(ValueError, match="cannot encode"):
        SERVICE.encode_error(error, "r")


def test_an_error_reads_as_a_sentence():
    assert str(WireError("ValidationException", "No.")) == "ValidationException: No."


@pytest.mark.parametrize("service", ["mwaa-serverless", "sqs"])
def test_a_protocol_that_is_not_spoken_is_refused_at_load(service):
    with pytest.raises(ValueError, match=f"cannot serve {service}: its protocol json is not spoken here"):
        load_service(service)


def test_the_service_is_described():
    assert SERVICE.name == "mwaa"
    assert SERVICE.signing_name == "airflow"
    assert len(SERVICE.operations) == 12
