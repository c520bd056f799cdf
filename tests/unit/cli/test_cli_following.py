"""Following an environment: every step is told once, in time that is only counted."""

import json

import botocore.exceptions
import pytest

from tradewind.cli.failures import Failure
from tradewind.cli.following import Watch, until_created, until_deleted
from tradewind.cli.progress import Progress, parse
from tradewind.cli.service import Seen


class Lines:
    def __init__(self):
        self.said, self.shown = [], []

    def say(self, text):
        self.said.append(" ".join(text.split()))

    def show(self, text):
        self.shown.append(text)


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def seen(status, *done, step="", error=None, id_="abc"):
    change = {"Status": "PENDING"} | ({"Error": {"ErrorMessage": error}} if error else {})
    return Seen({"Name": "etl", "Status": status, "LastUpdate": change}, id_, Progress(step, done))


def watch(*looks):
    """A watch that sees these, one after the other, and the last one for ever."""
    left, time = list(looks), Time()

    def look():
        one = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(one, Exception):
            raise one
        return one

    return Watch(look, Lines(), time, time.sleep)


def test_every_step_is_told_once():
    one = watch(
        seen("CREATING", step="folders"),
        seen("CREATING", ("folders", 0.1), step="runtime"),
        seen("CREATING", ("folders", 0.1), ("runtime", 29.54), step="health"),
        seen("AVAILABLE", ("folders", 0.1), ("runtime", 29.54), ("health", 3.0)),
    )
    assert until_created(one, "etl").status == "AVAILABLE"
    assert one.live.said == [
        "folders and users 0.1 s", "building the Python environment 29.5 s", "waiting until all of them answer 3.0 s"
    ]  # fmt: skip
    assert one.live.shown[0] == "folders and users"


def test_a_failure_is_told_in_the_services_words():
    one = watch(seen("CREATING"), seen("CREATE_FAILED", error="cannot resolve requirements.txt: no such package"))
    with pytest.raises(Failure, match=r"cannot create etl: cannot resolve requirements\.txt: no such package"):
        until_created(one, "etl")


def test_an_environment_that_is_deleted_meanwhile():
    with pytest.raises(Failure, match="deleted meanwhile"):
        until_created(watch(seen("CREATING"), None), "etl")


def test_a_deletion_tells_its_own_steps_only():
    before = Progress("", (("folders", 0.1),))
    one = watch(
        seen("DELETING", ("folders", 0.1), ("drop database", 0.3)),
        seen("DELETING", ("folders", 0.1), ("drop database", 0.3), ("remove files", 0.2)),
        None,
    )
    until_deleted(one, "etl", "abc", before)
    assert one.live.said == ["dropping the database 0.3 s", "removing its files 0.2 s"]


def test_a_new_environment_of_that_name_is_none_of_it():
    until_deleted(watch(seen("DELETING"), seen("CREATING", id_="new")), "etl", "abc", Progress())
    one = watch(seen("DELETING"), seen("DELETING", id_="new"), RuntimeError("it looked on"))
    until_deleted(one, "etl", "abc", Progress())


def test_a_deletion_that_went_another_way():
    with pytest.raises(Failure, match="cannot delete etl: it is UNAVAILABLE"):
        until_deleted(watch(seen("UNAVAILABLE")), "etl", "abc", Progress())


def test_a_restart_of_the_service_is_waited_out_but_not_for_ever():
    away = botocore.exceptions.EndpointConnectionError(endpoint_url="https://localhost:1/")
    assert until_created(watch(*[away] * 20, seen("AVAILABLE")), "etl").status == "AVAILABLE"
    one = watch(away)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        until_created(one, "etl")
    assert 60 < one.clock() < 70


def test_other_errors_end_it_at_once():
    error = botocore.exceptions.ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetEnvironment")
    one = watch(error)
    with pytest.raises(botocore.exceptions.ClientError):
        until_created(one, "etl")
    assert one.clock() == 0


@pytest.mark.parametrize(
    "header", [None, "", "{", "[]", '"x"', '{"done": 3}', '{"done": [{}]}', '{"done": [{"step": 1}]}']
)
def test_progress_that_cannot_be_read_is_none(header):
    assert parse(header) == Progress()


def test_progress():
    header = json.dumps({"step": "runtime", "done": [{"step": "folders", "seconds": 0.1}]})
    assert parse(header) == Progress("runtime", (("folders", 0.1),))
