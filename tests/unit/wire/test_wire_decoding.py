"""Requests that are not as the model says are refused as SerializationException; nothing else is."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.wire import WireError, load_service
from tradewind.wire.decoding import decode_parameters
from tradewind.wire.documents import GREATEST_DEPTH, parse_document
from tradewind.wire.shapes import model_from_json

SERVICE = load_service("mwaa")

EVERYTHING = model_from_json(
    "everything",
    {
        "metadata": {"protocol": "rest-json", "endpointPrefix": "every"},
        "operations": {"Do": {"http": {"method": "POST", "requestUri": "/do/{Label}"}, "input": {"shape": "In"}}},
        "shapes": {
            "In": {
                "type": "structure",
                "members": {
                    "Label": {"shape": "Integer", "location": "uri", "locationName": "Label"},
                    "Flag": {"shape": "Boolean", "location": "querystring", "locationName": "flag"},
                    "Ratio": {"shape": "Double", "location": "querystring", "locationName": "ratio"},
                    "Since": {"shape": "Timestamp", "location": "querystring", "locationName": "since"},
                    "Header": {"shape": "String", "location": "header", "locationName": "X-Header"},
                    "Renamed": {"shape": "Long", "locationName": "other"},
                    "Blob": {"shape": "Blob"},
                    "Numbers": {"shape": "Numbers"},
                    "Documents": {"shape": "Documents"},
                    "Map": {"shape": "Map"},
                },
            },
            "Integer": {"type": "integer"},
            "Long": {"type": "long"},
            "Boolean": {"type": "boolean"},
            "Double": {"type": "double"},
            "String": {"type": "string"},
            "Timestamp": {"type": "timestamp"},
            "Blob": {"type": "blob"},
            "Numbers": {"type": "list", "member": {"shape": "Integer"}},
            "Document": {"type": "structure", "members": {}, "document": True},
            "Documents": {"type": "list", "member": {"shape": "Document"}},
            "Map": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Boolean"}},
        },
    },
)


def decode(operation, body, labels=None, query="", headers=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SERVICE.decode(operation, labels or {"Name": "e", "EnvironmentName": "e"}, query, headers, raw)


def everything(body=b"", label="1", query="", headers=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_parameters(EVERYTHING, "Do", {"Label": label}, query, headers, raw)


def metrics(**members):
    return {"MetricData": [{"MetricName": "m", "Timestamp": 1, **members}]}


def refused(call):
    with pytest.raises(WireError) as raised:
        call()
    assert raised.value.code == "SerializationException"
    return raised.value.message


@contextmanager
def refused_at_most():
    try:
        yield
    except WireError as error:
        if error.code != "SerializationException":
            raise


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"true",
        b" ",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"\\udc00": 1}',
        b'{"a": [{"b": "\\ud83d"}]}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32"),
        b'{"a": "\x01"}',
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_json_object_that_can_be_kept_is_refused(body):
    refused(lambda: decode("InvokeRestApi", body))


def test_depth_is_bounded_exactly():
    assert parse_document(b"[" * GREATEST_DEPTH + b"]" * GREATEST_DEPTH)
    refused(lambda: parse_document(b"[" * (GREATEST_DEPTH + 1) + b"]" * (GREATEST_DEPTH + 1)))


@pytest.mark.parametrize(
    ("operation", "body", "words"),
    [
        ("CreateEnvironment", {"DagS3Path": 1}, "NUMBER_VALUE can not be converted to a String at 'DagS3Path'"),
        ("CreateEnvironment", {"DagS3Path": ["a"]}, "START_ARRAY can not be converted to a String"),
        ("CreateEnvironment", {"DagS3Path": True}, "TRUE_VALUE can not be converted to a String"),
        ("CreateEnvironment", {"MaxWorkers": "1"}, "STRING_VALUE can not be converted to an Integer at 'MaxWorkers'"),
        ("CreateEnvironment", {"MaxWorkers": True}, "TRUE_VALUE can not be converted to an Integer"),
        ("CreateEnvironment", {"MaxWorkers": False}, "FALSE_VALUE can not be converted to an Integer"),
        ("CreateEnvironment", {"MaxWorkers": 1.0}, "DECIMAL_VALUE can not be converted to an Integer"),
        ("CreateEnvironment", {"MaxWorkers": 1.5}, "DECIMAL_VALUE can not be converted to an Integer"),
        ("CreateEnvironment", {"MaxWorkers": 2**31}, "out of the range of an Integer"),
        ("CreateEnvironment", {"MaxWorkers": -(2**31) - 1}, "out of the range of an Integer"),
        ("CreateEnvironment", {"MaxWorkers": 10**1000}, "out of the range of an Integer"),
        ("CreateEnvironment", {"NetworkConfiguration": []}, "START_ARRAY can not be converted to a Structure"),
        ("CreateEnvironment", {"NetworkConfiguration": {"SubnetIds": "a"}}, "a List at 'NetworkConfiguration"),
        ("CreateEnvironment", {"NetworkConfiguration": {"SubnetIds": {}}}, "START_OBJECT can not be"),
        ("CreateEnvironment", {"NetworkConfiguration": {"SubnetIds": ["a", 2]}}, "SubnetIds.2"),
        ("CreateEnvironment", {"NetworkConfiguration": {"SubnetIds": [None]}}, "NULL_VALUE can not be converted"),
        ("CreateEnvironment", {"Tags": []}, "START_ARRAY can not be converted to a Map"),
        ("CreateEnvironment", {"Tags": {"a": 1}}, "NUMBER_VALUE can not be converted to a String at 'Tags.a'"),
        ("CreateEnvironment", {"Tags": {"a": None}}, "NULL_VALUE can not be converted to a String at 'Tags.a'"),
        ("CreateEnvironment", {"LoggingConfiguration": {"TaskLogs": {"Enabled": "true"}}}, "to a Boolean"),
        ("CreateEnvironment", {"LoggingConfiguration": {"TaskLogs": {"Enabled": 1}}}, "to a Boolean"),
        ("PublishMetrics", metrics(Value="1"), "STRING_VALUE can not be converted to a Double"),
        ("PublishMetrics", metrics(Value="NaN"), "STRING_VALUE can not be converted to a Double"),
        ("PublishMetrics", metrics(Value=True), "TRUE_VALUE can not be converted to a Double"),
        ("PublishMetrics", metrics(Value=10**400), "out of the range of a Double"),
        ("PublishMetrics", metrics(Timestamp=1e300), "out of the range of a Timestamp"),
        ("PublishMetrics", metrics(Timestamp=10**400), "out of the range of a Timestamp"),
        ("PublishMetrics", metrics(Timestamp=True), "TRUE_VALUE can not be converted to a Timestamp"),
        ("PublishMetrics", metrics(Timestamp="yesterday"), "can not be converted to a Timestamp"),
        ("PublishMetrics", metrics(Timestamp="2026-02-31T00:00:00Z"), "can not be converted to a Timestamp"),
        ("PublishMetrics", metrics(Timestamp="0001-01-01T00:00:00+10:00"), "can not be converted to a Timestamp"),
        ("PublishMetrics", metrics(Timestamp=[]), "START_ARRAY can not be converted to a Timestamp"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_and_named(operation, body, words):
    assert words in refused(lambda: decode(operation, body))


def test_unknown_members_are_ignored_and_null_is_absent():
    body = {"Name": "other", "Nonsense": 1, "DagS3Path": None, "NetworkConfiguration": {"X": 1, "SubnetIds": None}}
    assert decode("CreateEnvironment", body) == {"Name": "e", "NetworkConfiguration": {}}


def test_the_last_of_repeated_keys_counts():
    assert decode("CreateEnvironment", b'{"DagS3Path": "a", "DagS3Path": "b"}')["DagS3Path"] == "b"


def test_documents_pass_as_they_are():
    document = {"a": [1, 1.5, None, True, {"b": "語"}], "Z": {}}
    for value in (document, [], "text", 0, False, [None]):
        assert decode("InvokeRestApi", {"Body": value})["Body"] == value
    assert "Body" not in decode("InvokeRestApi", {"Body": None})


def test_an_empty_body_is_an_empty_object():
    assert decode("CreateEnvironment", b"") == {"Name": "e"}
    assert decode("CreateCliToken", b"") == {"Name": "e"}


def test_a_body_is_not_read_where_there_are_no_body_members():
    assert decode("GetEnvironment", b"\xff{") == {"Name": "e"}


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        (1700000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1700000000.5, datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2023-11-14T22:13:20Z", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14T22:13:20.25z", datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)),
        ("2023-11-14T22:13:20", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14T23:13:20+01:00", datetime(2023, 11, 14, 23, 13, 20, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_moments_are_epoch_seconds_or_iso_text(given, moment):
    found = decode("PublishMetrics", metrics(Timestamp=given))["MetricData"][0]["Timestamp"]
    assert found == moment
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("MaxResults=5", {"MaxResults": 5}),
        ("MaxResults=-5", {"MaxResults": -5}),
        ("NextToken=", {"NextToken": ""}),
        ("NextToken", {"NextToken": ""}),
        ("NextToken=a%2Bb%3D&other=1&&", {"NextToken": "a+b="}),
        ("NextToken=a+b%20c", {"NextToken": "a b c"}),
        ("Next%54oken=a=b", {"NextToken": "a=b"}),
        ("nexttoken=a", {}),
    ],
)
def test_a_query_is_read(query, expected):
    assert decode("ListEnvironments", b"", {}, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "MaxResults=",
        "MaxResults=a",
        "MaxResults=1.0",
        "MaxResults=0x1",
        "MaxResults=1_0",
        "MaxResults=%D9%A3",
        "MaxResults=3000000000",
        "MaxResults=99999999999999999999999999",
        "MaxResults=1&MaxResults=1",
        "NextToken=%ff",
        "NextToken=%ed%a0%80",
        "%ff=1",
        "\ud800",
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query):
    refused(lambda: decode("ListEnvironments", b"", {}, query))


def test_a_repeated_query_key_is_a_list():
    found = decode("UntagResource", b"", {"ResourceArn": "a"}, "tagKeys=a&tagKeys=b%20c&tagKeys=a")
    assert found == {"ResourceArn": "a", "tagKeys": ["a", "b c", "a"]}


def test_members_that_mwaa_does_not_use_are_read_too():
    body = {"other": 2**40, "Renamed": 1, "Blob": "AP8=", "Numbers": [1], "Documents": [None, 1], "Map": {"a": True}}
    found = everything(body, query="flag=true&ratio=1.5e3&since=2026-01-01T00:00:00Z", headers=[("x-header", "v")])
    assert found == {
        "Label": 1,
        "Flag": True,
        "Ratio": 1500.0,
        "Since": datetime(2026, 1, 1, tzinfo=UTC),
        "Header": "v",
        "Renamed": 2**40,
        "Blob": b"\x00\xff",
        "Numbers": [1],
        "Documents": [None, 1],
        "Map": {"a": True},
    }


@pytest.mark.parametrize(
    "parts",
    [
        {"label": "x"},
        {"query": "flag=TRUE"},
        {"query": "flag=1"},
        {"query": "ratio=NaN"},
        {"query": "ratio=1e999"},
        {"query": "ratio=inf"},
        {"query": "since=1"},
        {"body": {"other": 2**63}},
        {"body": {"Blob": "AP8"}},
        {"body": {"Blob": "A P8="}},
        {"body": {"Blob": "é"}},
    ],
)
def test_members_that_mwaa_does_not_use_are_refused_too(parts):
    refused(lambda: everything(**parts))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(st.sampled_from(SERVICE.operations), st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.text())
def test_no_request_is_more_than_a_wire_error(operation, body, query):
    labels = {"Name": "e", "EnvironmentName": "e", "ResourceArn": "a"}
    with refused_at_most():
        SERVICE.check(operation, SERVICE.decode(operation, labels, query, [], body))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([path for path in SERVICE.input_members("CreateEnvironment") if "." not in path]), JSON
    )
)
def test_members_of_any_type_are_read_or_refused(body):
    with refused_at_most():
        SERVICE.check("CreateEnvironment", decode("CreateEnvironment", body))
