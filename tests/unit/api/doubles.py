"""What the API's operations work with, in memory: a store, Airflow's web server, and signed requests to the chain."""

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.unit.domain.samples import NOW, SPEC
from tradewind.access.clients import Cookieless
from tradewind.access.limits import WrongTries
from tradewind.api import apis
from tradewind.api.chain import Chain
from tradewind.api.requests import RawRequest
from tradewind.api.services import Services
from tradewind.audit import Record
from tradewind.domain.arns import Place
from tradewind.domain.environments import (
    Change,
    ChangeState,
    Connections,
    Environment,
    Origin,
    Phase,
    Target,
    Trial,
    TrialState,
)
from tradewind.domain.errors import TradewindError
from tradewind.domain.rotations import Rotation, RotationState
from tradewind.domain.snapshots import Kind, Snapshot, SnapshotState
from tradewind.iam import DocumentKind, Holding, Policy, Principal, parse_document, root_principal
from tradewind.routes.hosts import HostPlan
from tradewind.store import Account, EnvironmentExists
from tradewind.store.identities import Credential
from tradewind.store.keyring import KeyUse
from tradewind.store.trail import Trail
from tradewind.wire import Response

ACCOUNT = Account("123456789012", "AKIAEXAMPLE", "the-secret", b"k" * 32)
PLACE = Place(ACCOUNT.account_id, "us-east-1")
MWAA, OWN = apis.mwaa(), apis.own()
SERVICE, OWN_SERVICE = MWAA.service, OWN.service
CREATE = {
    "ExecutionRoleArn": "arn:aws:iam::111111111111:role/execution",
    "SourceBucketArn": "arn:aws:s3:::some-bucket",
    "DagS3Path": "dags",
    "NetworkConfiguration": {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]},
}


class EnvironmentsInMemory:
    """The store's queries that the API uses. `touched` tells whether anything was asked."""

    def __init__(self, *known: Environment) -> None:
        self.known = {environment.name: environment for environment in known}
        self.touched = False

    def find(self, name: str) -> Environment | None:
        self.touched = True
        return self.known.get(name)

    def tags(self, name: str) -> Mapping[str, str]:
        found = self.find(name)
        return {} if found is None else found.tags

    def tags_of(self, id_: Any) -> Mapping[str, str]:
        found = self.get(id_)
        return {} if found is None else found.tags

    def get(self, id_: Any) -> Environment | None:
        return next((environment for environment in self.known.values() if environment.id == id_), None)

    def create(self, environment: Environment) -> None:
        self.touched = True
        if environment.name in self.known:
            raise EnvironmentExists(environment.name)
        self.known[environment.name] = environment

    def all(self) -> list[Environment]:
        return list(self.known.values())

    def names(self, after: str | None, limit: int) -> list[str]:
        self.touched = True
        return sorted(name for name in self.known if after is None or name > after)[:limit]

    def want_spec(
        self, id_: Any, spec: Any, *, instead_of: int, strategy: str | None, snapshot: str | None = None
    ) -> bool:
        environment = self.get(id_)
        assert environment is not None
        if environment.generation != instead_of:
            return False
        change = Change("UPDATE", ChangeState.PENDING, NOW, strategy=strategy)
        origin = None if snapshot is None else Origin(instead_of + 1, snapshot, Connections.KEEP)
        self.known[environment.name] = dataclasses.replace(
            environment, asked=spec, generation=instead_of + 1, change=change, origin=origin
        )
        return True

    def try_spec(self, id_: Any, spec: Any, *, instead_of: int, strategy: str | None) -> int | None:
        environment = self.get(id_)
        assert environment is not None
        if environment.generation != instead_of:
            return None
        trial = Trial(7, spec, TrialState.PENDING, NOW, strategy)
        self.known[environment.name] = dataclasses.replace(environment, trial=trial)
        return trial.number

    def want_absent(self, id_: Any) -> bool:
        environment = self.get(id_)
        assert environment is not None
        self.known[environment.name] = dataclasses.replace(environment, target=Target.ABSENT)
        return environment.target is Target.PRESENT

    def tag(self, id_: Any, add: Mapping[str, str], remove: Any, limit: int) -> bool:
        environment = self.get(id_)
        assert environment is not None
        tags = {key: value for key, value in {**environment.tags, **add}.items() if key not in remove}
        if len(tags) > limit:
            return False
        self.known[environment.name] = dataclasses.replace(environment, tags=tags)
        return True

    def checkpoints(self, _id: Any, _generation: int) -> list[tuple[str, float]]:
        return [("folders", 0.123)]

    def ports_in_use(self) -> set[int]:
        return {port for e in self.known.values() for port in dataclasses.astuple(e.ports)}

    def addresses_in_use(self) -> set[str]:
        return {e.address for e in self.known.values() if e.address}


class SnapshotsInMemory:
    """The records of snapshots that the API uses."""

    def __init__(self) -> None:
        self.known: dict[str, Snapshot] = {}

    def ask(self, id_: str, environment: Environment, kind: Kind) -> None:
        self.known[id_] = Snapshot(
            id_, environment.id, environment.name, kind, SnapshotState.PENDING, NOW, environment.generation
        )

    def take(self, id_: str, **members: Any) -> None:
        """What the reconciler would do."""
        members = {"state": SnapshotState.AVAILABLE, "spec": SPEC, "size": 12, **members}
        self.known[id_] = dataclasses.replace(self.known[id_], **members)

    def get(self, id_: str) -> Snapshot | None:
        return self.known.get(id_)

    def all(self, name: str | None = None) -> list[Snapshot]:
        return [each for each in self.known.values() if name in {None, each.environment_name}]

    def want_deleted(self, id_: str) -> bool:
        return self.known.pop(id_, None) is not None


class RotationsInMemory:
    """Asked for once at a time, of what is up."""

    def __init__(self, environments: EnvironmentsInMemory) -> None:
        self.environments = environments

    def ask(self, id_: Any) -> bool:
        environment = self.environments.get(id_)
        assert environment is not None
        is_busy = environment.rotation is not None and not environment.rotation.is_over
        if environment.phase is not Phase.READY or is_busy:
            return False
        self.move(environment.name, RotationState.PENDING)
        return True

    def move(self, name: str, state: RotationState, error: str = "") -> None:
        """What the reconciler would do."""
        found = self.environments.known[name]
        self.environments.known[name] = dataclasses.replace(found, rotation=Rotation(state, NOW, error))


class KeyringInMemory:
    """A keyring of numbered keys, with as many values as it is told."""

    def __init__(self, values: int = 3) -> None:
        self.values = values
        self.number = 1
        self.refusal: TradewindError | None = None
        self.source = SimpleNamespace(words="the file of a test")

    def rotate(self) -> int:
        if self.refusal is not None:
            raise self.refusal
        self.number += 1
        return self.values

    def show(self) -> tuple[KeyUse, ...]:
        older = [
            KeyUse(f"{number:016x}", is_current=False, is_known=True, values=0)
            for number in range(self.number - 1, 0, -1)
        ]
        return (KeyUse(f"{self.number:016x}", is_current=True, is_known=True, values=self.values), *older)


class SessionsForEveryone:
    """Airflow's sessions: a token a call; those that were forgotten are kept in a list."""

    def __init__(self) -> None:
        self.given = 0
        self.forgotten: list[str] = []

    def token(self, _server: Any, _identity: Any, _roles: Any) -> str:
        self.given += 1
        return f"session-{self.given}"

    def open(self, *_: Any) -> str:
        return "opened"

    def forget(self, token: str) -> None:
        self.forgotten.append(token)


class LogInMemory:
    """The audit log as a list. `error`: what it fails with, if it does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.records: list[Record] = []
        self.error = error

    def append(self, *records: Record) -> None:
        if self.error is not None:
            raise self.error
        self.records.extend(records)


def trail(log: LogInMemory | None = None) -> Trail:
    """A trail in memory."""
    return Trail(log or LogInMemory(), ACCOUNT.account_id, PLACE.region)


class OnlyRoot:
    """Keys: the account's root has one, and whoever a test lends one to."""

    identities: Any = None
    sessions: Any = None

    def __init__(self) -> None:
        self.lent: dict[str, Credential] = {}

    def lend(self, access_key_id: str, principal: Principal, *documents: Mapping[str, Any], secret: str) -> None:
        """A key for somebody with these policies."""
        policies = tuple(
            Policy(f"p{n}", parse_document(json.dumps(document), DocumentKind.IDENTITY), f"inline policy p{n}")
            for n, document in enumerate(documents)
        )
        self.lent[access_key_id] = Credential(secret, None, principal, Holding(policies), None, is_active=True)

    def credential(self, access_key_id: str) -> Credential | None:
        if access_key_id == ACCOUNT.access_key_id:
            root = root_principal(ACCOUNT.account_id)
            return Credential(ACCOUNT.secret_access_key, None, root, Holding(), None, is_active=True)
        return self.lent.get(access_key_id)


def services(
    *known: Environment,
    airflow: Callable[[httpx.Request], httpx.Response] | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    names_resolve: bool = True,
) -> Services:
    """Services whose environments are the ones given and whose Airflow is a function."""

    def nobody(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("Airflow was called")

    kept = EnvironmentsInMemory(*known)
    return Services(
        account=ACCOUNT,
        place=PLACE,
        environments=kept,  # type: ignore[arg-type]
        snapshots=SnapshotsInMemory(),  # type: ignore[arg-type]
        hosts=HostPlan("us-east-1", "airflow.localhost", names_resolve=names_resolve, port=443),
        sessions=SessionsForEveryone(),  # type: ignore[arg-type]
        http=Cookieless(transport=httpx.MockTransport(airflow or nobody)),
        now=now,
        draw_port=lambda taken: max(taken, default=20000) + 1,
        keyring=KeyringInMemory(),  # type: ignore[arg-type]
        trail=trail(),
        keyholders=OnlyRoot(),  # type: ignore[arg-type]
        tries=WrongTries(),
        rotations=RotationsInMemory(kept),  # type: ignore[arg-type]
    )


def signed(method: str, url: str, body: bytes = b"", *, secret: str = ACCOUNT.secret_access_key) -> RawRequest:
    """A request as botocore signs it, now."""
    request = AWSRequest(method=method, url=f"https://localhost{url}", data=body, headers={"Host": "localhost"})
    SigV4Auth(Credentials(ACCOUNT.access_key_id, secret), "airflow", "us-east-1").add_auth(request)
    path, _, query = url.partition("?")
    listener = ("X-Tradewind-Listener", "private")  # which the proxy adds to what was signed
    return RawRequest(method, path, query, (*request.headers.items(), listener), body)


def call(
    with_: Services, method: str, url: str, document: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    """One signed call through the whole chain. `headers` are added to those that are signed."""
    body = b"" if document is None else json.dumps(document).encode()
    working = dataclasses.replace(with_, now=lambda: datetime.now(UTC))
    request = signed(method, url, body)
    source = (headers or {}).get("X-Forwarded-For", "127.0.0.1")
    request = dataclasses.replace(request, headers=(*request.headers, *(headers or {}).items()), source=source)
    api = OWN if url.startswith("/tradewind/") else MWAA
    return Chain(api, working).answer(request, str(uuid.uuid4()))


def refusal(response: Response) -> tuple[int, str, str]:
    """Status, error type and message."""
    document = json.loads(response.body)
    return response.status, response.headers["x-amzn-ErrorType"], document.get("message", document.get("Message", ""))
