"""What the operations work with: the store, the clock, tokens, and the way to an environment's web server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from tradewind.access.sessions import AirflowSessions
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.routes.hosts import HostPlan
from tradewind.store import Account, Environments
from tradewind.store.snapshots import SnapshotRecords


@dataclass(frozen=True)
class Services:
    """Wired once, in bootstrap."""

    account: Account
    place: Place
    environments: Environments
    snapshots: SnapshotRecords
    hosts: HostPlan
    sessions: AirflowSessions
    http: httpx.Client
    now: Callable[[], datetime]
    draw_port: Callable[[set[int]], int]

    def host(self, environment: Environment) -> str:
        """Where an environment's web server answers: `host` or `host:port`."""
        return self.hosts.host(environment.id, environment.address).authority
