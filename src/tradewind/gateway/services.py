"""What the gateway's handlers work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tradewind.access.sessions import AirflowSessions
from tradewind.access.tokens import UsedTokens
from tradewind.domain.environments import Environment
from tradewind.domain.manifests import Completed
from tradewind.store import Account, Environments

RunCli = Callable[[Environment, tuple[str, ...]], Completed]
"""Runs Airflow's command line inside an environment, to its end or its time limit."""


@dataclass(frozen=True)
class GatewayServices:
    """Wired once, in bootstrap."""

    account: Account
    environments: Environments
    sessions: AirflowSessions
    used_tokens: UsedTokens
    run_cli: RunCli
    now: Callable[[], datetime]
