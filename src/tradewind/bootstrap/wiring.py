"""Which parts stand behind which names: the reconciler's hands, the API's and the gateway's services."""

import os
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import sqlalchemy as sa
import structlog
from starlette.types import ASGIApp

from tradewind.access.sessions import AirflowSessions
from tradewind.api import Services, create_app
from tradewind.bootstrap import software
from tradewind.bootstrap.host import Host, draw_port, routes
from tradewind.bundles import Bucket, Directories
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.manifests import Completed
from tradewind.gateway import GatewayServices, create_gateway, is_for_gateway
from tradewind.recipe.environments import HostFacts
from tradewind.recipe.settings import Component, trusted_home, trusted_settings
from tradewind.reconcile.hands import Hands
from tradewind.routes.door import Outcome
from tradewind.runtime import Runtime, users
from tradewind.runtime.virtualenvs import Virtualenvs, choose_interpreter
from tradewind.settings import Settings
from tradewind.store import Account, Environments, UsedTokens
from tradewind.store.databases import Databases
from tradewind.store.dumps import Dumps
from tradewind.store.snapshots import SnapshotRecords

_CLI_SECONDS = 60.0
_CLI_BYTES = 6 * 1024 * 1024
_log = structlog.get_logger(__name__)


def now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def wire_hands(settings: Settings, host: Host, runtime: Runtime, account: Account, engine: sa.Engine) -> Hands:
    """What the reconciler works with."""
    layout, as_root = settings.layout, users.is_root()
    environments = Environments(engine)
    buckets = _buckets(settings)
    published: set[EnvironmentId] = set()

    def publish() -> None:
        wanted = routes(environments, host.plan)
        publication = host.doorkeeper.publish(wanted)
        published.clear()
        if publication.outcome is not Outcome.WRITTEN:  # a proxy that is just starting may have read the older file
            published.update(route.id for route in wanted if route.id not in publication.left_out)
        for id_, reason in publication.left_out.items():
            _log.warning("route", action="left_out", environment=str(id_), reason=reason)

    cache = settings.cache_dir
    builder = users.ensure(users.BUILDER)
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        if builder is not None:
            os.chown(cache, builder.uid, builder.gid)
    return Hands(
        environments=environments,
        records=SnapshotRecords(engine),
        databases=Databases(host.server),
        dumps=Dumps(host.server, runtime),
        runtime=runtime,
        virtualenvs=Virtualenvs(
            folder=layout.runtimes,
            uv=software.uv_binary(layout, as_root=as_root),
            cache=cache,
            interpreter=choose_interpreter(for_others=as_root),
            wheel=software.airflow_wheel(layout),
            builder=builder,
            processes=runtime,
        ),
        host=HostFacts(
            layout=layout,
            account_id=account.account_id,
            region=settings.region,
            valkey_server=software.valkey_server(layout, as_root=as_root),
            as_root=as_root,
        ),
        hosts=host.plan,
        http=httpx.Client(trust_env=False, timeout=10),
        door=httpx.Client(
            trust_env=False, timeout=10, verify=ssl.create_default_context(cafile=layout.ca / "bundle.pem")
        ),
        bucket=buckets,
        bucket_variables=lambda name: _bucket_variables(settings, name),
        bucket_folder=lambda name: layout.buckets / name if (layout.buckets / name).is_dir() else None,
        publish=publish,
        published=lambda environment: environment.id in published,
    )


def wire_app(settings: Settings, hands: Hands, account: Account, engine: sa.Engine) -> ASGIApp:
    """The API and the gateway as one application."""
    sessions = AirflowSessions(httpx.Client(trust_env=False, timeout=10), now)
    services = Services(
        account=account,
        place=Place(account.account_id, settings.region),
        environments=hands.environments,
        snapshots=hands.records,
        hosts=hands.hosts,
        sessions=sessions,
        http=httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=200, max_keepalive_connections=50)),
        now=now,
        draw_port=draw_port,
    )
    gateway = create_gateway(
        GatewayServices(
            account=account,
            environments=hands.environments,
            sessions=sessions,
            used_tokens=UsedTokens(engine),
            run_cli=_cli_runner(hands),
            now=now,
        )
    )
    return create_app(services, gateway=gateway, is_gateway=is_for_gateway)


def _cli_runner(hands: Hands) -> Callable[[Environment, tuple[str, ...]], Completed]:
    def run(environment: Environment, arguments: tuple[str, ...]) -> Completed:
        lock = hands.lock(environment)
        if lock is None:
            return Completed(1, b"", b"The environment is not available.\n")
        inputs = hands.inputs(environment, lock)
        return hands.runtime.run(
            [str(inputs.runtime / "bin" / "python"), "-P", "-m", "tradewind_airflow.component", "cli", *arguments],
            environment=trusted_settings(inputs, Component.CLI),
            directory=trusted_home(inputs.layout),
            user=inputs.user,
            timeout=_CLI_SECONDS,
            limit=_CLI_BYTES,
        )

    return run


def _buckets(settings: Settings) -> Callable[[str], Bucket]:
    """A directory of that name if there is one, else the S3 endpoint's if there is one, else the directory's."""
    directories = Directories(settings.layout.buckets)
    if settings.s3 is None:
        return directories.bucket
    from tradewind.bundles.s3 import S3Buckets  # noqa: PLC0415  (boto3 is slow to import, and most people use folders)

    endpoint = S3Buckets(settings.s3)

    def find(name: str) -> Bucket:
        return directories.bucket(name) if (settings.layout.buckets / name).is_dir() else endpoint.bucket(name)

    return find


def _bucket_variables(settings: Settings, name: str) -> Mapping[str, str]:
    folder: Path = settings.layout.buckets / name
    if folder.is_dir() or settings.s3 is None:
        return {"TRADEWIND_BUCKET_URL": folder.as_uri()}
    endpoint = {"AWS_ENDPOINT_URL_S3": settings.s3.endpoint_url} if settings.s3.endpoint_url else {}
    return {"TRADEWIND_BUCKET_URL": f"s3://{name}", **endpoint}
