"""The query protocol's service: which operation a form asks for, and which models are not spoken."""

import copy

import pytest

from tests.unit.wire.query_models import DOCUMENT, SERVICE
from tradewind.wire import COMMON_ERRORS, QUERY_ERRORS, SignedRequest, WireError, load_service
from tradewind.wire.queries import QueryService
from tradewind.wire.shapes import model_from_json

IAM = load_service("iam")


def route(query="", body=b"", method="POST", path="/"):
    return IAM.route(SignedRequest(method, path, query, [], body))


@pytest.mark.parametrize(
    "parts",
    [
        {"body": b"Action=GetUser&Version=2010-05-08&UserName=bob"},
        {"body": b"Version=2010-05-08&Action=Get%55ser"},
        {"query": "Action=GetUser&Version=2010-05-08", "method": "GET"},
        {"query": "Action=GetUser", "body": b"Version=2010-05-08"},
        {"body": b"Action=GetUser&Version=2010-05-08", "path": ""},
    ],
)
def test_the_action_tells_the_operation(parts):
    routed = route(**parts)
    assert (routed.operation, routed.labels) == ("GetUser", {})


@pytest.mark.parametrize(
    ("parts", "code", "message"),
    [
        ({}, "MissingAction", "The request is missing an action or a required parameter."),
        ({"body": b"Action=&Version=2010-05-08"}, "MissingAction", "The request is missing an action"),
        ({"body": b"{}"}, "MissingAction", "The request is missing an action"),
        ({"body": b"Action=Foo&Version=2010-05-08"}, "InvalidAction",
         "Could not find operation Foo for version 2010-05-08"),
        ({"body": b"Action=GetUser&Version=2011-06-15"}, "InvalidAction",
         "Could not find operation GetUser for version 2011-06-15"),
        ({"body": b"Action=GetUser"}, "InvalidAction",
         "Could not find operation GetUser for version NO_VERSION_SPECIFIED"),
        ({"body": b"Action=getuser&Version=2010-05-08"}, "InvalidAction", "operation getuser"),
        ({"body": b"Action=GetUser&Version=2010-05-08", "method": "PUT"}, "InvalidAction", "operation GetUser"),
        ({"body": b"Action=GetUser&Version=2010-05-08", "path": "/x"}, "InvalidAction", "operation GetUser"),
        ({"body": b"Action=GetUser&Action=GetUser&Version=2010-05-08"}, "SerializationException", "more than once"),
        ({"body": b"Version=%ff"}, "SerializationException", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_form_that_asks_for_no_operation(parts, code, message):
    with pytest.raises(WireError) as raised:
        route(**parts)
    assert raised.value.code == code
    assert message in raised.value.message
    assert QUERY_ERRORS[code][1] == 400


def test_a_giant_action_is_not_repeated_whole():
    with pytest.raises(WireError) as raised:
        route(body=b"Action=" + b"x" * 100_000)
    assert len(raised.value.message) < 300


def test_every_error_of_the_front_door_has_a_name_in_this_protocol():
    assert COMMON_ERRORS.keys() <= QUERY_ERRORS.keys()
    for name in QUERY_ERRORS:
        assert SERVICE.encode_error(WireError(name, ""), "id").status in {QUERY_ERRORS[name][1], 400}


def without(change):
    document = copy.deepcopy(DOCUMENT)
    change(document["shapes"])
    return document


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda shapes: shapes["Tree"]["members"]["Name"].update(location="header"), "Tree has Name in header"),
        (lambda shapes: shapes["Tree"].update(document=True), "Tree is a document"),
    ],
)
def test_a_model_with_a_trait_that_is_not_spoken_is_refused(change, words):
    with pytest.raises(ValueError, match=f"cannot serve odd: {words}"):
        QueryService(model_from_json("odd", without(change)))


def test_the_members_of_a_request_are_listed():
    assert IAM.input_members("CreateUser") == (
        "Path", "UserName", "PermissionsBoundary", "Tags", "Tags.*.Key", "Tags.*.Value",
    )  # fmt: skip


def test_the_errors_of_the_model_are_listed_with_their_status():
    assert IAM.errors["NoSuchEntityException"] == 404
    assert IAM.errors["ServiceFailureException"] == 500


def test_a_password_is_not_shown():
    (violation,) = IAM.check("CreateLoginProfile", {"UserName": "bob", "Password": "x" * 129})
    assert violation.sensitive
