"""Our own operations on keys through the whole chain: what they show, what they ask for, what they refuse."""

import json

import pytest

from tests.unit.api.doubles import PLACE, call, refusal, services
from tests.unit.domain.samples import NOW, SECRETS, environment
from tradewind.domain.environments import Phase
from tradewind.domain.errors import TradewindError
from tradewind.domain.rotations import RotationState

KEYS = "/tradewind/keys"
FERNET = "/tradewind/environments/sample/fernet-key"


def answer(working, method, path):
    response = call(working, method, path)
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_keys_are_shown_by_their_ids():
    working = services(environment())
    assert answer(working, "GET", KEYS) == {
        "Source": "the file of a test",
        "Keys": [{"KeyId": "0000000000000001", "IsCurrent": True, "IsKnown": True, "Values": 3}],
        "FernetRotations": [],
    }


def test_a_new_master_key_is_named():
    working = services()
    assert answer(working, "POST", f"{KEYS}/rotate") == {"KeyId": "0000000000000002", "Values": 3}
    assert [each["IsCurrent"] for each in answer(working, "GET", KEYS)["Keys"]] == [True, False]


def test_a_master_key_that_cannot_be_replaced_is_told():
    working = services()
    working.keyring.refusal = TradewindError("cannot keep the master key: the disk is full")
    status, kind, message = refusal(call(working, "POST", f"{KEYS}/rotate"))
    assert (status, kind) == (400, "ValidationException")
    assert message == "The master key cannot be rotated: cannot keep the master key: the disk is full."


def test_a_fernet_key_is_asked_for_once_and_followed():
    working = services(environment())
    assert answer(working, "POST", FERNET) == {"Arn": PLACE.environment("sample")}
    (shown,) = answer(working, "GET", KEYS)["FernetRotations"]
    assert shown == {"EnvironmentName": "sample", "State": "PENDING", "AskedAt": NOW.timestamp()}
    assert refusal(call(working, "POST", FERNET))[2] == (
        "The Fernet key of environment sample cannot be rotated: it is being rotated."
    )
    working.rotations.move("sample", RotationState.FAILED, "InvalidToken")
    (shown,) = answer(working, "GET", KEYS)["FernetRotations"]
    assert (shown["State"], shown["Reason"]) == ("FAILED", "InvalidToken")
    answer(working, "POST", FERNET)


@pytest.mark.parametrize(("phase", "status"), [(Phase.PROVISIONING, "CREATING"), (Phase.CHANGING, "UPDATING")])
def test_what_is_not_settled_keeps_its_key(phase, status):
    working = services(environment(phase=phase))
    assert refusal(call(working, "POST", FERNET))[2].endswith(f"cannot be rotated: its status is {status}.")


def test_of_what_is_not_there_no_key_is_rotated():
    assert refusal(call(services(), "POST", FERNET))[:2] == (404, "ResourceNotFoundException")


def test_no_key_is_in_any_answer():
    working = services(environment())
    said = b"".join(
        call(working, *asked).body for asked in (("POST", FERNET), ("GET", KEYS), ("POST", f"{KEYS}/rotate"))
    )
    assert SECRETS.fernet_key.encode() not in said
