"""Where a policy's statements stand in its text, for answers that show them (`MatchedStatements`).

A document is parsed without positions, since nothing else needs them. This reads the text once more: it is JSON that
has been accepted, so strings, braces and brackets are all that must be told apart. Lines and columns count from 1.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_DEPTH_OF_MEMBERS = 1


@dataclass(frozen=True)
class Position:
    """A place in a text."""

    line: int
    column: int


@dataclass(frozen=True)
class Span:
    """From the opening brace of a statement to the place after its closing one."""

    start: Position
    end: Position


def statement_spans(text: str) -> tuple[Span, ...]:
    """The places of all statements of an accepted policy document, in their order."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def position(offset: int) -> Position:
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    return tuple(Span(position(start), position(end)) for start, end in _offsets(text))


def _offsets(text: str) -> Iterator[tuple[int, int]]:
    depth, member, opened, level = 0, "", 0, 0
    for token in _TOKEN.finditer(text):
        match token[0][0]:
            case '"':
                if depth == _DEPTH_OF_MEMBERS:
                    member = json.loads(token[0])
            case "{" if depth and not level and member == "Statement":
                depth, opened, level = depth + 1, token.start(), depth + 1
            case "{" | "[":
                depth += 1
            case _:
                if depth == level:
                    yield opened, token.end()
                    level = 0
                depth -= 1
