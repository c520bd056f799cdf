"""IAM as the rooms above see it: who a key is and what they may, and the parts that change it.

`credential` and `holding_of` are what every request needs: two queries each. `entities`, `grants`, `policies`, `keys`
and `aliases` are the tables by subject; each of their mutations is one transaction. Keys of sessions (`ASIA…`) and the
root's key are not here: whoever identifies a caller asks for those where they are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from tradewind.iam import Holding, Policy, Principal, root_principal
from tradewind.iam.entities import Entity, EntityKind, Home
from tradewind.iam.quotas import refuse_more_aliases
from tradewind.iam.refusals import exists, no_such
from tradewind.store.engines import reading
from tradewind.store.iam_entities import Entities, entity_of_row, find_entity, writing
from tradewind.store.iam_grants import Grants
from tradewind.store.iam_holdings import holding_of_entity, managed_policy, principal_of
from tradewind.store.iam_keys import AccessKeys, place
from tradewind.store.iam_policies import ManagedPolicies
from tradewind.store.iam_tables import iam_access_keys, iam_aliases, iam_entities
from tradewind.store.sealing import Sealing
from tradewind.store.tables import accounts


@dataclass(frozen=True)
class Credential:
    """What a key is good for. `expires` and `session_token` are None for long-term keys."""

    secret: str = field(repr=False)
    session_token: str | None = field(repr=False)
    principal: Principal
    holding: Holding
    expires: datetime | None
    is_active: bool
    used_at: datetime | None = None  # of a user's key: when it was last noted


@dataclass(frozen=True)
class Identities:
    """All of IAM of one account."""

    engine: sa.Engine
    sealing: Sealing
    home: Home

    @property
    def entities(self) -> Entities:
        """Users, groups, roles."""
        return Entities(self.engine, self.home)

    @property
    def grants(self) -> Grants:
        """Inline and attached policies."""
        return Grants(self.engine, self.home)

    @property
    def policies(self) -> ManagedPolicies:
        """Managed policies and their versions."""
        return ManagedPolicies(self.engine, self.home)

    @property
    def keys(self) -> AccessKeys:
        """Access keys."""
        return AccessKeys(self.engine, self.sealing, self.home)

    @property
    def aliases(self) -> "Aliases":
        """The account's alias."""
        return Aliases(self.engine)

    def credential(self, access_key_id: str) -> Credential | None:
        """A user's key, also an inactive one, with everything that is in force for the user. Raises Unsealable."""
        keys = iam_access_keys.c
        query = (
            sa.select(iam_entities, keys.secret, keys.is_active, keys.last_used_at.label("key_used_at"))
            .join(iam_access_keys, keys.user_id == iam_entities.c.id)
            .where(keys.id == access_key_id)
        )
        with reading(self.engine) as connection:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            user = entity_of_row(row, self.home)
            holding = holding_of_entity(connection, self.home, user)
        secret = self.sealing.open(row["secret"], place(access_key_id)).decode()
        principal, used_at = principal_of(user, self.home), row["key_used_at"]
        return Credential(secret, None, principal, holding, None, row["is_active"], used_at)

    def holding_of(self, arn: str) -> tuple[Principal, Holding] | None:
        """By the ARN of a user, a group, a role or the account's root; a path that is not the entity's finds nothing.

        For a group it is what its members hold by it.
        """
        if arn == self.home.root():
            return root_principal(self.home.account, self.home.partition), Holding()
        named = _named(arn)
        if named is None:
            return None
        with self.engine.connect() as connection:
            entity = find_entity(connection, self.home, *named)
            if entity is None or entity.arn != arn:
                return None
            return principal_of(entity, self.home), holding_of_entity(connection, self.home, entity)

    def role(self, name: str) -> Entity | None:
        """A role, with its trust policy (`trust`, the text) and its longest session."""
        return self.entities.find(EntityKind.ROLE, name)

    def policy(self, arn: str) -> Policy | None:
        """A managed policy's default version as it is evaluated: what sts takes as PolicyArns."""
        found = self.policies.find(arn)
        if found is None:
            return None
        version = self.policies.version(arn, f"v{found.default_version}")
        return managed_policy(self.home, arn, found.name, version.document)

    def role_used(self, id_: str, region: str, at: datetime) -> None:
        """A session of the role (its unique id) was made."""
        values = {"last_used_at": at, "last_used_region": region}
        with self.engine.begin() as connection:
            connection.execute(sa.update(iam_entities).where(iam_entities.c.id == id_).values(values))

    def account_made_at(self) -> datetime:
        """When the account was made; the start of time where it is not there."""
        with self.engine.connect() as connection:
            made = connection.execute(sa.select(accounts.c.created_at)).scalar()
        return datetime.fromtimestamp(0, UTC) if made is None else made.replace(microsecond=0)

    def counts(self) -> Mapping[EntityKind, int]:
        """How many users, groups and roles there are."""
        query = sa.select(iam_entities.c.kind, sa.func.count()).group_by(iam_entities.c.kind)
        with self.engine.connect() as connection:
            found = {kind: number for kind, number in connection.execute(query)}  # noqa: C416  (rows are not pairs)
        return {kind: found.get(kind.value, 0) for kind in EntityKind}


@dataclass(frozen=True)
class Aliases:
    """The iam_aliases table: at most one row."""

    engine: sa.Engine

    def all(self) -> list[str]:
        """The account's alias, if it has one."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(iam_aliases.c.alias)).scalars())

    def create(self, alias: str) -> None:
        """Set it. Raises Refused."""
        with writing(self.engine) as connection:
            present = list(connection.execute(sa.select(iam_aliases.c.alias)).scalars())
            if alias in present:
                raise exists(f"The account alias {alias} already exists.")
            refuse_more_aliases(len(present))
            connection.execute(sa.insert(iam_aliases).values(alias=alias))

    def delete(self, alias: str) -> None:
        """Take it away. Raises Refused."""
        with writing(self.engine) as connection:
            gone = sa.delete(iam_aliases).where(iam_aliases.c.alias == alias).returning(iam_aliases.c.alias)
            if not connection.execute(gone).first():
                raise no_such(f"The account alias with name {alias} cannot be found.")


def _named(arn: str) -> tuple[EntityKind, str] | None:
    """Kind and name in an ARN; the caller compares the whole with the entity's own."""
    resource = arn.split(":", 5)[-1]
    kind, _, rest = resource.partition("/")
    if kind not in set(EntityKind) or not rest:
        return None
    return EntityKind(kind), rest.rsplit("/", 1)[-1]
