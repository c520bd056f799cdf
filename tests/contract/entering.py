"""Entering an environment as MWAA's documented samples do, and tokens minted with a running service's own key."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from tests.scenario.insight import superuser
from tradewind.access.tokens import Grant
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.domain.identifiers import EnvironmentId
from tradewind.settings import read
from tradewind.store import Accounts

HALF_A_MINUTE = 30.0
MINUTES = 120.0


@dataclass(frozen=True)
class Said:
    """What a command wrote."""

    stdout: str
    stderr: str


def run_command(service: Any, name: str, command: str) -> Said:
    """The user guide's sample: a token, a POST, two base64 texts."""
    token = service.client().create_cli_token(Name=name)
    answer = post_command(service, token["WebServerHostname"], token["CliToken"], command)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    return Said(*(base64.b64decode(document[stream], validate=True).decode() for stream in ("stdout", "stderr")))


def post_command(service: Any, host: str, token: str, command: str, path: str = "/aws_mwaa/cli") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    url = f"https://{host}{path}"
    return requests.post(url, headers=headers, data=command.encode(), verify=service.ca_bundle, timeout=MINUTES)


def post_login(
    service: Any, host: str, token: str | None, path: str = "/aws_mwaa/login", *, seconds: float = HALF_A_MINUTE
) -> requests.Response:
    form = {} if token is None else {"token": token}
    return requests.post(f"https://{host}{path}", data=form, verify=service.ca_bundle, timeout=seconds)


def claims(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def tampered(token: str) -> dict[str, str]:
    """A token altered in several ways."""
    head, body, signature = token.split(".")
    later = claims(token) | {"exp": int(datetime.now(UTC).timestamp()) + 9999}
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    changed = base64.urlsafe_b64encode(json.dumps(later).encode()).decode().rstrip("=")
    other = "A" if signature[0] != "A" else "B"
    return {
        "signature": f"{head}.{body}.{other}{signature[1:]}",
        "no signature": f"{head}.{body}.",
        "claims": f"{head}.{changed}.{signature}",
        "no algorithm": f"{none}.{changed}.",
        "no token": "x.y.z",
        "nonsense": "nonsense",
        "long": f"{token}{'A' * 5000}",
    }


def key_of(service: Any) -> bytes:
    """The key that the service signs tokens with."""
    engine = sa.create_engine(superuser(service).replace("postgresql://", "postgresql+psycopg://"))
    try:
        sealing, _ = open_sealing(read({}, data_dir=Path(service.data_dir)))
        return Accounts(engine, sealing).ensure().token_key
    finally:
        engine.dispose()


def grant_like(token: str, *, environment: str | None = None) -> Grant:
    """What a token grants, for the same environment or another one's id."""
    said = claims(token)
    id_ = EnvironmentId(environment or said["aud"])
    return Grant(id_, said["env"], said["iam"], said["sub"], tuple(said["roles"]))


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)
