"""Wildcards: `*` is any run of characters, `?` any one character. Linear in the text, whatever the pattern.

A pattern is cut at its stars. The first piece must begin the text, the last must end it, and each one between is
looked for as far left as it may be, which is enough. A piece without `?` is looked for with `str.find`. One with
`?` is run through a bit-parallel automaton (a bit for each character of the piece, a shift for each of the text),
so that no pattern makes a search go back: a policy of 10 KB is decided in milliseconds.

Tokens, not text, make a pattern: a star that came out of a policy variable is a character like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final, TypeVar


class Wild(Enum):
    """The two wildcards."""

    MANY = "*"
    ONE = "?"


Token = str | Wild
T = TypeVar("T")
_COMPONENTS: Final = 6  # arn:partition:service:region:account:resource


@dataclass(frozen=True)
class _Holes:
    """A piece with at least one `?`: characters, None where any character fits."""

    characters: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.characters)

    @cached_property
    def _runs(self) -> tuple[tuple[int, str], ...]:
        runs: list[tuple[int, str]] = []
        for place, character in enumerate(self.characters):
            if character is None:
                continue
            if runs and runs[-1][0] + len(runs[-1][1]) == place:
                runs[-1] = (runs[-1][0], runs[-1][1] + character)
            else:
                runs.append((place, character))
        return tuple(runs)

    @cached_property
    def _masks(self) -> tuple[dict[str, int], int]:
        masks: dict[str, int] = {}
        anywhere = 0
        for place, character in enumerate(self.characters):
            if character is None:
                anywhere |= 1 << place
            else:
                masks[character] = masks.get(character, 0) | 1 << place
        return {character: mask | anywhere for character, mask in masks.items()}, anywhere

    def is_at(self, text: str, place: int) -> bool:
        return len(text) - place >= len(self) and all(text.startswith(run, place + at) for at, run in self._runs)

    def find(self, text: str, start: int, end: int) -> int:
        masks, anywhere = self._masks
        last = 1 << (len(self) - 1)
        state = 0
        for place in range(start, end):
            state = (state << 1 | 1) & masks.get(text[place], anywhere)
            if state & last:
                return place - len(self) + 1
        return -1


_Piece = str | _Holes


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern: `head`, then any number of pieces with stars between. No pieces: an exact match."""

    head: _Piece
    rest: tuple[_Piece, ...] = ()

    @property
    def text(self) -> str | None:
        """The one text that it fits; None when it has wildcards."""
        return self.head if isinstance(self.head, str) and not self.rest else None

    @cached_property
    def _least(self) -> int:
        return len(self.head) + sum(len(piece) for piece in self.rest)

    def fits(self, text: str) -> bool:
        """Whether the whole text is of this pattern."""
        if not self.rest:
            return text == self.head if isinstance(self.head, str) else _is(self.head, text)
        if not _at(self.head, text, 0) or len(text) < self._least:
            return False
        tail = self.rest[-1]
        end = len(text) - len(tail)
        if not _at(tail, text, end):
            return False
        place = len(self.head)
        for piece in self.rest[:-1]:
            found = text.find(piece, place, end) if isinstance(piece, str) else piece.find(text, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return True


def _is(piece: _Holes, text: str) -> bool:
    return len(text) == len(piece) and piece.is_at(text, 0)


def _at(piece: _Piece, text: str, place: int) -> bool:
    return text.startswith(piece, place) if isinstance(piece, str) else piece.is_at(text, place)


ANYTHING: Final = Pattern("", ("",))


@dataclass(frozen=True)
class ArnPattern:
    """A pattern of an ARN: each component by itself, so that a wildcard does not cross a colon.

    A pattern with fewer than six components has its last one stand for all that is left, colons too
    (`arn:aws:iam::*`, `*`); the resource, the sixth, may hold colons of its own.
    """

    components: tuple[Pattern, ...]

    @cached_property
    def _exact(self) -> tuple[tuple[int, str], ...]:
        """Those without wildcards, which decide most questions: compared first, and only as texts."""
        return tuple((place, text) for place, each in enumerate(self.components) if (text := each.text) is not None)

    @cached_property
    def _wild(self) -> tuple[tuple[int, Pattern], ...]:
        return tuple(
            (place, each) for place, each in enumerate(self.components) if each.text is None and each != ANYTHING
        )

    def fits(self, arn: str) -> bool:
        """Whether an ARN is of this pattern. Resources are case-sensitive."""
        parts = arn.split(":", len(self.components) - 1)
        if len(parts) != len(self.components):
            return False
        for place, text in self._exact:
            if parts[place] != text:
                return False
        return all(pattern.fits(parts[place]) for place, pattern in self._wild)


def compile_pattern(tokens: Iterable[Token]) -> Pattern:
    """A pattern from texts and wildcards."""
    pieces: list[_Piece] = []
    current: list[Token] = []
    for token in tokens:
        if token is not Wild.MANY:
            current.append(token)
        elif not pieces or current:  # a run of stars is one star
            pieces.append(_piece(current))
            current = []
    return Pattern(pieces[0], (*pieces[1:], _piece(current))) if pieces else Pattern(_piece(current))


def compile_arn(tokens: Sequence[Token]) -> ArnPattern:
    """A pattern of an ARN from texts and wildcards, cut at the colons of the texts."""
    return ArnPattern(tuple(compile_pattern(component) for component in components_of(tokens)))


def components_of(tokens: Iterable[T]) -> list[list[T | str]]:
    """Tokens cut at the first five colons that stand in texts."""
    components: list[list[T | str]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            components[-1].append(token)
            continue
        first, *others = token.split(":", _COMPONENTS - len(components))
        components[-1].append(first)
        components.extend([other] for other in others)
    return components


def wildcards(text: str) -> list[Token]:
    """A plain text's tokens: its stars and question marks are wildcards."""
    if "*" not in text and "?" not in text:
        return [text]
    tokens: list[Token] = []
    start = 0
    for place, character in enumerate(text):
        if character in "*?":
            if place > start:
                tokens.append(text[start:place])
            tokens.append(Wild(character))
            start = place + 1
    if start < len(text):
        tokens.append(text[start:])
    return tokens


def _piece(tokens: Sequence[Token]) -> _Piece:
    texts = [token for token in tokens if isinstance(token, str)]
    if len(texts) == len(tokens):
        return "".join(texts)
    characters: list[str | None] = []
    for token in tokens:
        characters.extend(token if isinstance(token, str) else [None])
    return _Holes(tuple(characters))
