"""What the service itself stands on: PostgreSQL and the proxy, as the host's manifest under its own supervisor."""

import dataclasses
import socket
from dataclasses import dataclass

import structlog

from tradewind.bootstrap import directory
from tradewind.bootstrap.directory import HostState
from tradewind.bootstrap.entrances import certificates, private_addresses
from tradewind.domain.environments import Environment, Phase, Target
from tradewind.domain.errors import CannotProvide, CannotStart
from tradewind.domain.manifests import HOST, Manifest, Process, ProcessState
from tradewind.routes.configuration import Door, EnvironmentRoute
from tradewind.routes.door import Doorkeeper, storage_folder
from tradewind.routes.given import Given
from tradewind.routes.hosts import HTTPS, HostPlan, can_bind, explain_obstacle, free_port, plan_hosts, sides
from tradewind.runtime import Runtime, users
from tradewind.runtime.ports import draw_port
from tradewind.settings import DEFAULT_PORT, Settings
from tradewind.store import Environments
from tradewind.store.server import SUPERUSER, Cluster, Server

_log = structlog.get_logger(__name__)


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
    given: Given | None = None  # the certificate that somebody gave

    @property
    def api_url(self) -> str:
        """Where the API answers on this machine."""
        port = self.state.api_port
        return "https://localhost" if port == HTTPS else f"https://localhost:{port}"

    def keep(self) -> None:
        """Keep the host's processes as wanted: a supervisor that died is replaced, what gave up is started again."""
        seen = self.runtime.observe(HOST)
        wanted = {process.name: process.digest() for process in self.processes}
        at_work = {p.name: p.digest for p in seen.processes if p.state in {ProcessState.RUNNING, ProcessState.STARTING}}
        if not seen.supervised or at_work != wanted:
            self.runtime.apply(Manifest(HOST, max(self.generation, seen.generation), self.processes))
        self.runtime.trim_logs(HOST)
        self._renew()

    def _renew(self) -> None:
        """Show a given certificate that was renewed. One that is no good is reported, and the old one stays."""
        if self.given is None:
            return
        files = self.given.renewed(lambda problem: _log.warning("certificate", action="refused", reason=problem))
        if files is None:
            return
        try:
            self.doorkeeper.renew(files)
        except CannotProvide as error:
            _log.warning("certificate", action="refused", reason=error.sentence)
        else:
            _log.info("certificate", action="renewed")


def decide(settings: Settings, runtime: Runtime) -> HostState:
    """Ports and passwords: those of the last time, or new ones. Raises CannotStart for a port that cannot be had."""
    layout = settings.layout
    before = directory.recall(layout)
    ours = {process.name for process in runtime.observe(HOST).processes if process.pid}
    if before is None:
        port = _api_port(settings, settings.port or DEFAULT_PORT)
        plan = _plan(settings, port)
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
            port = _api_port(settings, asked)
            plan = _plan(settings, port)
            state = dataclasses.replace(state, api_port=port, web_port=plan.port, names_resolve=plan.names_resolve)
        if "postgres" not in ours and not _is_free(state.postgres_port):
            state = dataclasses.replace(state, postgres_port=draw_port({state.api_port}))
    state.write(layout)
    return state


def assemble(settings: Settings, state: HostState, runtime: Runtime) -> Host:
    """The host's manifest and the tools around it."""
    layout = settings.layout
    tls, given = certificates(settings, state.web_port)
    door = Door(
        storage=storage_folder(layout.ca),
        admin_socket=layout.run / "caddy.sock",
        control_plane=layout.run / "api.sock",
        port=state.api_port,
        addresses=private_addresses(settings),
        public=(settings.public_address,) if settings.public_address else (),
        names=tuple(name for name in _names() if name not in settings.public_names),
        public_names=settings.public_names,
        tls=tls,
    )
    doorkeeper = Doorkeeper(door, layout.ca)
    plan = HostPlan(
        settings.region,
        settings.domain,
        state.names_resolve,
        state.web_port,
        settings.private_address,
        settings.public_address,
    )
    processes = [doorkeeper.process(layout.logs / "caddy.log")]
    if settings.database_url is None:
        server = Server("127.0.0.1", state.postgres_port, SUPERUSER, state.postgres_password)
        cluster = Cluster(layout, server, users.ensure(users.POSTGRES), runtime)
        processes.append(cluster.process())
    else:
        server, cluster = Server.from_url(settings.database_url), None
    return Host(state, server, cluster, doorkeeper, plan, runtime, 1, tuple(processes), given)


def routes(environments: Environments, plan: HostPlan) -> list[EnvironmentRoute]:
    """What the door should send where: every environment that is wanted and not refused."""
    return [route(environment, plan) for environment in environments.all() if has_route(environment)]


def route(environment: Environment, plan: HostPlan) -> EnvironmentRoute:
    """One environment's: where its host is known follows from its access mode."""
    host = plan.host(environment.id, environment.address)
    known = sides(environment.spec.webserver_access_mode)
    return EnvironmentRoute(environment.id, host.name, host.port, environment.ports.api, host.address, known)


def has_route(environment: Environment) -> bool:
    """Whether an environment's host should be at the door."""
    return environment.target is Target.PRESENT and environment.phase is not Phase.REFUSED


def _api_port(settings: Settings, asked: int) -> int:
    """A port that may be had at every address that we listen on."""
    first, *others = [*private_addresses(settings), *([settings.public_address] if settings.public_address else [])]
    port = free_port(asked, named=settings.port is not None, address=first)
    for address in others:
        if not can_bind(address, port):
            raise CannotStart(explain_obstacle(address, port))
    return port


def _plan(settings: Settings, port: int) -> HostPlan:
    return plan_hosts(
        settings.region,
        settings.domain,
        port,
        private=settings.private_address,
        public=settings.public_address,
        # No certificate of others is for a loopback address, so hosts have names; where these lead is up to them.
        are_names_promised=settings.tls.kind != "internal",
    )


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
