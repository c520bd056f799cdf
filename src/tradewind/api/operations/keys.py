"""Our own operations on keys: what is sealed with which master key, a new master key, new Fernet keys."""

from typing import Any

from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.operations.environments import existing
from tradewind.api.services import Services
from tradewind.domain.environments import Environment
from tradewind.domain.errors import TradewindError


def list_keys(services: Services, _call: Call) -> Answer:
    """Ids of keys and what they are used for; no key."""
    keys = [
        {"KeyId": use.id, "IsCurrent": use.is_current, "IsKnown": use.is_known, "Values": use.values}
        for use in services.keyring.show()
    ]
    rotations = [_view(each) for each in services.environments.all() if each.rotation is not None]
    return Answer({"Source": services.keyring.source.words, "Keys": keys, "FernetRotations": rotations})


def rotate_master_key(services: Services, _call: Call) -> Answer:
    """A new one; when this answers, everything is sealed with it."""
    try:
        values = services.keyring.rotate()
    except TradewindError as error:
        raise validation(f"The master key cannot be rotated: {error.sentence}.") from error
    return Answer({"KeyId": services.keyring.show()[0].id, "Values": values})


def rotate_fernet_key(services: Services, call: Call) -> Answer:
    """Ask for a new one; the reconciler puts it in force."""
    environment = existing(services, call["Name"])
    if not services.rotations.ask(environment.id):
        now = existing(services, call["Name"])
        what = f"its status is {now.status.value}"
        if now.rotation is not None and not now.rotation.is_over:
            what = "it is being rotated"
        raise validation(f"The Fernet key of environment {environment.name} cannot be rotated: {what}.")
    return Answer({"Arn": services.place.environment(environment.name)})


def _view(environment: Environment) -> dict[str, Any]:
    rotation = environment.rotation
    if rotation is None:
        return {}
    shown: dict[str, Any] = {
        "EnvironmentName": environment.name,
        "State": rotation.state.value,
        "AskedAt": rotation.asked_at,
    }
    return shown | ({"Reason": rotation.error} if rotation.error else {})
