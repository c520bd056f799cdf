"""Environments: the queries of the API (what is wanted) and of the reconciler (what was observed).

The two never write the same column. Every method is one short transaction.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.domain.environments import (
    ChangeState,
    Connections,
    Environment,
    Origin,
    Phase,
    Settled,
    Target,
    TrialState,
)
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.specs import Spec
from tradewind.store import environment_tags, rows
from tradewind.store.engines import reading
from tradewind.store.sealing import Sealing
from tradewind.store.tables import changes, checkpoints, environments

CHANNEL = "tradewind_environments"


class EnvironmentExists(Exception):
    """The name is taken by an environment that is not gone."""


class AddressTaken(Exception):
    """Another environment got the loopback address in the meantime: draw another."""


@dataclass(frozen=True)
class Environments:
    """The environments table and what hangs on it."""

    engine: sa.Engine
    sealing: Sealing

    # -- what is wanted: the API writes this ---------------------------------------------------------------

    def create(self, environment: Environment) -> None:
        """Insert a new environment with its CREATE change, and say "look". Raises EnvironmentExists, AddressTaken."""
        row = {
            "id": str(environment.id),
            "name": environment.name,
            "spec": environment.spec.to_json(),
            "tags": dict(environment.tags),
            "target": environment.target.value,
            "generation": environment.generation,
            "created_at": environment.created_at,
            "address": environment.address,
            "ports": dataclasses.asdict(environment.ports),
            "secrets": rows.sealed_secrets(self.sealing, environment.id, environment.secrets),
            "phase": environment.phase.value,
            "origin": rows.origin_document(environment.origin),
        }
        try:
            with self.engine.begin() as connection:
                connection.execute(sa.insert(environments).values(row))
                self._begin_change(connection, str(environment.id), environment.change.kind, environment.generation)
                self._notify(connection)
        except sa.exc.IntegrityError as error:
            if "live_address" in str(error.orig):
                raise AddressTaken(environment.address) from error
            raise EnvironmentExists(environment.name) from error

    def want_spec(
        self, id_: EnvironmentId, spec: Spec, *, instead_of: int, strategy: str | None, snapshot: str | None = None
    ) -> bool:
        """Ask for an update. False, and nothing is written, when `instead_of` is not the latest generation any more.

        `snapshot`: one that the database is to be restored from.

        An update whose workers still drain has succeeded with that: its settings are in force.
        """
        origin = None if snapshot is None else Origin(instead_of + 1, snapshot, Connections.KEEP)
        with self.engine.begin() as connection:
            row = connection.execute(
                sa.update(environments)
                .where(
                    environments.c.id == str(id_),
                    environments.c.target == Target.PRESENT.value,
                    environments.c.generation == instead_of,
                )
                .values(spec=spec.to_json(), generation=instead_of + 1, origin=rows.origin_document(origin))
                .returning(environments.c.generation, environments.c.trial)
            ).first()
            if row is None:
                return False
            if row.trial is not None and row.trial["state"] == TrialState.PENDING.value:
                left = {**row.trial, "state": TrialState.LEFT.value}
                connection.execute(sa.update(environments).where(environments.c.id == str(id_)).values(trial=left))
            self._end_changes(connection, id_, "UPDATE", (None, None))
            self._begin_change(connection, str(id_), "UPDATE", row.generation, strategy)
            self._notify(connection)
        return True

    def try_spec(self, id_: EnvironmentId, spec: Spec, *, instead_of: int, strategy: str | None) -> int | None:
        """Ask for a dry run; answers its number. None, and nothing is written, when something was asked for since."""
        with self.engine.begin() as connection:
            condition = sa.and_(
                environments.c.id == str(id_),
                environments.c.target == Target.PRESENT.value,
                environments.c.generation == instead_of,
            )
            row = connection.execute(sa.select(environments.c.trial).where(condition).with_for_update()).first()
            if row is None:
                return None
            number = 1 + int((row.trial or {}).get("number", 0))
            asked = {
                "number": number, "spec": spec.to_json(), "strategy": strategy, "state": TrialState.PENDING.value,
                "created_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            connection.execute(sa.update(environments).where(condition).values(trial=asked))
            self._notify(connection)
        return number

    def finish_trial(self, id_: EnvironmentId, number: int, *, report: Mapping[str, Any] | None, error: str) -> None:
        """A dry run is over: with its report, or with the sentence of what could not be had."""
        state = TrialState.FAILED if report is None else TrialState.DONE
        with self.engine.begin() as connection:
            row = connection.execute(
                sa.select(environments.c.trial).where(environments.c.id == str(id_)).with_for_update()
            ).first()
            if row is None or (row.trial or {}).get("number") != number:
                return
            done = {**row.trial, "state": state.value, "report": dict(report or {}), "error": error}
            connection.execute(
                sa.update(environments).where(environments.c.id == str(id_)).values(trial=done, progress="")
            )

    def want_absent(self, id_: EnvironmentId) -> bool:
        """Ask for deletion. False when that was asked before."""
        with self.engine.begin() as connection:
            row = connection.execute(
                sa.update(environments)
                .where(environments.c.id == str(id_), environments.c.target == Target.PRESENT.value)
                .values(target=Target.ABSENT.value, generation=environments.c.generation + 1)
                .returning(environments.c.generation)
            ).first()
            if row is None:
                return False
            self._begin_change(connection, str(id_), "DELETE", row.generation)
            self._notify(connection)
        return True

    def tag(self, id_: EnvironmentId, add: Mapping[str, str], remove: Sequence[str], limit: int) -> bool:
        """Change tags. False, and nothing done, when there would be more than `limit`."""
        return environment_tags.change(self.engine, id_, add, remove, limit)

    # -- reading -------------------------------------------------------------------------------------------

    def find(self, name: str) -> Environment | None:
        """The environment of that name that is not gone."""
        found = self._select(environments.c.name == name)
        return found[0] if found else None

    def tags(self, name: str) -> Mapping[str, str]:
        """Its tags alone; none where there is no such environment."""
        return environment_tags.read(self.engine, name)

    def tags_of(self, id_: EnvironmentId) -> Mapping[str, str]:
        """The same by its id; of one that is gone those that it had."""
        return environment_tags.read_of(self.engine, id_)

    def get(self, id_: EnvironmentId) -> Environment | None:
        """The environment with that id, unless gone."""
        found = self._select(environments.c.id == str(id_))
        return found[0] if found else None

    def all(self) -> list[Environment]:
        """All that are not gone, by name."""
        return self._select(sa.true())

    def names(self, after: str | None, limit: int) -> list[str]:
        """Names in byte order, from the first one after `after`."""
        query = sa.select(environments.c.name).where(environments.c.gone_at.is_(None))
        if after is not None:
            query = query.where(environments.c.name.collate("C") > after)
        with reading(self.engine) as connection:
            return list(connection.execute(query.order_by(environments.c.name.collate("C")).limit(limit)).scalars())

    def ports_in_use(self) -> set[int]:
        """Ports that environments hold."""
        with reading(self.engine) as connection:
            found = connection.execute(
                sa.select(environments.c.ports).where(environments.c.gone_at.is_(None))
            ).scalars()
            return {port for ports in found for port in ports.values() if port}

    def addresses_in_use(self) -> set[str]:
        """Loopback addresses that environments hold."""
        with reading(self.engine) as connection:
            query = sa.select(environments.c.address).where(environments.c.gone_at.is_(None))
            return {address for address in connection.execute(query).scalars() if address}

    # -- what was observed: the reconciler writes this -------------------------------------------------------

    def observe(self, id_: EnvironmentId, *, phase: Phase | None = None, generation: int | None = None,
                progress: str | None = None, bundle_version: str | None = None) -> None:  # fmt: skip
        """Write what was seen; members left None stay."""
        values: dict[str, Any] = {
            "phase": None if phase is None else phase.value,
            "observed_generation": generation,
            "progress": progress,
            "bundle_version": bundle_version,
        }
        values = {key: value for key, value in values.items() if value is not None}
        self._write(id_, **values)

    def finish_change(
        self,
        id_: EnvironmentId,
        kind: str,
        error: tuple[str, str] | None = None,
        *,
        phase: Phase | None = None,
        generation: int | None = None,
        settled: Settled | None = None,
        refused: int | None = None,
        at: int | None = None,
    ) -> None:
        """End the pending change of a kind, well or with (code, message), and move the phase too: both or neither.

        `generation` was proven, with what is `settled`; or it was `refused`. With `at` nothing is written where that
        is not the latest generation any more: the pending change is a later one then.
        """
        code, message = error or (None, None)
        moved: dict[str, Any] = {} if phase is None else {"phase": phase.value, "progress": ""}
        if generation is not None:
            moved["observed_generation"] = generation
        if settled is not None:
            moved["settled"] = rows.settled_document(settled)
        if refused is not None:
            moved["refused_generation"] = refused
        with self.engine.begin() as connection:
            if at is not None and not self._is_latest(connection, id_, at):
                return
            self._end_changes(connection, id_, kind, (code, message))
            if moved:
                connection.execute(sa.update(environments).where(environments.c.id == str(id_)).values(moved))

    def cut_over(self, id_: EnvironmentId, *, workers: str, database: str) -> None:
        """From here on the update that was prepared is in force, to be proven, with those workers and that database."""
        self._write(id_, phase=Phase.CHANGING.value, progress="", workers=workers, database=database)

    def settle(self, id_: EnvironmentId, settled: Settled, *, at: int) -> None:
        """What is being put in force, generation `at`, was proven: there is no way back to what was before it."""
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(environments)
                .where(environments.c.id == str(id_), environments.c.generation == at)
                .values(settled=rows.settled_document(settled))
            )

    def let_drain(self, id_: EnvironmentId, generation: int, settled: Settled) -> None:
        """The generation was proven and is settled; its change goes on until workers that it replaced have ended."""
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(environments)
                .where(environments.c.id == str(id_))
                .values(
                    phase=Phase.DRAINING.value, progress="", observed_generation=generation,
                    settled=rows.settled_document(settled),
                )
            )  # fmt: skip

    def turn_back(self, id_: EnvironmentId, error: tuple[str, str], *, workers: str, at: int) -> None:
        """The pending update, generation `at`, does not work: note (code, message); what was settled comes back."""
        with self.engine.begin() as connection:
            if not self._is_latest(connection, id_, at):
                return
            connection.execute(
                sa.update(changes)
                .where(
                    changes.c.environment_id == str(id_),
                    changes.c.kind == "UPDATE",
                    changes.c.state == ChangeState.PENDING.value,
                )
                .values(error_code=error[0], error_message=error[1])
            )
            connection.execute(
                sa.update(environments)
                .where(environments.c.id == str(id_))
                .values(phase=Phase.RETURNING.value, progress="", workers=workers)
            )

    def checkpoint(self, id_: EnvironmentId, generation: int, step: str, seconds: float) -> None:
        """Note that a step has been done; doing it again keeps the first note."""
        with self.engine.begin() as connection:
            connection.execute(
                insert(checkpoints)
                .values(
                    environment_id=str(id_), generation=generation, step=step, seconds=seconds,
                    passed_at=datetime.now(UTC),
                )
                .on_conflict_do_nothing()
            )  # fmt: skip

    def checkpoints(self, id_: EnvironmentId, generation: int) -> list[tuple[str, float]]:
        """Steps done at a generation, in their order, with seconds."""
        query = (
            sa.select(checkpoints.c.step, checkpoints.c.seconds)
            .where(checkpoints.c.environment_id == str(id_), checkpoints.c.generation == generation)
            .order_by(checkpoints.c.passed_at)
        )
        with reading(self.engine) as connection:
            return [(row.step, row.seconds) for row in connection.execute(query)]

    def forget(self, id_: EnvironmentId) -> None:
        """The environment is gone: its name is free; its secrets are wiped, its row stays as history."""
        self._write(id_, gone_at=datetime.now(UTC), phase=Phase.GONE.value, secrets="")

    def _write(self, id_: EnvironmentId, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(environments).where(environments.c.id == str(id_)).values(values))

    # -- inner -----------------------------------------------------------------------------------------------

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Environment]:
        with reading(self.engine) as connection:
            found = connection.execute(rows.LATEST.where(condition)).mappings()
            return [rows.environment(row, self.sealing) for row in found]

    @staticmethod
    def _is_latest(connection: sa.Connection, id_: EnvironmentId, generation: int) -> bool:
        """Whether nothing was asked for since; nothing can be until the end of the transaction."""
        query = sa.select(environments.c.generation).where(environments.c.id == str(id_)).with_for_update()
        return connection.execute(query).scalar() == generation

    @staticmethod
    def _end_changes(
        connection: sa.Connection, id_: EnvironmentId, kind: str, error: tuple[str | None, str | None]
    ) -> None:
        code, message = error
        connection.execute(
            sa.update(changes)
            .where(
                changes.c.environment_id == str(id_),
                changes.c.kind == kind,
                changes.c.state == ChangeState.PENDING.value,
            )
            .values(
                state=(ChangeState.FAILED if code else ChangeState.SUCCESS).value,
                finished_at=datetime.now(UTC),
                error_code=code,
                error_message=message,
            )
        )

    @staticmethod
    def _begin_change(
        connection: sa.Connection, id_: str, kind: str, generation: int, strategy: str | None = None
    ) -> None:
        connection.execute(
            sa.insert(changes).values(
                environment_id=id_,
                kind=kind,
                generation=generation,
                state=ChangeState.PENDING.value,
                created_at=datetime.now(UTC),
                strategy=strategy,
            )
        )

    @staticmethod
    def _notify(connection: sa.Connection) -> None:
        connection.execute(sa.text(f"NOTIFY {CHANNEL}"))
