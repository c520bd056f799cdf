r"""Patterns of AWS's models are Java regular expressions: here they become Python's, with Java's meaning.

What differs, and would let a wrong value pass or a right one fail: `\p{L}` and its kin do not exist in
Python's `re`; `\w`, `\d` and `\s` are ASCII in Java; Java's `.` stops at every line terminator and not at
`\n` alone; Python's `$` accepts a trailing newline; Python warns at `[` and `--` inside a class, and warnings
are errors here. So a class is parsed to ranges of code points and written anew, and the rest goes through
token by token. A pattern is always matched against the whole value (`matches`, as AWS does).

What no AWS model here uses (nested classes, `&&`, scripts, flags in the middle) is refused with
CannotTranslate when the model is loaded: better no start than a check that means something else.
"""

import itertools
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

Ranges = tuple[tuple[int, int], ...]

_EVERYTHING: Ranges = ((0, sys.maxunicode),)
_LINE_TERMINATORS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x85, 0x85), (0x2028, 0x2029))
_DIGITS: Ranges = ((0x30, 0x39),)
_UPPER: Ranges = ((0x41, 0x5A),)
_LOWER: Ranges = ((0x61, 0x7A),)
_WORD: Ranges = (*_DIGITS, *_UPPER, (0x5F, 0x5F), *_LOWER)
_SPACE: Ranges = ((0x09, 0x0D), (0x20, 0x20))
_PUNCTUATION: Ranges = ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E))
_CLASSES: Mapping[str, Ranges] = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_POSIX: Mapping[str, Ranges] = {
    "Lower": _LOWER,
    "Upper": _UPPER,
    "ASCII": ((0x00, 0x7F),),
    "Alpha": (*_UPPER, *_LOWER),
    "Digit": _DIGITS,
    "Alnum": (*_DIGITS, *_UPPER, *_LOWER),
    "Punct": _PUNCTUATION,
    "Graph": ((0x21, 0x7E),),
    "Print": ((0x20, 0x7E),),
    "Blank": ((0x09, 0x09), (0x20, 0x20)),
    "Cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "XDigit": (*_DIGITS, (0x41, 0x46), (0x61, 0x66)),
    "Space": _SPACE,
}
_CONTROLS: Mapping[str, int] = {"t": 0x09, "n": 0x0A, "r": 0x0D, "f": 0x0C, "a": 0x07, "e": 0x1B}
_HEXADECIMAL = re.compile(r"x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})")
_PROPERTY = re.compile(r"[pP](?:\{(?:Is)?(\w+)\}|([A-Z]))")
_FLAGS = re.compile(r"\(\?([a-zA-Z]+)\)")
_GROUP = re.compile(r"\(\?(?::|=|!|>|<=|<!|<([a-zA-Z][a-zA-Z0-9]*)>)")


class CannotTranslate(ValueError):
    """A pattern that uses something of Java's for which there is no exact counterpart here."""


class JavaPattern:
    """A Java regular expression, compiled. `text` is the original, as error messages show it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled = re.compile(*translate(text))

    def matches(self, value: str) -> bool:
        """Whether the whole value matches."""
        return self._compiled.fullmatch(value) is not None

    def __repr__(self) -> str:
        return f"JavaPattern({self.text!r})"


def translate(pattern: str) -> tuple[str, int]:
    """Return the pattern in Python's syntax and its flags, for `fullmatch`. Raises CannotTranslate."""
    return _Translation(pattern).run()


class _Translation:
    """One pass over a pattern, from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = re.ASCII
        self.out: list[str] = []

    def run(self) -> tuple[str, int]:
        self._leading_flags()
        rules: Mapping[str, Callable[[], str]] = {
            "\\": self._escape,
            "[": self._class,
            "(": self._group,
            ".": self._dot,
            "^": lambda: self._take(r"\A"),
            "$": lambda: self._take(r"\Z"),
        }
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            self.out.append(rules[char]() if char in rules else self._take(char))
        return "".join(self.out), self.flags

    def _take(self, text: str) -> str:
        self.at += 1
        return text

    def _refuse(self, what: str) -> CannotTranslate:
        return CannotTranslate(f"cannot translate the pattern {self.pattern!r}: {what} at position {self.at}")

    def _leading_flags(self) -> None:
        if found := _FLAGS.match(self.pattern):
            for flag in found[1]:
                match flag:
                    case "i":
                        self.flags |= re.IGNORECASE
                    case "s":
                        self.flags |= re.DOTALL
                    case _:
                        raise self._refuse(f"the flag {flag!r}")
            self.at = found.end()

    def _dot(self) -> str:
        if self.flags & re.DOTALL:
            return self._take(".")
        return self._take(_written(_complement(_LINE_TERMINATORS)))

    def _group(self) -> str:
        if not self.pattern.startswith("(?", self.at):
            return self._take("(")
        found = _GROUP.match(self.pattern, self.at)
        if not found:
            raise self._refuse("a group of an unknown kind")
        self.at = found.end()
        return f"(?P<{found[1]}>" if found[1] else found[0]

    def _escape(self) -> str:
        following = self.pattern[self.at + 1 : self.at + 2]
        match following:
            case "z" | "Z":  # the same where the whole value must match
                self.at += 2
                return r"\Z"
            case "A" | "b" | "B" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9":
                self.at += 2
                return "\\" + following
            case _:
                return _written(self._escaped_ranges())

    def _escaped_ranges(self) -> Ranges:
        """Code points that an escape stands for, inside a class or outside."""
        self.at += 1
        rest = self.pattern[self.at :]
        if not rest:
            raise self._refuse("a backslash that escapes nothing")
        if found := _HEXADECIMAL.match(rest):
            self.at += found.end()
            code = int(found[1] or found[2] or found[3], 16)
            return ((code, code),)
        if found := _PROPERTY.match(rest):
            ranges = self._property(found[1] or found[2])
            self.at += found.end()
            return _complement(ranges) if rest[0] == "P" else ranges
        char = rest[0]
        if char.lower() in _CLASSES:
            self.at += 1
            ranges = _CLASSES[char.lower()]
            return _complement(ranges) if char.isupper() else ranges
        if char in _CONTROLS:
            self.at += 1
            return ((_CONTROLS[char], _CONTROLS[char]),)
        if char.isascii() and char.isalnum():
            raise self._refuse(f"the escape \\{char}")
        self.at += 1
        return ((ord(char), ord(char)),)

    def _property(self, name: str) -> Ranges:
        if name in _POSIX:
            return _POSIX[name]
        found = tuple(itertools.chain.from_iterable(r for c, r in _categories().items() if c.startswith(name)))
        if not found:
            raise self._refuse(f"the property {name!r}")
        return found

    def _class(self) -> str:
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        ranges: list[tuple[int, int]] = []
        while not self.pattern.startswith("]", self.at):
            first = self._class_item()
            if self._range_follows() and _is_one(first):
                self.at += 1
                last = self._class_item()
                if not _is_one(last) or last < first:
                    raise self._refuse("a range with a wrong end")
                ranges.append((first[0][0], last[0][1]))
            else:
                ranges.extend(first)
        if not ranges:
            raise self._refuse("a class that begins with ]")
        self.at += 1
        return _written(_complement(ranges) if negated else _merged(ranges))

    def _range_follows(self) -> bool:
        return self.pattern.startswith("-", self.at) and self.pattern[self.at + 1 : self.at + 2] not in {"", "]"}

    def _class_item(self) -> Ranges:
        char = self.pattern[self.at : self.at + 1]
        match char:
            case "":
                raise self._refuse("a class without an end")
            case "\\":
                return self._escaped_ranges()
            case "[":
                raise self._refuse("a class inside a class")
            case "&" if self.pattern.startswith("&&", self.at):
                raise self._refuse("an intersection of classes")
            case _:
                self.at += 1
                return ((ord(char), ord(char)),)


def _is_one(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


@cache
def _categories() -> Mapping[str, Ranges]:
    """Code points by Unicode category (`Lu`, `Nd`), from the tables of this Python. Takes a tenth of a second."""
    found: dict[str, list[tuple[int, int]]] = {}
    points = range(sys.maxunicode + 1)
    for category, run in itertools.groupby(points, key=lambda point: unicodedata.category(chr(point))):
        together = list(run)
        found.setdefault(category, []).append((together[0], together[-1]))
    return {category: tuple(ranges) for category, ranges in found.items()}


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    gaps: list[tuple[int, int]] = []
    start = 0
    for first, last in _merged(ranges):
        if start < first:
            gaps.append((start, first - 1))
        start = last + 1
    if start <= sys.maxunicode:
        gaps.append((start, sys.maxunicode))
    return tuple(gaps)


def _written(ranges: Sequence[tuple[int, int]]) -> str:
    """Ranges as a class of Python's, each end as a number so that no character has a second meaning."""
    if not ranges:
        return r"(?!)"
    return "[" + "".join(f"\\U{a:08x}" if a == b else f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges) + "]"
