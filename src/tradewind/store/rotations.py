"""Rotations of environments' Fernet keys: asked for by the API, moved on by the reconciler.

Each move is one transaction that changes key and state together, and only from the state before it: what was done is
never done again, whatever crashed in between.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from tradewind.domain.environments import Phase, Secrets, Target
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.rotations import Rotation, RotationState, narrowed, widened
from tradewind.store import rows
from tradewind.store.environments import CHANNEL
from tradewind.store.sealing import Sealing
from tradewind.store.tables import environments

_TAKEN = frozenset({Phase.READY, Phase.DRAINING})


@dataclass(frozen=True)
class Rotations:
    """The rotation and the secrets of the environments table."""

    engine: sa.Engine
    sealing: Sealing

    def ask(self, id_: EnvironmentId) -> bool:
        """Ask for a new key. False where one is being put in force, or the environment is not up and settled."""
        with self.engine.begin() as connection:
            row = self._row(connection, id_)
            if row is None or row["target"] != Target.PRESENT.value or Phase(row["phase"]) not in _TAKEN:
                return False
            before = rows.rotation(row["rotation"])
            if before is not None and not before.is_over:
                return False
            self._write(connection, id_, Rotation(RotationState.PENDING, datetime.now(UTC)))
        return True

    def widen(self, id_: EnvironmentId, new: str) -> None:
        """Give it a new key beside the old one, unless that was done."""
        self._move(id_, RotationState.PENDING, RotationState.WIDENED, lambda keys: widened(keys, new))

    def narrow(self, id_: EnvironmentId) -> None:
        """All is encrypted with the new key: leave it alone."""
        self._move(id_, RotationState.WIDENED, RotationState.NARROWED, narrowed)

    def finish(self, id_: EnvironmentId) -> None:
        """No process has the old key any more."""
        self._move(id_, RotationState.NARROWED, RotationState.DONE, lambda keys: keys)

    def fail(self, id_: EnvironmentId, error: str) -> None:
        """Something cannot be encrypted anew: both keys stay."""
        self._move(id_, RotationState.WIDENED, RotationState.FAILED, lambda keys: keys, error)

    def _move(
        self,
        id_: EnvironmentId,
        before: RotationState,
        after: RotationState,
        change: Callable[[str], str],
        error: str = "",
    ) -> None:
        with self.engine.begin() as connection:
            row = self._row(connection, id_)
            rotation = None if row is None else rows.rotation(row["rotation"])
            if row is None or rotation is None or rotation.state is not before:
                return
            secrets = rows.opened_secrets(self.sealing, id_, row["secrets"])
            secrets = replace(secrets, fernet_key=change(secrets.fernet_key))
            self._write(connection, id_, replace(rotation, state=after, error=error), secrets)

    @staticmethod
    def _row(connection: sa.Connection, id_: EnvironmentId) -> sa.RowMapping | None:
        condition = sa.and_(environments.c.id == str(id_), environments.c.gone_at.is_(None))
        return connection.execute(sa.select(environments).where(condition).with_for_update()).mappings().first()

    def _write(
        self, connection: sa.Connection, id_: EnvironmentId, rotation: Rotation, secrets: Secrets | None = None
    ) -> None:
        values: dict[str, Any] = {"rotation": rows.rotation_document(rotation)}
        if secrets is not None:
            values["secrets"] = rows.sealed_secrets(self.sealing, id_, secrets)
        connection.execute(sa.update(environments).where(environments.c.id == str(id_)).values(values))
        connection.execute(sa.text(f"NOTIFY {CHANNEL}"))
