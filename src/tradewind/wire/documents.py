"""JSON bodies as AWS reads them: strict, bounded, and never a value that could not be written back.

Python's parser accepts NaN, reads 1e999 as infinity, keeps halves of surrogate pairs and recurses as deep as
the text nests. None of that may enter: it would fail later, in the store or in an answer, as an error of ours.
Everything refused here is a SerializationException (400), AWS's type for a malformed body.
"""

import json
import math
from typing import Any, NoReturn

from tradewind.wire.errors import WireError

GREATEST_DEPTH = 200


def parse_document(body: bytes) -> Any:
    """The JSON value of a body. The last of repeated keys counts. Raises WireError."""
    try:
        # By name: json.loads would also guess UTF-16 and UTF-32 from the first bytes.
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise malformed("The body is nested too deeply.") from None
    except ValueError:  # not JSON, or a number with thousands of digits
        raise malformed("The body is not valid JSON.") from None
    _look_through(value)
    return value


def malformed(sentence: str) -> WireError:
    """The error for a body or a parameter that cannot be read as the model says."""
    return WireError("SerializationException", sentence)


def is_text(value: str) -> bool:
    """Whether the text can be written as UTF-8: no half of a surrogate pair."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number that is too great")
    return number


def _look_through(value: Any) -> None:
    """Refuse depth and lone surrogates; level by level, without recursion."""
    level = [value]
    for _ in range(GREATEST_DEPTH):
        below: list[Any] = []
        for item in level:
            match item:
                case str():
                    _refuse_surrogates(item)
                case list():
                    below.extend(item)
                case dict():
                    for key in item:
                        _refuse_surrogates(key)
                    below.extend(item.values())
        if not below:
            return
        level = below
    raise malformed("The body is nested too deeply.")


def _refuse_surrogates(text: str) -> None:
    if not is_text(text):
        raise malformed("The body has a text with half of a surrogate pair.")
