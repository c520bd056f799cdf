"""Temporary credentials: a key's session token is there, signed, the right one, once, and not yet at its end."""

import hashlib
from datetime import timedelta

import pytest

from tests.unit.wire.signed import INVALID, KEY, NOW, SECRET, STAMP, TEMPORARY, TOKEN, answered, header, request, sign
from tradewind.wire import Caller, Key, SignedRequest


def with_tokens(*tokens, query="", names="host;x-amz-date;x-amz-security-token"):
    """A request rightly signed over the tokens in its headers and its query."""
    lines = f"x-amz-security-token:{','.join(tokens)}\n" if "token" in names else ""
    canonical = f"GET\n/\n{query}\nhost:h\nx-amz-date:{STAMP}\n{lines}\n{names}\n{hashlib.sha256(b'').hexdigest()}"
    more = [("X-Amz-Security-Token", token) for token in tokens]
    return request(header(names=names, signature=sign(canonical)), host="h", query=query, more=more)


def test_temporary_credentials_are_accepted_with_their_token_until_they_end():
    second = timedelta(seconds=1)
    key = Key(SECRET, TOKEN, NOW + second)
    assert answered(with_tokens(TOKEN), key) == Caller(KEY)
    expired = ("ExpiredTokenException", "The security token included in the request is expired")
    assert answered(with_tokens(TOKEN), key, NOW + second) == expired
    assert answered(with_tokens(TOKEN), Key(SECRET, TOKEN)) == Caller(KEY)


@pytest.mark.parametrize(
    ("signed", "key"),
    [
        (with_tokens(TOKEN), Key(SECRET)),
        (with_tokens(""), Key(SECRET)),
        (with_tokens(), TEMPORARY),
        (with_tokens(names="host;x-amz-date"), TEMPORARY),
        (with_tokens(""), TEMPORARY),
        (with_tokens(TOKEN[:-1]), TEMPORARY),
        (with_tokens(TOKEN + "x"), TEMPORARY),
        (with_tokens("\u00e9"), TEMPORARY),
        (with_tokens(TOKEN, TOKEN), TEMPORARY),
        (with_tokens(TOKEN, query="X-Amz-Security-Token=x"), TEMPORARY),
        (with_tokens(TOKEN, query=f"X-Amz-Security-Token={TOKEN.replace('/', '%2F')}"), TEMPORARY),
        (with_tokens(names="host;x-amz-date", query=f"X-Amz-Security-Token={TOKEN.replace('/', '%2F')}"), TEMPORARY),
    ],
)
def test_a_session_token_that_is_missing_superfluous_wrong_or_given_twice(signed, key):
    assert answered(signed, key) == INVALID


def test_a_session_token_must_be_signed():
    signed = with_tokens(names="host;x-amz-date")
    signed = SignedRequest("GET", "/", "", [*signed.headers, ("X-Amz-Security-Token", TOKEN)], b"")
    code, message = answered(signed, TEMPORARY)
    assert code == "InvalidSignatureException"
    assert message == "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."


def test_the_end_of_credentials_is_told_only_to_who_holds_the_secret():
    ended = Key("another", TOKEN, NOW - timedelta(days=1))
    assert answered(with_tokens(TOKEN), ended)[0] == "InvalidSignatureException"


def test_secrets_are_not_shown():
    shown = repr(TEMPORARY)
    assert SECRET not in shown
    assert TOKEN not in shown
