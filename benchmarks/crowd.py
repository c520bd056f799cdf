"""Environments that are only rows: so many that none of them could run, for benchmarks of the API alone.

They go through the store's own functions, as CreateEnvironment and the reconciler would have written them, into a
service that nobody else uses. Its reconciler must not act on them. It works only while it holds its lease, so that
lease is taken away first, for longer than any run lasts: the service then behaves as one whose neighbour reconciles.
What a reconciler spends on looking at that many environments is in no figure of these.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from benchmarks.service import Service
from benchmarks.watching import seconds_until
from tradewind.api.operations.creation import spec_from
from tradewind.domain.environments import Change, ChangeState, Environment, Phase, Ports, Secrets, Target
from tradewind.domain.identifiers import new_environment_id
from tradewind.routes.hosts import allocate_address
from tradewind.store import Environments
from tradewind.store.tables import leases

_HOLDER = "benchmark"
_LEASE_SECONDS = 24 * 3600
_FIRST_PORT = 20_000
# so many that GetEnvironment's answer is as long as that of the call that it is compared with
_OPTIONS = {f"core.option_number_{number}": "a value of some length" for number in range(10)}
_TAGS = {f"tag-number-{number}": "a value of some length" for number in range(8)}
_ROLE = "arn:aws:iam::111111111111:role/execution"


@dataclass
class Crowd:
    """Rows in one service's store. `names` in the order in which they were made."""

    environments: Environments
    names: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    def grow(self, size: int) -> None:
        """Make it so many."""
        while len(self.names) < size:
            environment = made(len(self.names), self.addresses)
            self.environments.create(environment)
            self.environments.finish_change(environment.id, "CREATE", phase=Phase.READY, generation=1)
            self.names.append(environment.name)
            self.addresses.add(environment.address or "")


@contextmanager
def crowd(service: Service) -> Iterator[Crowd]:
    """Take the reconciler's lease away for good, and begin with nobody. Only for a service that ends afterwards."""
    engine = service.database_server().engine()
    try:
        take_lease(engine)
        yield Crowd(Environments(engine, service.sealing()))
    finally:
        engine.dispose()


def take_lease(engine: sa.Engine) -> None:
    """Return when the reconciler's lease is ours: it takes its first one just after the start."""
    until = sa.func.now() + sa.text(f"make_interval(secs => {_LEASE_SECONDS})")
    statement = (
        sa.update(leases)
        .where(leases.c.subject == "reconciler")
        .values(holder=_HOLDER, token=leases.c.token + 1, until=until)
    )

    def taken() -> bool:
        with engine.begin() as connection:
            return bool(connection.execute(statement).rowcount)

    seconds_until(taken, limit=30, what="the reconciler's lease to be there")


def made(number: int, addresses: set[str]) -> Environment:
    """The environment of that number, as CreateEnvironment makes it."""
    name = f"bench-{number:05}"
    now = datetime.now(UTC)
    id_ = new_environment_id()
    spec = spec_from(
        {
            "Name": name,
            "ExecutionRoleArn": _ROLE,
            "SourceBucketArn": f"arn:aws:s3:::{name}",
            "DagS3Path": "dags",
            "NetworkConfiguration": {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]},
            "AirflowConfigurationOptions": _OPTIONS,
        }
    )
    return Environment(
        id=id_,
        name=name,
        spec=spec,
        tags=_TAGS,
        target=Target.PRESENT,
        generation=1,
        created_at=now,
        phase=Phase.NEW,
        observed_generation=0,
        address=allocate_address(addresses, str(id_)),
        ports=Ports(api=_FIRST_PORT + 2 * number, broker=_FIRST_PORT + 2 * number + 1),
        secrets=Secrets("f", "j", "a", "s", "b", "d"),
        change=Change("CREATE", ChangeState.PENDING, now),
    )
