"""What one decision of IAM costs: CPU time by the kind of policies that the caller holds.

    python -m benchmarks.decisions

Documents are parsed before, as they are in a running service. Each row is the median of many rounds; a round times
a thousand decisions with the process's own clock, so that a busy machine does not count.
"""

import json
import statistics
import time
from collections.abc import Callable, Mapping

from tradewind.iam import (
    Context,
    Holding,
    Kind,
    Policy,
    Principal,
    Request,
    authorise,
    parse_document,
    root_principal,
)
from tradewind.iam.documents import DocumentKind, parse_once

_ROUNDS, _DECISIONS = 15, 1000
_ACCOUNT = "123456789012"
_ENVIRONMENT = f"arn:aws:airflow:us-east-1:{_ACCOUNT}:environment/sample"
_REQUEST = Request(
    "airflow:GetEnvironment",
    _ENVIRONMENT,
    Context.of({"aws:SourceIp": "10.1.2.3", "aws:SecureTransport": True, "aws:ResourceTag/team": "blue"}),
)
_ALICE = Principal(
    f"arn:aws:iam::{_ACCOUNT}:user/alice",
    _ACCOUNT,
    "user/alice",
    user_id="AIDAEXAMPLEEXAMPLE01",
    user_name="alice",
    kind=Kind.USER,
    tags={"team": "blue"},
)
_READ = {"Effect": "Allow", "Action": "airflow:Get*", "Resource": _ENVIRONMENT}
_CONDITIONED = {
    **_READ,
    "Condition": {
        "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]},
        "StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"},
    },
}
_OTHERS = [
    {"Effect": "Allow", "Action": ["airflow:Get*", "s3:*"], "Resource": f"arn:aws:airflow:*:*:environment/other-{n}-*"}
    for n in range(99)
]


def _text(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _holding(*statements: object) -> Holding:
    return Holding((Policy("sample", parse_document(_text(*statements)), "inline policy sample of user alice"),))


def _asking(principal: Principal, holding: Holding) -> Callable[[], object]:
    return lambda: authorise(principal, holding, _REQUEST)


def _parsing(text: str) -> Callable[[], object]:
    return lambda: parse_once(text, DocumentKind.IDENTITY)


def cases() -> Mapping[str, tuple[Callable[[], object], int]]:
    """What is measured, and how many times a round."""
    both = _holding(_READ)
    limited = Holding(both.identity, both.identity[0], both.identity)
    return {
        "root": (_asking(root_principal(_ACCOUNT), Holding()), _DECISIONS),
        "no policy": (_asking(_ALICE, Holding()), _DECISIONS),
        "one statement": (_asking(_ALICE, _holding(_READ)), _DECISIONS),
        "one statement with two conditions": (_asking(_ALICE, _holding(_CONDITIONED)), _DECISIONS),
        "one statement, boundary, session policy": (_asking(_ALICE, limited), _DECISIONS),
        "100 statements": (_asking(_ALICE, _holding(*_OTHERS, _READ)), _DECISIONS // 10),
        "parsing one statement": (_parsing(_text(_CONDITIONED)), _DECISIONS // 10),
        "parsing 100 statements": (_parsing(_text(*_OTHERS, _READ)), _DECISIONS // 100),
    }


def median(ask: Callable[[], object], times: int) -> float:
    """Microseconds of CPU for one."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time_ns()
        for _ in range(times):
            ask()
        rounds.append((time.process_time_ns() - began) / times / 1000)
    return statistics.median(rounds)


if __name__ == "__main__":
    print("| what | µs of CPU, median |\n| --- | ---: |")
    for name, (ask, times) in cases().items():
        print(f"| {name} | {median(ask, times):.1f} |")
