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

from tradewind.access.clients import Cookieless
from tradewind.access.keyholders import Keyholders
from tradewind.access.limits import Rate, WrongTries
from tradewind.access.openid import Federation, open_flow
from tradewind.access.role_sessions import ExecutionRoles
from tradewind.access.sessions import AirflowSessions
from tradewind.api import Services, create_app
from tradewind.audit import head_key
from tradewind.bootstrap import software
from tradewind.bootstrap.arrivals import in_time
from tradewind.bootstrap.host import Host, route, routes
from tradewind.bootstrap.identities import ensure_execution_role, federated_role
from tradewind.bundles import Bucket, Directories
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.manifests import Completed
from tradewind.gateway import GatewayServices, create_gateway, is_for_gateway
from tradewind.gateway.services import KeySignIn, OpenIdSignIn
from tradewind.iam.entities import Home
from tradewind.recipe.environments import HostFacts
from tradewind.recipe.settings import Component, trusted_home, trusted_settings
from tradewind.reconcile.hands import Hands
from tradewind.routes.configuration import EnvironmentRoute
from tradewind.routes.door import Outcome
from tradewind.runtime import Runtime, users
from tradewind.runtime.ports import draw_port
from tradewind.runtime.virtualenvs import Virtualenvs, choose_interpreter
from tradewind.settings import Settings
from tradewind.store import Account, Accounts, Environments, UsedTokens
from tradewind.store.audit import AuditLog
from tradewind.store.databases import Databases
from tradewind.store.dumps import Dumps
from tradewind.store.identities import Identities
from tradewind.store.keyring import Keyring
from tradewind.store.rotations import Rotations
from tradewind.store.sealing import Sealing
from tradewind.store.sessions import Sessions
from tradewind.store.snapshots import SnapshotRecords
from tradewind.store.trail import Trail

# How often an address may be wrong: secrets and tokens hold 240 bits and more, so this is about load and noise.
_API_SOURCE, _API_KEY = Rate(burst=1000, per_second=20), Rate(burst=4000, per_second=80)
_DOOR_SOURCE = Rate(burst=300, per_second=4)
_CLI_SECONDS = 60.0
_CLI_BYTES = 6 * 1024 * 1024
_log = structlog.get_logger(__name__)


def now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def wire_hands(
    settings: Settings, host: Host, runtime: Runtime, account: Account, engine: sa.Engine, *, sealing: Sealing
) -> Hands:
    """What the reconciler works with."""
    layout, as_root = settings.layout, users.is_root()
    environments = Environments(engine, sealing)
    buckets = _buckets(settings)
    published: dict[EnvironmentId, EnvironmentRoute] = {}

    def publish() -> None:
        wanted = routes(environments, host.plan)
        publication = host.doorkeeper.publish(wanted)
        published.clear()
        if publication.outcome is not Outcome.WRITTEN:  # a proxy that is just starting may have read the older file
            published.update({asked.id: asked for asked in wanted if asked.id not in publication.left_out})
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
        records=SnapshotRecords(engine, sealing),
        rotations=Rotations(engine, sealing),
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
            api_url=host.api_url,
        ),
        hosts=host.plan,
        http=Cookieless(trust_env=False, timeout=10),
        door=Cookieless(
            trust_env=False, timeout=10, verify=ssl.create_default_context(cafile=layout.ca / "bundle.pem")
        ),
        bucket=buckets,
        bucket_variables=lambda name: _bucket_variables(settings, name),
        bucket_folder=lambda name: layout.buckets / name if (layout.buckets / name).is_dir() else None,
        publish=publish,
        # an update of the access mode is another route
        published=lambda environment: published.get(environment.id) == route(environment, host.plan),
    )


def wire_app(
    settings: Settings,
    host: Host,
    hands: Hands,
    account: Account,
    engine: sa.Engine,
    *,
    keyring: Keyring,
    sealing: Sealing,
) -> ASGIApp:
    """The API and the gateway as one application."""
    place = Place(account.account_id, settings.region)
    keyholders = wire_keyholders(engine, sealing, account, place)
    ensure_execution_role(keyholders.identities, place, now())
    execution_roles = ExecutionRoles(keyholders.identities, keyholders.sessions, place)
    trail = Trail(_log_of(account, engine, sealing), account.account_id, settings.region)
    sessions = AirflowSessions(Cookieless(trust_env=False, timeout=10), now)
    services = Services(
        account=account,
        place=place,
        environments=hands.environments,
        snapshots=hands.records,
        hosts=hands.hosts,
        sessions=sessions,
        http=Cookieless(trust_env=False, limits=httpx.Limits(max_connections=200, max_keepalive_connections=50)),
        now=now,
        draw_port=draw_port,
        keyring=keyring,
        trail=trail,
        rotations=hands.rotations,
        keyholders=keyholders,
        tries=WrongTries(by_source=_API_SOURCE, by_key=_API_KEY),
    )
    gateway = create_gateway(
        GatewayServices(
            account=account,
            environments=hands.environments,
            sessions=sessions,
            used_tokens=UsedTokens(engine),
            run_cli=_cli_runner(hands),
            now=now,
            trail=trail,
            tries=WrongTries(by_source=_DOOR_SOURCE),
            keys=KeySignIn(keyholders.credential, place),
            openid=_openid(settings, host, account, engine, keyholders),
            issue_credentials=lambda environment: execution_roles.issue(environment, now()),
        )
    )
    return in_time(create_app(services, gateway=gateway, is_gateway=is_for_gateway))


def _log_of(account: Account, engine: sa.Engine, sealing: Sealing) -> AuditLog:
    """The audit log, begun once: one that was begun and is not there any more was removed, and stays so."""
    log = AuditLog(engine, account.account_id, head_key(account.token_key))
    if not account.has_log:
        log.ensure()
        Accounts(engine, sealing).note_log(account.account_id)
    return log


def wire_keyholders(engine: sa.Engine, sealing: Sealing, account: Account, place: Place) -> Keyholders:
    """All of the account's keys."""
    home = Home(place.account, place.partition)
    return Keyholders(account, place, Identities(engine, sealing, home), Sessions(engine, sealing, home))


def _openid(
    settings: Settings, host: Host, account: Account, engine: sa.Engine, keyholders: Keyholders
) -> OpenIdSignIn | None:
    """Sign-in through the provider, where one is configured."""
    provider = settings.openid
    if provider is None:
        return None
    flow = open_flow(provider, host.api_url, account.token_key, UsedTokens(engine), now)
    federation = Federation(provider, keyholders.place, federated_role(keyholders.identities), now)
    return OpenIdSignIn(flow, federation, lambda env: host.plan.host(env.id, env.address).authority)


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
