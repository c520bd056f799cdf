"""Whom a trust policy names, kept by unique ids: a name that is made again is not the one that was trusted.

As AWS does it (IAM User Guide, "AWS JSON policy elements: Principal"): when a trust policy is saved, the ARN of a user
or role of the account becomes its unique id, and a principal that is not there is refused; when the policy is shown,
the id becomes the ARN that its owner has by then, and stays an id when its owner is gone. Other accounts, services,
`*`, the account itself and sessions are kept as they are. A text in which nothing changes is kept as it was sent.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from tradewind.iam.entities import Home
from tradewind.iam.refusals import malformed

_ID = re.compile(r"A(?:IDA|ROA)[A-Z2-7]{17}")
_NAMED = ("Principal", "NotPrincipal")


def named_by_id(trust: str, home: Home, id_of: Callable[[str], str | None]) -> str:
    """A trust policy to keep. `id_of` takes an ARN or a unique id to a unique id. Raises Refused.

    The document must have been accepted by `parse_document`.
    """
    prefix = home.arn("")

    def replaced(name: str) -> str:
        is_ours = name.startswith(prefix) and name != home.root()
        if not is_ours and not _ID.fullmatch(name):
            return name
        id_ = id_of(name)
        if id_ is None:
            raise malformed(f'Invalid principal in policy: "AWS":"{name}"')
        return id_

    return _rewritten(trust, replaced)


def named_by_arn(trust: str, arn_of: Callable[[str], str | None]) -> str:
    """A kept trust policy to show; the id of who is gone stays."""
    return _rewritten(trust, lambda name: arn_of(name) or name) if ids_in(trust) else trust


def ids_in(trust: str) -> frozenset[str]:
    """Every unique id that a kept trust policy may name."""
    return frozenset(_ID.findall(trust))


def _rewritten(trust: str, replaced: Callable[[str], str]) -> str:
    document = json.loads(trust, parse_float=_exactly)
    statements = document["Statement"]
    are_same = True
    for statement in statements if isinstance(statements, list) else [statements]:
        for element in _NAMED:
            principal = statement.get(element)
            if isinstance(principal, dict) and "AWS" in principal:
                new = _names(principal["AWS"], replaced)
                are_same = are_same and new == principal["AWS"]
                principal["AWS"] = new
    return trust if are_same else json.dumps(document)


def _exactly(written: str) -> float | str:
    """A number, or its text where it would not come out as it went in: in conditions both mean the same."""
    return number if repr(number := float(written)) == written else written


def _names(names: Any, replaced: Callable[[str], str]) -> Any:
    return [replaced(name) for name in names] if isinstance(names, list) else replaced(names)
