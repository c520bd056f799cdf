"""What the gateway's handlers work with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.access.execution_roles import IssueCredentials
from tradewind.access.limits import WrongTries
from tradewind.access.openid import Federation, OpenIdFlow
from tradewind.access.sessions import AirflowSessions
from tradewind.access.tokens import UsedTokens
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.domain.manifests import Completed
from tradewind.store import Account, Credential, Environments
from tradewind.store.trail import Trail

RunCli = Callable[[Environment, tuple[str, ...]], Completed]
"""Runs Airflow's command line inside an environment, to its end or its time limit."""


@dataclass(frozen=True)
class KeySignIn:
    """What the form for access keys needs: whose a key is, and where the Airflow roles' ARNs lie."""

    credential: Callable[[str], Credential | None]
    place: Place
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class OpenIdSignIn:
    """What sign-in through the provider needs. `host` says where an environment answers: `host` or `host:port`."""

    flow: OpenIdFlow
    federation: Federation
    host: Callable[[Environment], str]


@dataclass(frozen=True)
class GatewayServices:
    """Wired once, in bootstrap. With `keys` the sign-in page has a form for access keys, with `openid` a provider."""

    account: Account
    environments: Environments
    sessions: AirflowSessions
    used_tokens: UsedTokens
    run_cli: RunCli
    now: Callable[[], datetime]
    trail: Trail
    tries: WrongTries = field(default_factory=WrongTries)
    keys: KeySignIn | None = None
    issue_credentials: IssueCredentials | None = None  # without it none are given
    openid: OpenIdSignIn | None = None
