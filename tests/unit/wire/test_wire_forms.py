"""Forms: what is read, what is ignored, what is refused, and that no form keeps us busy."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.wire.query_models import SERVICE
from tradewind.wire import SignedRequest, WireError, load_service
from tradewind.wire.forms import GREATEST_COUNT, GREATEST_DEPTH, GREATEST_NAME

IAM, STS = load_service("iam"), load_service("sts")
SECONDS = 15  # of CPU for one request of 6 MB: at most one was measured, and some machines are slow


def decode(form, query=""):
    return SERVICE.decode("Echo", {}, query, [], form if isinstance(form, bytes) else form.encode())


def refusal(form, query=""):
    with pytest.raises(WireError) as raised:
        decode(form, query)
    assert raised.value.code == "SerializationException"
    return raised.value.message


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("", {}),
        ("&&Action=Echo&&", {}),
        ("text=a+b%20c%2B", {"Text": "a b c+"}),
        ("text=", {"Text": ""}),
        ("text", {"Text": ""}),
        ("text=a=b", {"Text": "a=b"}),
        ("text=%zz%", {"Text": "%zz%"}),
        ("te%78t=%E8%AA%9E", {"Text": "語"}),
        ("text=語", {"Text": "語"}),
        ("text=a%00", {"Text": "a\0"}),
        ("text=a&text.b=c", {"Text": "a"}),
        ("Text=a&unknown=b&unknown.1=c&Tex=d&X-Amz-Date=e", {}),
        ("Whole=-2147483648&Long=9223372036854775807&Real=-1.5e3",
         {"Whole": -(2**31), "Long": 2**63 - 1, "Real": -1500.0}),
        ("Flag=true", {"Flag": True}),
        ("Flag=false", {"Flag": False}),
        ("Moment=2026-01-02T03%3A04%3A05Z", {"Moment": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}),
        ("Bytes=AP8%3D", {"Bytes": b"\0\xff"}),
        ("Texts=", {"Texts": []}),
        ("Texts.member.2=b&Texts.member.1=a", {"Texts": ["a", "b"]}),
        ("&".join(f"Texts.member.{n}={n}" for n in range(1, 101)), {"Texts": [str(n) for n in range(1, 101)]}),
        ("Named.Item.1=a", {"Named": ["a"]}),
        ("Flat.1=a&Flat.2=b", {"Flat": ["a", "b"]}),
        ("Flat=", {"Flat": []}),
        ("One.1=a", {"FlatNamed": ["a"]}),
        ("FlatNamed=", {"FlatNamed": []}),
        ("Nested.member.1.member.1=a&Nested.member.2=", {"Nested": [["a"], []]}),
        ("Pairs.entry.1.key=a&Pairs.entry.1.value=1", {"Pairs": {"a": 1}}),
        ("Pairs=", {"Pairs": {}}),
        ("Attributes.1.Name=a&Attributes.1.Value=b&Attributes.1.Other=c", {"Attributes": {"a": "b"}}),
        ("Tree.Name=a&Tree.Below.member.1.Name=b", {"Tree": {"Name": "a", "Below": [{"Name": "b"}]}}),
        ("Tree=", {"Tree": {}}),
        ("Tree.Unknown=a", {"Tree": {}}),
    ],
)  # fmt: skip
def test_a_form_is_read(form, found):
    assert decode(form) == found
    assert decode(b"", form.encode().decode("latin-1") if form.isascii() else "") == (found if form.isascii() else {})


def test_query_and_body_are_one_form():
    assert decode("text=a", "Whole=1") == {"Text": "a", "Whole": 1}
    assert "more than once" in refusal("text=a", "text=a")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (b"text=%ff", "not UTF-8"),
        (b"text=\xff", "not UTF-8"),
        (b"%ff=a", "not UTF-8"),
        (b"text=%ed%a0%80", "not UTF-8"),
        ("text=a&text=a", "more than once"),
        ("text=a&te%78t=b", "more than once"),
        ("unknown=a&unknown=b", "more than once"),
        ("text.a=1", "has parts where it must have a value"),
        ("Whole=1.0", "STRING_VALUE can not be converted to an Integer at 'Whole'"),
        ("Whole=", "can not be converted to an Integer"),
        ("Whole=%D9%A1", "can not be converted to an Integer"),
        ("Whole=2147483648", "out of the range"),
        ("Whole=" + "9" * 5000, "can not be converted to an Integer"),
        ("Long=9223372036854775808", "out of the range"),
        ("Real=NaN", "can not be converted to a Double"),
        ("Real=1e999", "out of the range"),
        ("Flag=True", "can not be converted to a Boolean"),
        ("Moment=yesterday", "Timestamp"),
        ("Moment=2026-02-31T00:00:00Z", "Timestamp"),
        ("Bytes=a", "not base64"),
        ("Texts=a", "has a value of its own"),
        ("Texts=&Texts.member.1=a", "has a value of its own"),
        ("Texts.1=a", "not all named Texts.member.N"),
        ("Texts.Member.1=a", "not all named"),
        ("Texts.member.1=a&Texts.other=b", "not all named"),
        ("Texts.member=a", "not all named"),
        ("Texts.member=&Texts.member.1=a", "not all named"),
        ("Named.member.1=a", "not all named Named.Item.N"),
        ("Flat.member.1=a", "not numbered"),
        ("Flat.1=a&Flat=b", "has a value of its own"),
        *((f"Texts.member.{index}=a", "not numbered from 1 without a gap") for index in (
            "0", "2", "-1", "+1", "01", "1e0", "", "x", "%D9%A1", "1%00", "4294967297", "9" * 900)),
        ("Texts.member.1=a&Texts.member.3=b", "not numbered"),
        ("Texts.member.1=a&Texts.member.01=b", "not numbered"),
        ("Nested.member.1.member.2=a", "not numbered"),
        ("Nested.member.1=a", "has a value of its own"),
        ("Pairs.entry.1.key=a", "has no key or no value"),
        ("Pairs.entry.1.value=1", "has no key or no value"),
        ("Pairs.entry.1=a", "has no key or no value"),
        ("Pairs.1.key=a&Pairs.1.value=1", "not all named Pairs.entry.N"),
        ("Pairs.entry.1.key=a&Pairs.entry.1.value=1&Pairs.entry.2.key=a&Pairs.entry.2.value=2", "more than once"),
        ("Attributes.entry.1.Name=a&Attributes.entry.1.Value=b", "not numbered"),
        ("Tree=a", "can not be converted to a Structure"),
        ("Tree=a&Tree.Name=b", "can not be converted to a Structure"),
        ("Tree" + ".Below.member.1" * 20 + ".Name=a", "nested too deeply"),
    ],
)  # fmt: skip
def test_a_form_is_refused(form, words):
    assert words in refusal(form)


def test_as_many_parameters_as_are_allowed_and_no_more():
    form = "&".join(f"Texts.member.{n}=a" for n in range(1, GREATEST_COUNT + 1))
    assert decode(form) == {"Texts": ["a"] * GREATEST_COUNT}
    assert "more than 10000 parameters" in refusal(form + "&x=1")


def test_a_name_as_long_as_is_allowed_and_no_longer():
    assert decode("a" * GREATEST_NAME + "=b") == {}
    assert "too long a name" in refusal("a" * (GREATEST_NAME + 1) + "=b")


def test_as_deep_as_is_allowed_and_no_deeper():
    assert decode(f"text{'.a' * (GREATEST_DEPTH - 1)}=b&text=c") == {"Text": "c"}
    assert "nested too deeply" in refusal(f"text{'.a' * GREATEST_DEPTH}=b&text=c")


NAMES = st.lists(
    st.sampled_from(
        ["Texts", "Flat", "One", "Pairs", "Tree", "Below", "member", "entry", "key", "value", "1", "2", "0"]
    )
    | st.text(max_size=3),
    max_size=6,
).map(".".join)
PAIRS = st.tuples(NAMES, st.sampled_from(["", "1", "true", "%ff", "%"]) | st.text(max_size=5))


@settings(deadline=None)
@given(st.lists(PAIRS).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)), st.text(max_size=9))
def test_any_form_at_all_is_read_or_a_wire_error(form, query):
    try:
        SERVICE.check("Echo", decode(form.encode("utf-8", "surrogatepass"), query))
    except WireError as error:
        SERVICE.encode_error(error, "id")


@settings(deadline=None)
@given(st.sampled_from([IAM, STS]), st.text(), st.binary(), st.data())
def test_any_bytes_at_all_are_read_or_a_wire_error(service, query, body, data):
    operation = data.draw(st.sampled_from(service.operations))
    for form in (body, f"Action={operation}&".encode() + body):
        try:
            service.route(SignedRequest("POST", "/", query, [], form))
            service.check(operation, service.decode(operation, {}, query, [], form))
        except WireError as error:
            service.encode_error(error, "id")


SIX_MEGABYTES = 6 * 1024 * 1024
HOSTILE = {
    "many": b"a=b&" * (SIX_MEGABYTES // 4),
    "separators": b"&" * SIX_MEGABYTES,
    "equals": b"=" * SIX_MEGABYTES,
    "dots": b"Tags" + b"." * SIX_MEGABYTES,
    "percents": b"UserName=" + b"%" * SIX_MEGABYTES,
    "escapes between": b"UserName=" + b"%41a" * (SIX_MEGABYTES // 4),
    "escapes": b"UserName=" + b"%41" * (SIX_MEGABYTES // 3),
    "pluses": b"UserName=" + b"+" * SIX_MEGABYTES,
    "one name": b"A" * SIX_MEGABYTES,
    "one index": b"Tags.member." + b"1" * SIX_MEGABYTES,
    "one number": b"MaxItems=" + b"1" * SIX_MEGABYTES,
    "one moment": b"UserName=2026-01-01T00:00:00." + b"1" * SIX_MEGABYTES,
    "long names": b"&".join(b"Tags.member.%d.Key%s=x" % (n, b"y" * 600) for n in range(1, 9_999)),
    "deep names": b"&".join(b"Tags.member.%d%s=x" % (n, b".abcdefghij" * 29) for n in range(1, 9_999)),
    "tags": b"&".join(b"Tags.member.%d.Key=%s" % (n, b"y" * 600) for n in range(1, 9_999)),
    "reversed": b"&".join(b"Tags.member.%d.Key=k" % n for n in range(9_999, 0, -1)),
    "slashes": b"UserName=b&Path=" + b"/a" * (SIX_MEGABYTES // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_six_hostile_megabytes_take_a_bounded_time(name):
    body = HOSTILE[name]
    begun = time.process_time()
    for operation in ("CreateUser", "ListUsers"):
        try:
            IAM.route(SignedRequest("POST", "/", "", [], b"Version=2010-05-08&Action=CreateUser&" + body))
            IAM.check(operation, IAM.decode(operation, {}, "", [], body))
        except WireError:
            pass
    assert time.process_time() - begun < 2 * SECONDS


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(["a", "/", "-", "a-", "/a", "é", " ", "{", "o-", "v1.", "http://a", "a?a", "x\n"]))
def test_no_pattern_is_kept_busy(unit):
    text = unit * (SIX_MEGABYTES // 10 // len(unit))
    begun = time.process_time()
    for pattern in {shape.pattern for shape in IAM._model.shapes.values() if getattr(shape, "pattern", None)}:
        pattern.matches(text)
        pattern.matches(text + "\0")
    assert time.process_time() - begun < SECONDS
