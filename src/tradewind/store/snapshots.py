"""Snapshots: what was asked for, what has been taken, what is to go. The files are the reconciler's."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.domain.environments import Environment, Phase, Target
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.snapshots import KEPT_AUTOMATIC, Kind, Snapshot, SnapshotState
from tradewind.domain.specs import Spec
from tradewind.store.environments import CHANNEL
from tradewind.store.sealed import open_document, seal_document
from tradewind.store.sealing import Sealing
from tradewind.store.tables import environments, snapshots

_AGE = timedelta(minutes=1)  # after which what a copy is made of is used, or is not


@dataclass(frozen=True)
class SnapshotRecords:
    """The snapshots table. Every method is one short transaction."""

    engine: sa.Engine
    sealing: Sealing

    def ask(self, id_: str, environment: Environment, kind: Kind) -> None:
        """Ask for a snapshot; the reconciler takes it. Asking again with the same id changes nothing."""
        row: dict[str, Any] = {
            "id": id_,
            "environment_id": str(environment.id),
            "environment_name": environment.name,
            "kind": kind.value,
            "state": SnapshotState.PENDING.value,
            "created_at": datetime.now(UTC),
            "generation": environment.generation,
            "secrets": "",
        }
        with self.engine.begin() as connection:
            connection.execute(insert(snapshots).values(row).on_conflict_do_nothing())
            connection.execute(sa.text(f"NOTIFY {CHANNEL}"))

    def get(self, id_: str) -> Snapshot | None:
        """One that is not about to go."""
        rows = self._select(snapshots.c.id == id_, snapshots.c.state != SnapshotState.DELETING.value)
        return rows[0] if rows else None

    def all(self, name: str | None = None) -> list[Snapshot]:
        """All that are not about to go, the latest first; of one environment's name, or of every one."""
        condition = sa.true() if name is None else snapshots.c.environment_name == name
        return self._select(condition, snapshots.c.state != SnapshotState.DELETING.value)

    def pending(self, id_: EnvironmentId) -> Snapshot | None:
        """The oldest that somebody asked for and that is to be taken of an environment."""
        rows = self._select(
            snapshots.c.environment_id == str(id_),
            snapshots.c.state == SnapshotState.PENDING.value,
            snapshots.c.kind != Kind.AUTOMATIC.value,
        )
        return rows[-1] if rows else None

    def finish(self, id_: str, *, spec: Spec, fernet_key: str, size: int) -> bool:
        """It has been taken. False where nobody wants it any more."""
        return self._update(
            id_,
            state=SnapshotState.AVAILABLE.value,
            spec=spec.to_json(),
            secrets=seal_document(self.sealing, {"fernet_key": fernet_key}, _place(id_)),
            size=size,
        )

    def fail(self, id_: str, error: str) -> None:
        """It cannot be taken."""
        self._update(id_, state=SnapshotState.FAILED.value, error=error)

    def fail_pending(self, id_: EnvironmentId, error: str) -> None:
        """None that somebody waits for can be taken any more."""
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(snapshots)
                .where(snapshots.c.environment_id == str(id_), snapshots.c.state == SnapshotState.PENDING.value)
                .values(state=SnapshotState.FAILED.value, error=error)
            )

    def want_deleted(self, id_: str) -> bool:
        """Ask for it to go. False where there is none."""
        with self.engine.begin() as connection:
            done = connection.execute(
                sa.update(snapshots)
                .where(snapshots.c.id == id_, snapshots.c.state != SnapshotState.DELETING.value)
                .values(state=SnapshotState.DELETING.value)
                .returning(snapshots.c.id)
            ).first()
            connection.execute(sa.text(f"NOTIFY {CHANNEL}"))
        return done is not None

    def unwanted(self) -> list[str]:
        """Ids of those to be removed, none of which is about to be restored.

        Asked to go; automatic and older than the latest few of their environment; taken for a copy that is made, or
        for an update that is over, and left behind by a crash.
        """
        place = sa.func.row_number().over(
            partition_by=snapshots.c.environment_id, order_by=snapshots.c.created_at.desc()
        )
        automatic = (
            sa.select(snapshots.c.id, place.label("place"))
            .where(snapshots.c.kind == Kind.AUTOMATIC.value, snapshots.c.state == SnapshotState.AVAILABLE.value)
            .subquery()
        )
        is_old = snapshots.c.id.in_(sa.select(automatic.c.id).where(automatic.c.place > KEPT_AUTOMATIC))
        is_aged = snapshots.c.created_at < datetime.now(UTC) - _AGE
        is_left = sa.or_(
            sa.and_(snapshots.c.kind == Kind.FORK.value, is_aged),
            sa.and_(
                snapshots.c.kind == Kind.AUTOMATIC.value,
                snapshots.c.state != SnapshotState.AVAILABLE.value,
                ~_is_under_way(snapshots.c.environment_id == environments.c.id),
            ),
        )
        is_going = snapshots.c.state == SnapshotState.DELETING.value
        is_origin = _is_under_way(environments.c.origin["snapshot"].astext == snapshots.c.id)
        query = sa.select(snapshots.c.id).where(sa.or_(is_going, is_old, is_left), ~is_origin)
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def forget(self, id_: str) -> None:
        """Its files are gone."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(snapshots).where(snapshots.c.id == id_))

    def _update(self, id_: str, **values: Any) -> bool:
        with self.engine.begin() as connection:
            done = connection.execute(
                sa.update(snapshots)
                .where(snapshots.c.id == id_, snapshots.c.state == SnapshotState.PENDING.value)
                .values(values)
                .returning(snapshots.c.id)
            ).first()
        return done is not None

    def _select(self, *conditions: sa.ColumnElement[bool]) -> list[Snapshot]:
        query = sa.select(snapshots).where(*conditions).order_by(snapshots.c.created_at.desc(), snapshots.c.id)
        with self.engine.connect() as connection:
            return [_snapshot(row, self.sealing) for row in connection.execute(query).mappings()]


def _is_under_way(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether there is an environment like that for which something is being done."""
    latest = environments.c.generation
    is_over = sa.or_(latest == environments.c.observed_generation, latest == environments.c.refused_generation)
    return (
        sa.exists()
        .where(condition, environments.c.gone_at.is_(None), environments.c.target == Target.PRESENT.value, ~is_over)
        .where(environments.c.phase != Phase.REFUSED.value)
        .correlate(snapshots)
    )


def _place(id_: str) -> str:
    return f"snapshots/{id_}"


def _snapshot(row: sa.RowMapping, sealing: Sealing) -> Snapshot:
    return Snapshot(
        id=row["id"],
        environment_id=EnvironmentId(row["environment_id"]),
        environment_name=row["environment_name"],
        kind=Kind(row["kind"]),
        state=SnapshotState(row["state"]),
        created_at=row["created_at"],
        generation=row["generation"],
        spec=None if row["spec"] is None else Spec.from_json(row["spec"]),
        fernet_key=open_document(sealing, row["secrets"], _place(row["id"])).get("fernet_key", ""),
        size=row["size"],
        error=row["error"],
    )
