"""Our own operations: snapshots of environments, what is restored from them, and copies of environments.

The role that comes along is asked about once more when it is known for certain: between the decision and the deed a
snapshot may have become available, or an update of the source been put in force.
"""

from typing import Any

from tradewind.api.authorisation import Questions, decide, passing
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import access_denied, no_snapshot, validation
from tradewind.api.operations.creation import begin
from tradewind.api.operations.environments import existing
from tradewind.api.services import Services
from tradewind.domain.environments import Connections, Environment, Origin, Phase
from tradewind.domain.rules import violations
from tradewind.domain.snapshots import Kind, Snapshot, SnapshotState, new_snapshot_id
from tradewind.domain.specs import Spec
from tradewind.recipe.sizes import classes
from tradewind.recipe.versions import versions

_SAVABLE = frozenset({Phase.READY, Phase.DRAINING})


def create_snapshot(services: Services, call: Call) -> Answer:
    """Ask for one; the reconciler takes it."""
    environment = _savable(services, call["Name"])
    id_ = new_snapshot_id()
    services.snapshots.ask(id_, environment, Kind.MANUAL)
    return Answer({"SnapshotId": id_})


def list_snapshots(services: Services, call: Call) -> Answer:
    """Those that nobody has asked to go."""
    return Answer({"Snapshots": [_view(each) for each in services.snapshots.all(call.get("EnvironmentName"))]})


def get_snapshot(services: Services, call: Call) -> Answer:
    """One of them."""
    return Answer({"Snapshot": _view(_existing(services, call["SnapshotId"]))})


def delete_snapshot(services: Services, call: Call) -> Answer:
    """Ask for it to go. Asking twice is fine; what is being restored from it may fail."""
    services.snapshots.want_deleted(call["SnapshotId"])
    return Answer({})


def restore_snapshot(services: Services, call: Call) -> Answer:
    """As an update of the environment that it was taken of, or as a new environment."""
    snapshot = _existing(services, call["SnapshotId"])
    if snapshot.kind is Kind.FORK:
        raise validation(f"Snapshot {snapshot.id} cannot be restored: it goes when the copy is made that it is for.")
    if snapshot.state is not SnapshotState.AVAILABLE or snapshot.spec is None:
        raise validation(f"Snapshot {snapshot.id} cannot be restored: its state is {snapshot.state.value}.")
    _refuse(call, snapshot.spec)
    if call.get("Name") is not None:
        origin = Origin(1, snapshot.id, Connections(call.get("Connections", Connections.MASK.value)))
        return begin(services, call["Name"], snapshot.spec, tags={}, origin=origin)
    if call.get("Connections") is not None:
        raise validation("Connections is for a new environment: it needs Name.")
    environment = services.environments.get(snapshot.environment_id)
    if environment is None:
        raise validation(
            f"Environment {snapshot.environment_name}, which snapshot {snapshot.id} was taken of, is not there any"
            " more: give Name to make a new one of it."
        )
    _refuse_now(environment)
    if not services.environments.want_spec(
        environment.id, snapshot.spec, instead_of=environment.generation, strategy=None, snapshot=snapshot.id
    ):
        _refuse_now(existing(services, environment.name))
        raise validation(f"Environment {environment.name} cannot be updated: something else was asked of it.")
    return Answer({"Arn": services.place.environment(environment.name)})


def fork_environment(services: Services, call: Call) -> Answer:
    """A snapshot of the one, which goes when the other has been made of it."""
    source = _savable(services, call["Name"])
    _refuse(call, source.spec)
    id_ = new_snapshot_id()
    origin = Origin(1, id_, Connections(call.get("Connections", Connections.MASK.value)))
    services.snapshots.ask(id_, source, Kind.FORK)
    try:
        return begin(services, call["NewName"], source.spec, tags=source.tags, origin=origin)
    except BaseException:
        services.snapshots.want_deleted(id_)
        raise


def _savable(services: Services, name: str) -> Environment:
    environment = existing(services, name)
    is_changing = environment.asked is not None or environment.is_awaited  # what it is in a moment is another thing
    if not environment.is_up or environment.phase not in _SAVABLE or is_changing:
        raise validation(f"Environment {name} cannot be saved: its status is {environment.status.value}.")
    return environment


def _existing(services: Services, id_: str) -> Snapshot:
    snapshot = services.snapshots.get(id_)
    if snapshot is None:
        raise no_snapshot(id_)
    return snapshot


def _refuse(call: Call, spec: Spec) -> None:
    """A role that the caller may not pass; classes and versions that this release does not have any more."""
    decision = decide(call.caller, Questions(tuple(passing(spec.execution_role_arn))))
    if not decision:
        raise access_denied(decision.reason)
    problems = violations(spec, classes(), tuple(versions()))
    if problems:
        raise validation(" ".join(problems))


def _refuse_now(environment: Environment) -> None:
    if not environment.is_updatable:
        raise validation(f"Environment {environment.name} cannot be updated: its status is {environment.status.value}.")


def _view(snapshot: Snapshot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "SnapshotId": snapshot.id,
        "EnvironmentName": snapshot.environment_name,
        "Kind": snapshot.kind.value,
        "State": snapshot.state.value,
        "CreatedAt": snapshot.created_at,
    }
    if snapshot.spec is not None:
        shown |= {"AirflowVersion": snapshot.spec.airflow_version, "Bytes": snapshot.size}
    return shown | ({"Reason": snapshot.error} if snapshot.error else {})
