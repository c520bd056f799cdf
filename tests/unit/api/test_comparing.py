"""Signatures are compared in a time that does not tell how much of one was right: in headers and in queries."""

import dataclasses
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.unit.api.doubles import ACCOUNT, MWAA, refusal, services, signed
from tradewind.api.chain import Chain
from tradewind.api.requests import RawRequest


def by_header() -> tuple[RawRequest, str]:
    """A signed request, and its signature."""
    request = signed("GET", "/environments")
    authorization = dict(request.headers)["Authorization"]
    return request, authorization.rpartition("Signature=")[2]


def by_query() -> tuple[RawRequest, str]:
    request = AWSRequest(method="GET", url="https://localhost/environments", headers={"Host": "localhost"})
    known = Credentials(ACCOUNT.access_key_id, ACCOUNT.secret_access_key)
    SigV4QueryAuth(known, "airflow", "us-east-1", expires=60).add_auth(request)
    parts = urlsplit(request.url)
    return RawRequest("GET", parts.path, parts.query, (("Host", "localhost"),), b""), parts.query.rpartition("=")[2]


def with_signature(request: RawRequest, old: str, new: str) -> RawRequest:
    headers = tuple((name, value.replace(old, new)) for name, value in request.headers)
    return dataclasses.replace(request, headers=headers, query=request.query.replace(old, new))


WRONG = {
    "the first digit": lambda right: ("1" if right[0] == "0" else "0") + right[1:],
    "the last digit": lambda right: right[:-1] + ("1" if right[-1] == "0" else "0"),
    "all digits": lambda _right: "0" * 64,
}


@pytest.mark.parametrize("way", [by_header, by_query])
@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_signature_is_compared_whole(monkeypatch, way, how):
    compared = []

    def comparing(one, other):
        compared.append((bytes(one, "ascii") if isinstance(one, str) else one, other))
        return original(one, other)

    original = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", comparing)
    request, right = way()
    working = dataclasses.replace(services(), now=lambda: datetime.now(UTC))
    chain = Chain(MWAA, working)
    assert chain.answer(request, "r").status == 200
    answered = chain.answer(with_signature(request, right, WRONG[how](right)), "r")
    assert refusal(answered)[:2] == (403, "InvalidSignatureException")
    assert [(len(one), len(other)) for one, other in compared] == [(64, 64), (64, 64)]
