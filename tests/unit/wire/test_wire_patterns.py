"""Java's regular expressions: same meaning here, on every pattern that AWS's models have, and never slow."""

import sys
import time
import unicodedata

import pytest

from tradewind.wire.patterns import CannotTranslate, JavaPattern
from tradewind.wire.shapes import String, read_model

SERVICES = ("mwaa", "mwaa-serverless")


def pattern_shapes():
    for service in SERVICES:
        for shape in read_model(service).shapes.values():
            if isinstance(shape, String) and shape.pattern:
                yield pytest.param(shape, id=f"{service}-{shape.name}")


@pytest.mark.parametrize("shape", list(pattern_shapes()))
def test_every_pattern_of_the_models_compiles_and_has_a_greatest_length(shape):
    assert shape.pattern.text
    assert shape.bounds.maximum is not None


@pytest.mark.parametrize("shape", list(pattern_shapes()))
def test_no_pattern_is_slow_on_the_longest_hostile_text_that_reaches_it(shape):
    longest = int(shape.bounds.maximum)
    prefixes = ("", "arn:aws", "arn:aws:iam::123456789012:role/", "key/", "https://", "d-", "a.", "sg-", "subnet-")
    hostile = [prefix + filler * longest for prefix in prefixes for filler in ("a", "a.", "-", "/", "0", " ", "MON:")]
    started = time.process_time()
    for text in hostile:
        shape.pattern.matches(text[: longest - 1] + "\n")
        shape.pattern.matches(text[:longest])
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("[a-zA-Z][0-9a-zA-Z-_]*", ["a", "a-_9"], ["", "9", "a\n", "\na", "a.", "aé", "a٣"]),
        (r"\d{12}", ["123456789012"], ["١٢٣٤٥٦٧٨٩٠١٢", "123456789012\n"]),
        (r"\w+.*", ["a", "a:b", "_\x0b"], ["é", "a\n", "a\r", "a\x85", "a\u2028", "a\u2029"]),
        (
            r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
            ["", "é", "語", "a b", "Ⅷ", "\u00a0", "+-@", "\U0001d4b3"],
            ["!", "\t", "e\u0301", "\n"],
        ),
        (r"\P{L}+", ["1!"], ["a", "é"]),
        (r"[^\p{Lu}]", ["a", "1"], ["A", "É"]),
        (r"[^\P{Lu}]", ["A", "É"], ["a", "1"]),
        (r"\pL", ["a"], ["1"]),
        (r"\p{IsL}\p{Alnum}", ["éz"], ["éé"]),
        (r".*d-[0-9]$|^x.*", ["aad-1", "x", "xyz"], ["d-1\n", "d-12", "\nx", "ax"]),
        (r"a\z|b\Z", ["a", "b"], ["a\n", "b\n"]),
        (r"\Aa\.\[\]", ["a.[]"], ["ax[]"]),
        (r"[\x21-\x7E]+", ["!~"], [" ", "\x7f"]),
        (r"\u0041\x{1F600}", ["A😀"], ["A"]),
        (r"a*+a", [], ["aaa"]),
        (r"(?>a|ab)c", ["ac"], ["abc"]),
        (r"(?<n>a|b)\k", None, None),
        (r"(?<n>a|b)\1", ["aa", "bb"], ["ab"]),
        (r"(?i)abck", ["AbCK"], ["abd", "abc\u212a"]),
        (r"(?s)a.b", ["a\nb"], ["ab"]),
        (r"(?:a|b)(?=c)c(?!d)", ["ac"], ["ad"]),
        (r"[a-z--_]+", ["-A_a"], ["{", ","]),
        (r"[a--]", None, None),
        (r"[ -~]+", [" ~"], ["\x1f", "é"]),
        (r"[]a]", None, None),
        (r"[\]\-^a]+", ["]-^a"], ["\\"]),
        (r"[a-]+", ["a-"], ["b"]),
        (r"[\w-.]+", ["a-."], ["/"]),
        (r"[\s\S]", ["\n", "a"], ["", "ab"]),
        (r"[^\s\S]", [], ["\n", "a"]),
        (r"[|~&]{2}", ["||", "~~"], ["|"]),
        (r"\t\e", ["\t\x1b"], ["te"]),
    ],
)
def test_meaning_is_that_of_java(pattern, right, wrong):
    if right is None:
        with pytest.raises(CannotTranslate):
            JavaPattern(pattern)
        return
    compiled = JavaPattern(pattern)
    assert [text for text in right if not compiled.matches(text)] == []
    assert [text for text in wrong if compiled.matches(text)] == []


@pytest.mark.parametrize(
    "pattern",
    ["[a[b]]", "[a-z&&[b]]", "(?m)a", "a(?i)b", r"\p{IsLatin}", r"\X", r"\Qa\E", "[b-a]", "[a", "a\\"],
)
def test_what_has_no_exact_counterpart_is_refused(pattern):
    with pytest.raises(CannotTranslate, match="cannot translate the pattern"):
        JavaPattern(pattern)


@pytest.mark.parametrize("category", ["L", "Z", "N", "Lu", "Cn", "Cs"])
def test_a_category_holds_exactly_its_characters(category):
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    pattern = JavaPattern(rf"[\p{{{category}}}]")._compiled
    expected = "".join(char for char in every if unicodedata.category(char).startswith(category))
    assert "".join(pattern.findall(every)) == expected


def test_the_original_text_is_kept_for_messages():
    assert JavaPattern(r"\p{L}+").text == r"\p{L}+"
    assert repr(JavaPattern("a")) == "JavaPattern('a')"
