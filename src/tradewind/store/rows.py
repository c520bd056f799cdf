"""From a row of the store with its latest change (`LATEST`) to an Environment. Here secrets are opened and sealed."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tradewind.domain.environments import (
    Change,
    ChangeState,
    Connections,
    Environment,
    Origin,
    Phase,
    Ports,
    Secrets,
    Settled,
    Target,
    Trial,
    TrialState,
)
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.rotations import Rotation, RotationState
from tradewind.domain.specs import Spec
from tradewind.store.sealed import open_document, seal_document
from tradewind.store.sealing import Sealing
from tradewind.store.tables import changes, environments


def _with_latest_change() -> sa.Select[Any]:
    """Environments that are not gone, each with its latest change: by the index, not the history of all of them."""
    latest = (
        sa.select(changes)
        .where(changes.c.environment_id == environments.c.id)
        .order_by(changes.c.id.desc())
        .limit(1)
        .lateral("latest")
    )
    return (
        sa.select(
            environments,
            latest.c.kind,
            latest.c.state,
            latest.c.created_at.label("change_created_at"),
            latest.c.error_code,
            latest.c.error_message,
            latest.c.strategy,
        )
        .join(latest, sa.true())
        .where(environments.c.gone_at.is_(None))
        .order_by(environments.c.name.collate("C"))
    )


LATEST = _with_latest_change()  # made once: as much work as the query itself


def environment(row: sa.RowMapping, sealing: Sealing) -> Environment:
    """Whole: what is in force, what is asked for, what was tried. Raises Unsealable."""
    settled, phase = _settled(row["settled"]), Phase(row["phase"])
    proven_database = "" if settled is None else settled.database
    asked = Settled(Spec.from_json(row["spec"]), row["generation"], row["database"] or proven_database)
    is_settled = row["generation"] in {row["observed_generation"], row["refused_generation"]}
    is_preparing = row["target"] == Target.PRESENT.value and phase is Phase.READY and not is_settled
    in_force = asked if settled is None or phase is Phase.CHANGING else settled
    return Environment(
        id=EnvironmentId(row["id"]),
        name=row["name"],
        spec=in_force.spec,
        revision=in_force.revision,
        moved_to=in_force.database,
        proven=settled,
        origin=_origin(row["origin"], row["generation"]),
        asked=asked.spec if is_preparing else None,
        workers=row["workers"],
        trial=_trial(row["trial"]),
        is_awaited=phase is Phase.DRAINING and not is_settled,
        tags=row["tags"],
        target=Target(row["target"]),
        generation=row["generation"],
        created_at=row["created_at"],
        phase=phase,
        observed_generation=row["observed_generation"],
        address=row["address"],
        ports=Ports(**row["ports"]),
        secrets=opened_secrets(sealing, EnvironmentId(row["id"]), row["secrets"]),
        rotation=rotation(row["rotation"]),
        change=Change(
            kind=row["kind"],
            state=ChangeState(row["state"]),
            created_at=row["change_created_at"],
            error_code=row["error_code"],
            error_message=row["error_message"],
            strategy=row["strategy"],
        ),
        progress=row["progress"],
        bundle_version=row["bundle_version"],
    )


def sealed_secrets(sealing: Sealing, id_: EnvironmentId, secrets: Secrets) -> str:
    """What the column holds."""
    return seal_document(sealing, dataclasses.asdict(secrets), _place(id_))


def opened_secrets(sealing: Sealing, id_: EnvironmentId, sealed: str) -> Secrets:
    """What was sealed. Raises Unsealable."""
    return Secrets(**open_document(sealing, sealed, _place(id_)))


def _place(id_: EnvironmentId) -> str:
    return f"environments/{id_}"


def rotation(document: Mapping[str, Any] | None) -> Rotation | None:
    """The latest rotation of a Fernet key."""
    if document is None:
        return None
    asked_at = datetime.fromisoformat(document["asked_at"])
    return Rotation(RotationState(document["state"]), asked_at, document["error"])


def rotation_document(rotation: Rotation) -> dict[str, Any]:
    """What the column holds."""
    return {"state": rotation.state.value, "asked_at": rotation.asked_at.isoformat(), "error": rotation.error}


def _trial(document: Mapping[str, Any] | None) -> Trial | None:
    if document is None:
        return None
    return Trial(
        number=document["number"],
        spec=Spec.from_json(document["spec"]),
        state=TrialState(document["state"]),
        created_at=datetime.fromisoformat(document["created_at"]),
        strategy=document["strategy"],
        report=document.get("report", {}),
        error=document.get("error", ""),
    )


def _settled(document: Mapping[str, Any] | None) -> Settled | None:
    if document is None:
        return None
    return Settled(Spec.from_json(document["spec"]), document["revision"], document.get("database", ""))


def _origin(document: Mapping[str, Any] | None, generation: int) -> Origin | None:
    """That of the latest generation; earlier ones have been dealt with."""
    if document is None or document["generation"] != generation:
        return None
    return Origin(document["generation"], document["snapshot"], Connections(document["connections"]))


def origin_document(origin: Origin | None) -> sa.Null | dict[str, Any]:
    """What the column holds."""
    if origin is None:
        return sa.null()
    return {"generation": origin.generation, "snapshot": origin.snapshot, "connections": origin.connections.value}


def settled_document(settled: Settled) -> dict[str, Any]:
    """What the column holds."""
    return {"spec": settled.spec.to_json(), "revision": settled.revision, "database": settled.database}
