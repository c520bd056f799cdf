"""From a row of the store, joined with its latest change, to an Environment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tradewind.domain.environments import (
    Change,
    ChangeState,
    Environment,
    Phase,
    Ports,
    Secrets,
    Settled,
    Target,
    Trial,
    TrialState,
)
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.specs import Spec


def environment(row: sa.RowMapping) -> Environment:
    """Whole: what is in force, what is asked for, what was tried."""
    asked, settled = Settled(Spec.from_json(row["spec"]), row["generation"]), _settled(row["settled"])
    phase = Phase(row["phase"])
    is_settled = row["generation"] in {row["observed_generation"], row["refused_generation"]}
    is_preparing = row["target"] == Target.PRESENT.value and phase is Phase.READY and not is_settled
    in_force = asked if settled is None or phase is Phase.CHANGING else settled
    return Environment(
        id=EnvironmentId(row["id"]),
        name=row["name"],
        spec=in_force.spec,
        revision=in_force.revision,
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
        secrets=Secrets(**row["secrets"]),
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
    return None if document is None else Settled(Spec.from_json(document["spec"]), document["revision"])
