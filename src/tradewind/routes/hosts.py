"""How an environment is named on this machine, and which ports the door may have.

Clients build `https://{WebServerHostname}/...`, and browsers keep cookies by host, whatever the port.
So every environment has a host of its own: the name `<id>.<region>.<domain>` where such names lead to
this machine, else (glibc does not answer `*.localhost` by itself) a loopback address of its own,
127.x.y.z, with a certificate for that address. Never one host with several ports.

Port 443 is taken where it may be had, for the host alone is then a whole authority; otherwise the
API's port, and hosts are answered as `host:port`.

Caddy listens with SO_REUSEPORT: two proxies of one user would share a port in silence. `can_bind`
asks without it, so a port that anyone listens on counts as taken.
"""

import enum
import errno
import hashlib
import ipaddress
import secrets
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped,unused-ignore]

from tradewind.domain.errors import CannotStart
from tradewind.domain.identifiers import EnvironmentId

HTTPS = 443
_LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65535
_ATTEMPTS = 64
_ALLOCATIONS = 100_000


class Side(enum.StrEnum):
    """Where a request came in. Without a public address everything is private."""

    PRIVATE = "private"
    PUBLIC = "public"


_SIDES = {
    "PRIVATE_ONLY": frozenset({Side.PRIVATE}),
    "PUBLIC_ONLY": frozenset({Side.PUBLIC}),
    "PUBLIC_AND_PRIVATE": frozenset(Side),
}


def sides(access_mode: str) -> frozenset[Side]:
    """Where a WebserverAccessMode lets an environment's host be known."""
    return _SIDES[access_mode]


@dataclass(frozen=True)
class Host:
    """Where one environment is reached: a name or an address, a port, and the listener that is its alone (if any)."""

    name: str
    port: int
    address: str | None = None

    @property
    def authority(self) -> str:
        """What MWAA calls WebServerHostname: with the port only where clients cannot do without it."""
        return self.name if self.port == HTTPS else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class HostPlan:
    """The rule for this machine: decided once at start, so that all environments are named alike."""

    region: str
    domain: str
    names_resolve: bool
    port: int
    private: str = _LOOPBACK  # where named hosts listen
    public: str | None = None  # None: there is no other side

    @property
    def needs_address(self) -> bool:
        """Whether each environment must be given an address (allocate_address) that the caller stores."""
        return not self.names_resolve

    def host(self, environment_id: EnvironmentId, address: str | None = None) -> Host:
        """The environment's host. ValueError when the plan needs an address and none is given."""
        if self.names_resolve:
            return Host(f"{environment_id}.{self.region}.{self.domain}", self.port)
        if address is None:
            raise ValueError(f"environment {environment_id} needs an address of its own: names do not resolve here")
        return Host(address, self.port, address)

    def entrance(self, access_mode: str, address: str | None = None) -> str:
        """Where to ask for an environment's host from this machine: its name may lead to the other side."""
        if address is not None and not self.names_resolve:
            return address
        if self.public is None or Side.PRIVATE in sides(access_mode):
            return _LOOPBACK if is_wildcard(self.private) else self.private
        if is_wildcard(self.public):  # any address of this machine but the private ones
            return next(address for address in ("127.0.0.2", "127.0.0.3") if address != self.private)
        return self.public


def plan_hosts(
    region: str,
    domain: str,
    api_port: int,
    *,
    private: str = _LOOPBACK,
    public: str | None = None,
    are_names_promised: bool = False,
) -> HostPlan:
    """Look at this machine: whether names under the domain lead here, and whether 443 may be had for environments.

    Asks the resolver once (at most 3 s), unless somebody promised that names lead here, and binds a port for an
    instant. Call it before the door runs: 443 held by our own proxy would look taken.
    """
    resolves = are_names_promised or probe_resolution(domain)
    listening = [address for address in (private, public) if address] if resolves else [allocate_address((), "probe")]
    port = HTTPS if all(can_bind(address, HTTPS) for address in listening) else api_port
    return HostPlan(region, domain, resolves, port, private, public)


def allocate_address(taken: Collection[str], seed: str) -> str:
    """Derive a loopback address from the seed (an environment's id) that is not among the taken ones.

    Always in 127.64.0.0 to 127.127.255.255 and never ending in 0 or 255: far from 127.0.0.1, from
    Debian's 127.0.1.1 and from the resolvers on 127.0.0.53. The same seed and set give the same address.
    """
    for attempt in range(_ALLOCATIONS):
        digest = hashlib.sha256(f"{seed}\n{attempt}".encode()).digest()
        address = f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"
        if address not in taken:
            return address
    raise CannotStart("cannot give the environment an address: the loopback addresses are used up")


def probe_resolution(domain: str, timeout: float = 3.0) -> bool:
    """Whether any name below the domain leads to this machine, for the resolver that its programs use.

    A random name is asked for, so that lines in /etc/hosts for known names do not count.
    """
    answers: list[str] = []
    name = f"probe-{secrets.token_hex(6)}.{domain}"

    def ask() -> None:
        try:
            found = socket.getaddrinfo(name, HTTPS, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        answers.extend(str(address[0]) for *_, address in found)

    # The resolver cannot be interrupted; where it hangs, names do not resolve in any useful sense.
    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(timeout)
    return bool(answers) and all(_is_ours(address) for address in tuple(answers))


def _is_ours(address: str) -> bool:
    """Whether an address belongs to this machine: only those can be bound."""
    text = address.partition("%")[0]
    if ipaddress.ip_address(text).is_loopback:
        return True
    return can_bind(text, 0)


def is_wildcard(address: str) -> bool:
    """Whether an address stands for all of the machine's."""
    return ipaddress.ip_address(address).is_unspecified


def can_bind(address: str, port: int) -> bool:
    """Whether this user may listen there now. Nobody else listens on it, not even with SO_REUSEPORT."""
    return _obstacle(address, port) is None


def _obstacle(address: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Go sets this too; without it a port whose last connections linger would look taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            probe.listen(1)
    except OSError as error:
        return error
    return None


def free_port(preferred: int, *, named: bool = False, address: str = _LOOPBACK) -> int:
    """The preferred port or the next free one; exactly the preferred one when somebody named it.

    Raises CannotStart, with the process that has the port where that can be seen.
    """
    if not 0 < preferred <= _HIGHEST_PORT:
        raise CannotStart(f"cannot listen on port {preferred}: a port is a number from 1 to {_HIGHEST_PORT}")
    obstacle = _obstacle(address, preferred)
    if obstacle is None:
        return preferred
    if named:
        raise CannotStart(explain_obstacle(address, preferred, obstacle))
    for port in range(preferred + 1, min(preferred + _ATTEMPTS, _HIGHEST_PORT) + 1):
        if can_bind(address, port):
            return port
    raise CannotStart(f"cannot find a free port on {address}: {preferred} and the {_ATTEMPTS} after it are taken")


def explain_obstacle(address: str, port: int, obstacle: OSError | None = None) -> str:
    """One sentence on why a port cannot be had."""
    problem = obstacle or _obstacle(address, port)
    match problem.errno if problem else None:
        case errno.EADDRINUSE:
            holder = port_holder(port)
            reason = f"{holder} listens on it" if holder else "another process listens on it"
        case errno.EACCES | errno.EPERM:
            reason = "this user may not listen on it"
        case errno.EADDRNOTAVAIL:
            reason = "this machine does not have that address"
        case None:
            reason = "it was taken a moment ago"
        case _:
            reason = str(problem)
    return f"cannot listen on {address} port {port}: {reason}"


def port_holder(port: int) -> str | None:
    """The process that listens on a port ("nginx, process 4711"), where it may be seen without privileges."""
    try:
        listeners = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        pid = next((c.pid for c in listeners if c.laddr and c.laddr.port == port and c.pid), None)
        return f"{psutil.Process(pid).name()}, process {pid}" if pid else None
    except (psutil.Error, OSError):
        return None
