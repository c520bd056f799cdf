"""What the operations work with: the store, the clock, tokens, and the way to an environment's web server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.access.clients import Cookieless
from tradewind.access.keyholders import Keyholders
from tradewind.access.limits import Buckets, Rate, WrongTries
from tradewind.access.sessions import AirflowSessions
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.routes.hosts import HostPlan
from tradewind.store import Account, Environments
from tradewind.store.identities import Identities
from tradewind.store.keyring import Keyring
from tradewind.store.rotations import Rotations
from tradewind.store.sessions import Sessions
from tradewind.store.snapshots import SnapshotRecords
from tradewind.store.trail import Trail

# Tokens for one environment that an identity may ask for. MWAA's own limit of InvokeRestApi is 10 a second too.
TOKEN_CALLS = Rate(burst=200, per_second=10)


@dataclass(frozen=True)
class Services:
    """Wired once, in bootstrap."""

    account: Account
    place: Place
    environments: Environments
    snapshots: SnapshotRecords
    hosts: HostPlan
    sessions: AirflowSessions
    http: Cookieless
    now: Callable[[], datetime]
    draw_port: Callable[[set[int]], int]
    keyring: Keyring
    trail: Trail
    keyholders: Keyholders
    tries: WrongTries
    rotations: Rotations
    token_calls: Buckets = field(default_factory=lambda: Buckets(TOKEN_CALLS))

    @property
    def identities(self) -> Identities:
        """IAM's store."""
        return self.keyholders.identities

    @property
    def temporary(self) -> Sessions:
        """Temporary credentials."""
        return self.keyholders.sessions

    def host(self, environment: Environment) -> str:
        """Where an environment's web server answers: `host` or `host:port`."""
        return self.hosts.host(environment.id, environment.address).authority
