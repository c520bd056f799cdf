"""XML answers: every kind of value, every kind of error, and every character."""

from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.wire.query_models import SERVICE
from tradewind.wire import FrontDoorError, WireError, load_service

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def echoed(result):
    response = SERVICE.encode("Echo", result, "id")
    assert response.status == 200
    body = response.body.decode()
    start, end = '<EchoResponse xmlns="https://odd/"><EchoResult>', "</EchoResult><ResponseMetadata><RequestId>id"
    assert body.startswith(start)
    assert body.endswith(f"{end}</RequestId></ResponseMetadata></EchoResponse>\n")
    return body[len(start) : body.index(end)]


@pytest.mark.parametrize(
    ("result", "xml"),
    [
        ({}, ""),
        ({"Text": None}, ""),
        ({"Text": ""}, "<text></text>"),
        ({"Text": "<a>&]]>\"'"}, "<text>&lt;a&gt;&amp;]]&gt;\"'</text>"),
        ({"Text": "\t\n\r"}, "<text>\t\n&#13;</text>"),
        ({"Text": "a\0\x1b\x7f\ud800\ufffe語\U0001f600"}, "<text>a\ufffd\ufffd\x7f\ufffd\ufffd語\U0001f600</text>"),
        ({"Whole": 3, "Long": -(2**40), "Real": 0.5}, "<Whole>3</Whole><Long>-1099511627776</Long><Real>0.5</Real>"),
        ({"Flag": True}, "<Flag>true</Flag>"),
        ({"Flag": False}, "<Flag>false</Flag>"),
        ({"Moment": MOMENT}, "<Moment>2026-01-02T03:04:05Z</Moment>"),
        (
            {"Moment": MOMENT.astimezone(timezone(timedelta(hours=2)))},
            "<Moment>2026-01-02T03:04:05Z</Moment>",
        ),
        ({"Bytes": b"\0\xff"}, "<Bytes>AP8=</Bytes>"),
        ({"Texts": []}, "<Texts></Texts>"),
        ({"Texts": ("a", "b")}, "<Texts><member>a</member><member>b</member></Texts>"),
        ({"Named": ["a"]}, "<Named><Item>a</Item></Named>"),
        ({"Flat": ["a", "b"]}, "<Flat>a</Flat><Flat>b</Flat>"),
        ({"FlatNamed": ["a"]}, "<One>a</One>"),
        ({"Nested": [["a"], []]}, "<Nested><member><member>a</member></member><member></member></Nested>"),
        ({"Pairs": {"a": 1}}, "<Pairs><entry><key>a</key><value>1</value></entry></Pairs>"),
        ({"Attributes": {"a": "b"}}, "<Attributes><Name>a</Name><Value>b</Value></Attributes>"),
        ({"Tree": {"Below": [{"Name": "b"}]}}, "<Tree><Below><member><Name>b</Name></member></Below></Tree>"),
    ],
)
def test_a_result_is_written(result, xml):
    assert echoed(result) == xml


def test_an_operation_that_answers_nothing_has_no_result():
    response = SERVICE.encode("Nothing", {}, "id")
    assert response.body == (
        b'<NothingResponse xmlns="https://odd/"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>'
        b"</NothingResponse>\n"
    )
    assert response.headers == {"Content-Type": "text/xml", "x-amzn-RequestId": "id"}


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ({"Unknown": "a"}, ValueError),
        ({"Tree": {"Unknown": "a"}}, ValueError),
        ({"Text": 1}, TypeError),
        ({"Whole": True}, TypeError),
        ({"Flag": "true"}, TypeError),
        ({"Moment": datetime(2026, 1, 1)}, TypeError),  # noqa: DTZ001
        ({"Texts": "ab"}, TypeError),
        ({"Texts": [None]}, TypeError),
        ({"Pairs": {"a": "b"}}, TypeError),
        ({"Bytes": "a"}, TypeError),
    ],
)
def test_a_result_that_is_not_of_the_shape_is_a_defect(result, error):
    with pytest.raises(error, match=r"cannot encode Echo"):
        echoed(result)


def test_a_required_member_that_is_absent_is_a_defect():
    with pytest.raises(ValueError, match="the required member UserName, UserId, Arn, CreateDate is absent"):
        load_service("iam").encode("CreateUser", {"User": {"Path": "/"}}, "id")


@pytest.mark.parametrize(
    ("error", "status", "inner"),
    [
        (WireError("Odd", "a<b"), 418, "<Type>Sender</Type><Code>OddCode</Code><Message>a&lt;b</Message>"),
        (
            WireError("Odd", "a", {"Where": "here"}),
            418,
            "<Type>Sender</Type><Code>OddCode</Code><Message>a</Message><Where>here</Where>",
        ),
        (
            WireError("InternalServerException", "a"),
            500,
            "<Type>Receiver</Type><Code>ServiceFailure</Code><Message>a</Message>",
        ),
        (
            WireError("ExpiredTokenException", "a"),
            400,
            "<Type>Sender</Type><Code>ExpiredTokenException</Code><Message>a</Message>",
        ),
        (
            FrontDoorError("ExpiredTokenException", "a"),
            403,
            "<Type>Sender</Type><Code>ExpiredToken</Code><Message>a</Message>",
        ),
    ],
)
def test_an_error_is_written(error, status, inner):
    response = SERVICE.encode_error(error, "id")
    body = f'<ErrorResponse xmlns="https://odd/"><Error>{inner}</Error><RequestId>id</RequestId></ErrorResponse>\n'
    assert (response.status, response.body.decode()) == (status, body)


def test_an_error_that_nobody_has_is_a_defect():
    with pytest.raises(ValueError, match="cannot encode the error NoSuch: odd has none of that type"):
        SERVICE.encode_error(WireError("NoSuch", ""), "id")


@settings(deadline=None)
@given(st.text(), st.text())
def test_every_text_makes_an_answer_that_can_be_read(text, key):
    found = ET.fromstring(SERVICE.encode("Echo", {"Text": text, "Attributes": {key: text}}, text).body)
    if all(ord(each) > 31 and each not in "\ufffe\uffff" for each in text):
        assert (found[0][0].text or "") == text
    ET.fromstring(SERVICE.encode_error(WireError("Odd", text, {"Where": key}), key).body)
