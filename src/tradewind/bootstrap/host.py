"""What the service itself stands on: PostgreSQL and the proxy, as the host's manifest under its own supervisor."""

import dataclasses
import socket
from dataclasses import dataclass

from tradewind.bootstrap import directory
from tradewind.bootstrap.directory import HostState
from tradewind.domain.environments import Environment, Phase, Target
from tradewind.domain.errors import CannotStart
from tradewind.domain.manifests import HOST, Manifest, Process, ProcessState
from tradewind.routes.configuration import Door, EnvironmentRoute
from tradewind.routes.door import Doorkeeper, storage_folder
from tradewind.routes.hosts import HostPlan, free_port, plan_hosts
from tradewind.runtime import Runtime, users
from tradewind.settings import DEFAULT_PORT, Settings
from tradewind.store import Environments
from tradewind.store.server import SUPERUSER, Cluster, Server


@dataclass(frozen=True)
class Host:
    """The host's part of one data directory. `cluster` is None where an external server is used."""

    state: HostState
    server: Server
    cluster: Cluster | None
    doorkeeper: Doorkeeper
    plan: HostPlan
    runtime: Runtime
    generation: int
    processes: tuple[Process, ...]

    def keep(self) -> None:
        """Keep the host's processes as wanted: a supervisor that died is replaced, what gave up is started again."""
        seen = self.runtime.observe(HOST)
        wanted = {process.name: process.digest() for process in self.processes}
        at_work = {p.name: p.digest for p in seen.processes if p.state in {ProcessState.RUNNING, ProcessState.STARTING}}
        if not seen.supervised or at_work != wanted:
            self.runtime.apply(Manifest(HOST, max(self.generation, seen.generation), self.processes))
        self.runtime.trim_logs(HOST)


def decide(settings: Settings, runtime: Runtime) -> HostState:
    """Ports and passwords: those of the last time, or new ones. Raises CannotStart for a port that cannot be had."""
    layout = settings.layout
    before = directory.recall(layout)
    ours = {process.name for process in runtime.observe(HOST).processes if process.pid}
    if before is None:
        port = _api_port(settings.port)
        plan = plan_hosts(settings.region, settings.domain, port)
        state = HostState(
            postgres_port=draw_port({port}),
            postgres_password=directory.new_password(),
            api_port=port,
            web_port=plan.port,
            names_resolve=plan.names_resolve,
        )
    else:
        state = before
        if "caddy" not in ours or (settings.port is not None and settings.port != before.api_port):
            asked = settings.port or before.api_port
            port = free_port(asked, named=settings.port is not None)
            plan = plan_hosts(settings.region, settings.domain, port)
            state = dataclasses.replace(state, api_port=port, web_port=plan.port, names_resolve=plan.names_resolve)
        if "postgres" not in ours and not _is_free(state.postgres_port):
            state = dataclasses.replace(state, postgres_port=draw_port({state.api_port}))
    state.write(layout)
    return state


def assemble(settings: Settings, state: HostState, runtime: Runtime) -> Host:
    """The host's manifest and the tools around it."""
    layout = settings.layout
    door = Door(
        storage=storage_folder(layout.ca),
        admin_socket=layout.run / "caddy.sock",
        control_plane=layout.run / "api.sock",
        port=state.api_port,
        names=_names(),
    )
    doorkeeper = Doorkeeper(door, layout.ca)
    plan = HostPlan(settings.region, settings.domain, state.names_resolve, state.web_port)
    processes = [doorkeeper.process(layout.logs / "caddy.log")]
    if settings.database_url is None:
        server = Server("127.0.0.1", state.postgres_port, SUPERUSER, state.postgres_password)
        cluster = Cluster(layout, server, users.ensure(users.POSTGRES), runtime)
        processes.append(cluster.process())
    else:
        server, cluster = Server.from_url(settings.database_url), None
    return Host(state, server, cluster, doorkeeper, plan, runtime, 1, tuple(processes))


def routes(environments: Environments, plan: HostPlan) -> list[EnvironmentRoute]:
    """What the door should send where: every environment that is wanted and not refused."""
    found = []
    for environment in environments.all():
        if has_route(environment):
            host = plan.host(environment.id, environment.address)
            found.append(EnvironmentRoute(environment.id, host.name, host.port, environment.ports.api, host.address))
    return found


def has_route(environment: Environment) -> bool:
    """Whether an environment's host should be at the door."""
    return environment.target is Target.PRESENT and environment.phase is not Phase.REFUSED


def draw_port(taken: set[int]) -> int:
    """A loopback port that nobody listens on now and nobody else was promised."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
    raise CannotStart("cannot find a free port on 127.0.0.1")


def _api_port(named: int | None) -> int:
    return free_port(named if named is not None else DEFAULT_PORT, named=named is not None)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _names() -> tuple[str, ...]:
    name = socket.gethostname()
    return (name,) if name and name != "localhost" and "_" not in name else ()
