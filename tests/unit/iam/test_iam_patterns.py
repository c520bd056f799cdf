"""Wildcards: what they match, that an ARN's stay within its components, and that none makes matching slow."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.iam.patterns import compile_arn, compile_pattern, wildcards


def fits(pattern, text):
    return compile_pattern(wildcards(pattern)).fits(text)


@pytest.mark.parametrize(
    ("pattern", "text", "outcome"),
    [
        ("*", "", True),
        ("*", "anything", True),
        ("**", "", True),
        ("", "", True),
        ("", "a", False),
        ("?", "", False),
        ("?", "a", True),
        ("?", "ab", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*c", "ac", True),
        ("a*c", "abcbc", True),
        ("a*c", "abcb", False),
        ("ab*ba", "aba", False),  # head and tail may not share a character
        ("ab*ba", "abba", True),
        ("*a?b*", "xxaxb", True),
        ("*a?b*", "xxab", False),
        ("*?a*", "a", False),
        ("*a*b*c*", "xaxbxcx", True),
        ("*a*b*c*", "xcxbxax", False),
        ("get*env?ronment", "getmyenvironment", True),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c", "abc", False),
        ("a*\n", "ab\n", True),
        ("??*", "a", False),
        ("*??", "ab", True),
    ],
)
def test_a_wildcard(pattern, text, outcome):
    assert fits(pattern, text) is outcome


@given(pattern=st.text("ab?*", max_size=12), text=st.text("ab", max_size=14))
def test_it_is_what_a_shell_does(pattern, text):
    assert fits(pattern, text) is fnmatch.fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("pattern", "arn", "outcome"),
    [
        ("*", "*", True),
        ("*", "arn:aws:s3:::bucket/key", True),
        ("arn:aws:s3:::*", "arn:aws:s3:::bucket/a:b", True),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", True),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::Bucket/a", False),
        ("arn:aws:airflow:*:123:environment/x", "arn:aws:airflow:eu-west-1:123:environment/x", True),
        ("arn:aws:airflow:*:environment/x", "arn:aws:airflow:eu-west-1:123:environment/x", False),
        ("arn:aws:airflow:*:environment/x", "arn:aws:airflow:a:environment/x", True),
        ("arn:aws:airflow:*:1:x", "arn:aws:airflow:a:b:1:x", False),  # a star does not cross a colon
        ("arn:aws:iam:*", "arn:aws:iam::123:user/alice", True),  # but the last one takes the rest
        ("arn:aws:iam::123:*", "arn:aws:iam::123:user/alice", True),
        ("arn:aws:iam::123:*", "arn:aws:iam::124:user/alice", False),
        ("arn:*:iam::123:user/?", "arn:aws-cn:iam::123:user/a", True),
        ("arn:aws:iam::123:user/a", "*", False),
        ("arn:aws:logs:*:*:log-group:x:*", "arn:aws:logs:r:1:log-group:x:y", True),
        ("arn:aws:logs:r:1:log-group:*:z", "arn:aws:logs:r:1:log-group:x:y:z", True),  # a resource's own colons
    ],
)
def test_an_arn(pattern, arn, outcome):
    assert compile_arn(wildcards(pattern)).fits(arn) is outcome


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*" + "a*" * 5_000 + "b", "a" * 10_000),
        ("*" + "a?a*" * 2_500 + "b", "a" * 10_000),
        ("*" + "a?" * 1_000 + "b", "a" * 10_000),
        ("*" + "?" * 5_000 + "*" + "b" * 1_000, "a" * 10_000),
        ("*" + "ab" * 2_000 + "c*", "ab" * 5_000),
    ],
)
def test_no_pattern_is_slow(pattern, text):
    compiled = compile_pattern(wildcards(pattern))
    began = time.process_time()
    assert not compiled.fits(text)
    assert time.process_time() - began < 5
