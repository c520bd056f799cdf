"""Our own operations through the whole chain, with stores in memory."""

import dataclasses
import json

import pytest

from tests.unit.api.doubles import PLACE, call, refusal, services
from tests.unit.domain.samples import ID, NOW, SPEC, environment
from tradewind.api.callers import Caller
from tradewind.api.calls import Call
from tradewind.api.operations import OWN_OPERATIONS
from tradewind.domain.environments import Connections, Origin, Phase, Target
from tradewind.domain.identifiers import new_environment_id
from tradewind.domain.snapshots import Kind, SnapshotState
from tradewind.iam import Holding, Policy, Principal, parse_document
from tradewind.wire import WireError

FORK = "/tradewind/environments/sample/fork"
TAKE = "/tradewind/environments/sample/snapshots"


def answer(working, method, path, document=None):
    response = call(working, method, path, document)
    assert response.status == 200, response.body
    return json.loads(response.body)


def taken(working, **members):
    """Id of a snapshot that the reconciler has taken."""
    id_ = answer(working, "POST", TAKE)["SnapshotId"]
    working.snapshots.take(id_, **members)
    return id_


def test_one_is_asked_for_and_described():
    working = services(environment())
    id_ = answer(working, "POST", TAKE)["SnapshotId"]
    described = {
        "SnapshotId": id_, "EnvironmentName": "sample", "Kind": "MANUAL", "State": "PENDING",
        "CreatedAt": NOW.timestamp(),
    }  # fmt: skip
    assert answer(working, "GET", f"/tradewind/snapshots/{id_}") == {"Snapshot": described}
    working.snapshots.take(id_)
    whole = described | {"State": "AVAILABLE", "AirflowVersion": "3.3.1", "Bytes": 12}
    assert answer(working, "GET", "/tradewind/snapshots?EnvironmentName=sample") == {"Snapshots": [whole]}
    assert answer(working, "GET", "/tradewind/snapshots?EnvironmentName=other") == {"Snapshots": []}
    working.snapshots.take(id_, state=SnapshotState.FAILED, error="cannot dump")
    assert answer(working, "GET", "/tradewind/snapshots")["Snapshots"][0]["Reason"] == "cannot dump"


def test_one_is_deleted_however_often_that_is_asked():
    working = services(environment())
    id_ = taken(working)
    for _ in range(2):
        assert answer(working, "DELETE", f"/tradewind/snapshots/{id_}") == {}
    assert refusal(call(working, "GET", f"/tradewind/snapshots/{id_}"))[:2] == (404, "ResourceNotFoundException")


def test_it_is_restored_as_an_update_of_its_environment():
    working = services(environment(spec=dataclasses.replace(SPEC, max_workers=3)))
    id_ = taken(working)
    assert answer(working, "POST", f"/tradewind/snapshots/{id_}/restore", {}) == {"Arn": PLACE.environment("sample")}
    found = working.environments.find("sample")
    assert (found.asked, found.generation) == (SPEC, 2)
    assert found.origin == Origin(2, id_, Connections.KEEP)


def test_it_is_restored_as_a_new_environment_when_the_first_is_gone():
    working = services(environment())
    id_ = taken(working)
    working.environments.known.clear()
    status, kind, message = refusal(call(working, "POST", f"/tradewind/snapshots/{id_}/restore", {}))
    assert (status, kind) == (400, "ValidationException")
    assert "give Name to make a new one of it" in message
    answer(working, "POST", f"/tradewind/snapshots/{id_}/restore", {"Name": "again"})
    found = working.environments.find("again")
    assert (found.spec, found.phase, found.origin) == (SPEC, Phase.NEW, Origin(1, id_, Connections.MASK))
    assert found.id != ID
    assert found.secrets.fernet_key != environment().secrets.fernet_key


def test_an_environment_is_copied_with_its_settings_and_tags():
    working = services(environment(tags={"team": "data"}))
    document = {"NewName": "copy", "Connections": "remove"}
    assert answer(working, "POST", FORK, document) == {"Arn": PLACE.environment("copy")}
    found, (snapshot,) = working.environments.find("copy"), working.snapshots.all()
    assert (found.spec, found.tags) == (SPEC, {"team": "data"})
    assert found.origin == Origin(1, snapshot.id, Connections.REMOVE)
    assert (snapshot.environment_name, snapshot.kind) == ("sample", Kind.FORK)


def who_may_not_pass_roles(operation, parameters, working):
    """The operation itself, past a decision that did not know the role yet."""
    alice = Principal(f"arn:aws:iam::{PLACE.account}:user/alice", PLACE.account, "user/alice")
    allowed = '{"Statement": {"Effect": "Allow", "Action": ["tradewind:*", "airflow:*"], "Resource": "*"}}'
    caller = Caller(alice, Holding(identity=(Policy("p", parse_document(allowed), "inline policy p of user alice"),)))
    with pytest.raises(WireError) as refused:
        OWN_OPERATIONS[operation](working, Call(operation, caller, parameters, "an-id"))
    return refused.value.code, refused.value.message


def test_the_role_is_asked_about_when_it_is_known_for_certain():
    """A snapshot that becomes available, or an update that ends, between the decision and the deed."""
    working = services(environment())
    id_ = taken(working)
    expected = f"is not authorized to perform: iam:PassRole on resource: {SPEC.execution_role_arn} "
    for operation, parameters in (
        ("RestoreSnapshot", {"SnapshotId": id_}),
        ("RestoreSnapshot", {"SnapshotId": id_, "Name": "new"}),
        ("ForkEnvironment", {"Name": "sample", "NewName": "new"}),
    ):
        code, message = who_may_not_pass_roles(operation, parameters, working)
        assert code == "AccessDeniedException"
        assert expected in message
    assert [each.id for each in working.snapshots.all()] == [id_]
    assert set(working.environments.known) == {"sample"}


def test_a_copy_that_cannot_be_had_leaves_no_snapshot():
    working = services(environment())
    status, kind, message = refusal(call(working, "POST", FORK, {"NewName": "sample"}))
    assert (status, kind) == (400, "ValidationException")
    assert "already exists" in message
    assert working.snapshots.all() == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"phase": Phase.PROVISIONING}, "CREATING"),
        ({"phase": Phase.REFUSED}, "CREATE_FAILED"),
        ({"phase": Phase.RETURNING}, "ROLLING_BACK"),
        ({"phase": Phase.CHANGING}, "UPDATING"),
        ({"asked": SPEC, "generation": 2}, "UPDATING"),
        ({"phase": Phase.DRAINING, "is_awaited": True}, "MAINTENANCE"),
        ({"target": Target.ABSENT}, "DELETING"),
    ],
)
def test_what_does_not_work_just_now_cannot_be_saved(changes, word):
    working = services(environment(**changes))
    for path, document in ((TAKE, None), (FORK, {"NewName": "copy"})):
        status, kind, message = refusal(call(working, "POST", path, document))
        assert (status, kind) == (400, "ValidationException")
        assert f"its status is {word}" in message
    assert working.snapshots.all() == []


@pytest.mark.parametrize(
    ("method", "path", "document", "expected"),
    [
        ("POST", "/tradewind/environments/nobody/snapshots", None, (404, "ResourceNotFoundException")),
        ("POST", "/tradewind/environments/nobody/fork", {"NewName": "x"}, (404, "ResourceNotFoundException")),
        ("POST", FORK, {}, (400, "ValidationException")),
        ("POST", FORK, {"NewName": "1 x"}, (400, "ValidationException")),
        ("POST", FORK, {"NewName": "x", "Connections": "some"}, (400, "ValidationException")),
        ("GET", "/tradewind/snapshots/snap-0123456789abcdef", None, (404, "ResourceNotFoundException")),
        ("GET", "/tradewind/snapshots/..%2f..%2fetc", None, (400, "ValidationException")),
        ("POST", "/tradewind/snapshots/snap-0123456789abcdef/restore", {}, (404, "ResourceNotFoundException")),
        ("GET", "/tradewind/other", None, (404, "UnknownOperationException")),
    ],
)
def test_bad_requests_are_answered_as_aws_would(method, path, document, expected):
    assert refusal(call(services(environment()), method, path, document))[:2] == expected


def test_what_a_copy_is_made_of_is_not_restored_by_others():
    working = services(environment())
    answer(working, "POST", FORK, {"NewName": "copy"})
    (snapshot,) = working.snapshots.all()
    working.snapshots.take(snapshot.id)
    message = refusal(call(working, "POST", f"/tradewind/snapshots/{snapshot.id}/restore", {"Name": "other"}))[2]
    assert "it goes when the copy is made" in message


def test_what_is_not_there_yet_or_not_supported_any_more_is_not_restored():
    working = services(environment())
    id_ = answer(working, "POST", TAKE)["SnapshotId"]
    path = f"/tradewind/snapshots/{id_}/restore"
    assert "its state is PENDING" in refusal(call(working, "POST", path, {}))[2]
    working.snapshots.take(id_, spec=dataclasses.replace(SPEC, airflow_version="2.11.2"))
    assert "Airflow version 2.11.2 is not supported" in refusal(call(working, "POST", path, {}))[2]
    working.snapshots.take(id_)
    assert "it needs Name" in refusal(call(working, "POST", path, {"Connections": "keep"}))[2]


def test_a_restore_waits_its_turn():
    working = services(environment())
    id_ = taken(working)
    working.environments.known["sample"] = environment(asked=SPEC, generation=2)
    message = refusal(call(working, "POST", f"/tradewind/snapshots/{id_}/restore", {}))[2]
    assert message == "Environment sample cannot be updated: its status is UPDATING."


def test_a_snapshot_is_not_restored_into_another_environment_of_that_name():
    working = services(environment())
    id_ = taken(working)
    working.environments.known["sample"] = environment(id=new_environment_id())
    assert "is not there any more" in refusal(call(working, "POST", f"/tradewind/snapshots/{id_}/restore", {}))[2]
