"""Where statements stand in a policy's text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.iam.making import allow, deny
from tradewind.iam.positions import statement_spans

TEXT = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {
      "Effect": "Deny", "Action": "*", "Resource": "*",
      "Condition": {"StringEquals": {"a:b": "}]\\"{"}}
    }
  ]
}"""


def cut(text, span):
    lines = text.split("\n")
    offset = [
        sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1 for place in (span.start, span.end)
    ]
    return text[offset[0] : offset[1]]


def test_lines_and_columns_count_from_one():
    first, second = statement_spans(TEXT)
    assert (first.start.line, first.start.column, first.end.line, first.end.column) == (4, 5, 4, 56)
    assert (second.start.line, second.start.column, second.end.line, second.end.column) == (5, 5, 8, 6)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("statements", [allow(), [allow()], [allow(), deny(Sid="x")]])
@pytest.mark.parametrize("name", ["Statement", "\\u0053tatement"])
def test_a_span_is_its_statement(indent, statements, name):
    document = {"Version": "2012-10-17", "Statement": statements, "Id": '{"Statement": {'}
    text = json.dumps(document, indent=indent).replace('"Statement":', f'"{name}":', 1)
    found = [json.loads(cut(text, span)) for span in statement_spans(text)]
    assert found == (statements if isinstance(statements, list) else [statements])


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3), min_size=1, max_size=4))
def test_no_text_in_a_statement_confuses_it(statements):
    text = json.dumps({"Id": "{[", "Statement": statements, "Version": "]}"}, ensure_ascii=False, indent=1)
    assert [json.loads(cut(text, span)) for span in statement_spans(text)] == statements
