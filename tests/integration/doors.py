"""A door with real Caddy for tests: a control plane and an Airflow that say what they got, and raw requests."""

import contextlib
import http.client
import http.server
import json
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from tradewind.domain.identifiers import EnvironmentId, new_environment_id
from tradewind.domain.manifests import Process
from tradewind.routes.configuration import Door, EnvironmentRoute
from tradewind.routes.door import Doorkeeper, Outcome, storage_folder
from tradewind.routes.hosts import allocate_address, free_port, sides

PUBLIC = "127.0.0.3"


@dataclass
class Received:
    raw_path: str
    headers: list[tuple[str, str]]
    size: int

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Upstream:
    """A server that says its name, remembers what it got, and streams on demand."""

    name: str
    address: str | tuple[str, int]
    received: list[Received] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        size = 0
        while size < length:
            piece = self.rfile.read(min(65536, length - size))
            if not piece:
                return
            size += len(piece)
        self.upstream.received.append(Received(self.path, list(self.headers.items()), size))
        if self.path.startswith("/stream"):
            self._stream()
            return
        body = json.dumps({"upstream": self.upstream.name, "path": self.path, "size": size}).encode()
        self.send_response(200)
        if self.path.startswith("/policy"):
            self.send_header("Content-Security-Policy", "default-src 'self'")
            self.send_header("X-Frame-Options", "ALLOWED")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = _answer  # noqa: N815
    do_POST = _answer  # noqa: N815

    def _stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        self.wfile.flush()
        self.upstream.go_on.wait(60)
        self.wfile.write(b"5\r\nlast\n\r\n0\r\n\r\n")


class _TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)


@contextlib.contextmanager
def serving(name: str, socket_path: Path | None = None) -> Iterator[Upstream]:
    upstream = Upstream(name, "")
    handler = type("Handler", (_Handler,), {"upstream": upstream})
    server = _UnixServer(str(socket_path), handler) if socket_path else _TcpServer(("127.0.0.1", 0), handler)
    upstream.address = server.server_address
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        upstream.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Setting:
    """A door that runs, its control plane, one environment, and the bundle that clients are given."""

    door: Door
    keeper: Doorkeeper
    folder: Path
    process: Process
    control_plane: Upstream
    airflow: Upstream
    environment: EnvironmentRoute
    bundle: Path = Path()
    caddy: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.process.log.open("ab") as log:
            self.caddy = subprocess.Popen(
                self.process.command,
                env=dict(self.process.environment),
                cwd=self.process.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.keeper.wait()

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.caddy and self.caddy.poll() is None:
            self.caddy.send_signal(how)
            self.caddy.wait(20)

    def request(self, method, target, *, server=None, sni=None, host=None, headers=(), body=None, port=None):
        """One HTTP/1.1 request on a connection of its own: (status, headers, body, connection's certificate)."""
        address = server or "127.0.0.1"
        with self.connect(address, port or self.door.port, sni or address) as connection:
            lines = [f"{method} {target} HTTP/1.1", f"Host: {host or sni or address}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in headers]
            if body is not None:
                lines.append(f"Content-Length: {len(body)}")
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            # A server that refuses a body hangs up while it is still being sent.
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                connection.sendall(body or b"")
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status, response.headers, response.read()

    def environment_request(self, method, target, environment=None, **options):
        route = environment or self.environment
        return self.request(
            method, target, server=route.address, port=route.port, host=f"{route.host}:{route.port}", **options
        )

    @contextlib.contextmanager
    def connect(self, address, port, sni, protocols=("http/1.1",)):
        context = ssl.create_default_context(cafile=str(self.bundle))
        context.set_alpn_protocols(list(protocols))
        with (
            socket.create_connection((address, port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=sni) as connection,
        ):
            yield connection


def wait_until(true, log: Path | None = None, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log and log.exists() else "did not become true in time")


def environment_route(upstream: Upstream | int, port: int) -> EnvironmentRoute:
    """An environment with an address of its own; `upstream` is its Airflow, or the port of it."""
    id_ = new_environment_id()
    address = allocate_address((), str(id_))
    where = upstream if isinstance(upstream, int) else upstream.address[1]
    return EnvironmentRoute(id_, address, port, where, address)


def named(letter: str, mode: str) -> Callable[[Door, int], EnvironmentRoute]:
    """Makes an environment with a name for a host."""

    def route(door, airflow):
        host = f"{letter}bcdefghijkm.us-east-1.x.test"
        return EnvironmentRoute(EnvironmentId(f"{letter}bcdefghijkm"), host, door.port, airflow, sides=sides(mode))

    return route


@contextlib.contextmanager
def opened(run: Path, routes: Callable[[Door, int], list[EnvironmentRoute]], **parts: Any) -> Iterator[Setting]:
    """A door that runs and answers. `routes` makes the environments, whose Airflow is on the given port."""
    folder = run / "ca"
    port = free_port(28000 + os.getpid() % 2000)
    door = Door(storage_folder(folder), run / "admin.sock", run / "control.sock", port, **parts)
    keeper = Doorkeeper(door, folder)
    with serving("control", door.control_plane) as control_plane, serving("airflow") as airflow:
        environments = routes(door, airflow.address[1])
        process = keeper.process(run / "caddy.log")
        setting = Setting(door, keeper, folder, process, control_plane, airflow, environments[0])
        keeper.prepare()
        assert keeper.publish(environments).outcome is Outcome.WRITTEN
        try:
            setting.start()
            setting.bundle = keeper.bundle(folder / "bundle.pem")
            # Caddy obtains certificates in the background after it has begun to listen.
            wait_until(lambda: answers(setting), process.log)
            yield setting
        finally:
            setting.stop()


def answers(setting: Setting) -> bool:
    """Whether the API answers, and the first environment where it has an address of its own."""
    try:
        answered = setting.request("GET", "/healthz")[0] == 200
        return answered and (not setting.environment.address or setting.environment_request("GET", "/")[0] == 200)
    except (OSError, ssl.SSLError):
        return False


def ask(setting, host, *, at="127.0.0.1", path="/", method="GET", headers=()):
    """(status, headers, which upstream answered)."""
    status, said, body = setting.request(method, path, server=at, sni=host, host=host, headers=headers)
    with contextlib.suppress(ValueError):
        return status, said, json.loads(body).get("upstream")
    return status, said, None


def shown(setting, host, *, at="127.0.0.1") -> x509.Certificate:
    """The certificate that a client sees, which it trusts."""
    with setting.connect(at, setting.door.port, host) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


def has_certificate(setting, host) -> bool:
    """Whether a client that trusts the bundle can shake hands for a host."""
    try:
        return bool(shown(setting, host))
    except ssl.SSLError:
        return False
