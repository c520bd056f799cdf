"""The service in this process: from settings to an API that answers, until someone ends it.

Order of coming up: the data directory (held by one service), PostgreSQL and the proxy under the host's
supervisor, the schema, the account, the application on its unix socket, the reconciler, and at last a look
through the door. Environments of an earlier service are adopted: their processes are under supervisors of
their own and are not touched while they are what is wanted. Ending on INT or TERM goes the other way.
"""

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import FrameType

import httpx
import structlog
import uvicorn

from tradewind.bootstrap import directory, ending
from tradewind.bootstrap.announcement import Announcement, forget, started_at
from tradewind.bootstrap.host import Host, assemble, decide
from tradewind.bootstrap.logs import log_to
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.bootstrap.processes import runtime_of
from tradewind.bootstrap.wiring import wire_app, wire_hands
from tradewind.domain.errors import CannotStart
from tradewind.reconcile import Reconciler
from tradewind.runtime import users
from tradewind.settings import SECRET_VARIABLES, Settings
from tradewind.store import Account, Accounts, Leases
from tradewind.store.keyring import Keyring
from tradewind.store.migrations import upgrade

_log = structlog.get_logger(__name__)


def serve(settings: Settings, announce: Callable[[Announcement], None]) -> None:
    """Serve until INT or TERM, then stop everything in order. Raises CannotStart; nothing is left running then."""
    layout = settings.layout
    for variable in SECRET_VARIABLES:
        os.environ.pop(variable, None)
    directory.prepare(layout, as_root=users.is_root())
    stop = threading.Event()
    with directory.held(layout):
        previous = {number: signal.signal(number, _setter(stop)) for number in (signal.SIGINT, signal.SIGTERM)}
        log_to(layout.logs / "control-plane.log")
        runtime = runtime_of(layout)
        was_running = bool(runtime.owners())
        try:
            _serve(settings, announce, stop)
        except BaseException:
            if not was_running:  # a first start that failed leaves nothing; one over running environments lets them run
                ending.stop_everything(layout)
            raise
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        ending.stop_everything(layout)
        forget(layout)


def _serve(settings: Settings, announce: Callable[[Announcement], None], stop: threading.Event) -> None:
    layout = settings.layout
    runtime = runtime_of(layout)
    sealing, source = open_sealing(settings)
    host = assemble(settings, decide(settings, runtime), runtime)
    if host.cluster is not None:
        host.cluster.ensure()
    host.doorkeeper.prepare()
    host.keep()
    host.server.wait()
    engine = host.server.engine()
    upgrade(engine)
    keyring = Keyring(engine, sealing, source)
    keyring.settle()
    account = Accounts(engine, sealing).ensure()
    host.doorkeeper.wait()
    bundle = host.doorkeeper.bundle(layout.ca / "bundle.pem")
    hands = wire_hands(settings, host, runtime, account, engine, sealing=sealing)
    app = wire_app(settings, host, hands, account, engine, keyring=keyring, sealing=sealing)
    server = _start_api(app, str(layout.run / "api.sock"))
    reconciler = Reconciler(
        hands=hands,
        leases=Leases(engine, _holder(settings)),
        url=host.server.url("tradewind"),
        keep_host=host.keep,
    )
    worker = threading.Thread(target=reconciler.run, args=(stop,), name="reconciler", daemon=True)
    try:
        hands.publish()
        worker.start()
        announcement = _announcement(settings, host, account, str(bundle))
        _wait_for_answer(announcement, stop)
        announcement.write(layout)
        _log.info("service", action="started", endpoint=announcement.endpoint_url)
        announce(announcement)
        while not stop.wait(1.0):
            if not server.is_alive():
                raise CannotStart("cannot go on serving: the API's server has ended; see logs/control-plane.log")
            if not worker.is_alive():
                raise CannotStart("cannot go on serving: the reconciler has ended; see logs/control-plane.log")
    finally:
        stop.set()
        server.end()
        if worker.ident is not None:
            worker.join(15)
        engine.dispose()
        _log.info("service", action="ended")


class _Server:
    """uvicorn in a thread of its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="api", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._thread.is_alive():
            if self._server.started:
                return True
            time.sleep(0.02)
        return False

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


def _start_api(app: object, path: str) -> _Server:
    server = _Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            uds=path,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=5,
            # the proxy alone speaks to this socket, and it has set these headers itself
            proxy_headers=True,
            forwarded_allow_ips="*",
        )
    )
    if not server.wait(20):
        raise CannotStart(f"cannot serve the API on {path}: see logs/control-plane.log")
    return server


def _announcement(settings: Settings, host: Host, account: Account, bundle: str) -> Announcement:
    return Announcement(
        endpoint_url=host.api_url,
        region=settings.region,
        account_id=account.account_id,
        access_key_id=account.access_key_id,
        secret_access_key=account.secret_access_key,
        ca_bundle=bundle,
        data_dir=str(settings.data_dir),
        pid=os.getpid(),
        started=started_at(),
    )


def _holder(settings: Settings) -> str:
    """Who holds leases: one a data directory, which one service holds, so that the next one need not wait."""
    return f"{socket.gethostname()}:{settings.data_dir}"


def _wait_for_answer(announcement: Announcement, stop: threading.Event) -> None:
    """Return when the API answers through the door."""
    context = ssl.create_default_context(cafile=announcement.ca_bundle)
    deadline = time.monotonic() + 30
    problem = "no answer"
    with httpx.Client(verify=context, trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline and not stop.is_set():
            try:
                answer = client.get(f"{announcement.endpoint_url}/healthz")
            except httpx.HTTPError as error:
                problem = str(error)
            else:
                if answer.is_success:
                    return
                problem = f"status {answer.status_code}"
            time.sleep(0.1)
    raise CannotStart(f"cannot reach the API through the proxy at {announcement.endpoint_url}: {problem}")


def _setter(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    return handle
