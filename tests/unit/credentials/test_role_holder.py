"""What is handed out, when others are asked for, and what happens while nobody answers."""

import pytest

from tradewind_airflow.credentials.role import Credentials, Holder, NoCredentials, read

HOURS = 3600.0
ROLE = "arn:aws:iam::111111111111:role/execution"


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


class Plane:
    """A control plane: answers with credentials of twelve hours, or with a refusal."""

    def __init__(self, clock):
        self.clock, self.asked, self.refusal = clock, 0, None

    def __call__(self):
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        return Credentials(f"ASIA{self.asked}", "s", "t", self.clock.now, self.clock.now + 12 * HOURS)


class World:
    def __init__(self, held=None):
        self.clock, self.kept, self.told = Clock(), [], []
        self.plane = Plane(self.clock)
        self.holder = Holder(self.plane, held=held, keep=self.kept.append, clock=self.clock, tell=self.told.append)

    def is_away(self, sentence="no answer"):
        self.plane.refusal = NoCredentials(503, "ServiceUnavailable", sentence)


def of_age(hours, *, clock=Clock.now):
    return Credentials("ASIAkept", "s", "t", clock - hours * HOURS, clock + (12 - hours) * HOURS)


def test_the_first_question_is_passed_on_and_the_next_ones_are_not():
    world = World()
    assert [world.holder.current().access_key_id for _ in range(3)] == ["ASIA1"] * 3
    assert world.plane.asked == 1
    assert [kept.access_key_id for kept in world.kept] == ["ASIA1"]


@pytest.mark.parametrize(("hours", "asked"), [(0, 0), (5.9, 0), (6, 1), (11, 1), (12, 1), (40, 1)])
def test_a_look_renews_from_half_of_the_lifetime_on(hours, asked):
    world = World(of_age(hours))
    world.holder.look()
    assert world.plane.asked == asked


def test_half_of_the_lifetime_passes_without_a_control_plane():
    """Looked at all the time, what is handed out is always good for six hours more."""
    world = World()
    world.holder.look()
    world.clock.now += 5.99 * HOURS
    world.holder.look()
    world.is_away()
    while world.clock.now < Clock.now + 11.9 * HOURS:
        assert world.holder.current().access_key_id == "ASIA1"
        world.clock.now += world.holder.look()
    world.plane.refusal = None
    world.holder.look()
    assert world.holder.current().access_key_id.startswith("ASIA")
    assert world.holder.current().access_key_id != "ASIA1"


def test_looks_are_frequent_while_there_is_nothing_and_never_without_a_pause():
    world = World()
    world.is_away()
    assert 1 <= world.holder.look() <= 30
    world.plane.refusal = None
    assert 1 <= world.holder.look() <= 60


@pytest.mark.parametrize("held", [None, of_age(11.99), of_age(13)], ids=["none", "about to end", "ended"])
def test_without_a_control_plane_nothing_that_has_ended_is_handed_out(held):
    world = World(held)
    world.is_away("cannot give credentials: there is no role")
    with pytest.raises(NoCredentials, match="there is no role") as caught:
        world.holder.current()
    assert (caught.value.status, caught.value.code) == (503, "ServiceUnavailable")


def test_a_hundred_who_come_at_once_are_one_question_and_later_ones_another():
    world = World()
    world.is_away()
    for _ in range(100):
        with pytest.raises(NoCredentials):
            world.holder.current()
    assert world.plane.asked == 1
    world.clock.now += 5
    world.plane.refusal = None
    assert world.holder.current().access_key_id == "ASIA2"


def test_a_refusal_is_told_once_however_often_it_is_heard():
    world = World()
    world.is_away("no role")
    for _ in range(3):
        world.holder.look()
        world.clock.now += 15
    assert world.told == ["no role"]


def test_a_disk_that_is_full_keeps_nobody_from_their_credentials():
    def fail(_credentials):
        raise OSError("no space left on device")

    told = []
    holder = Holder(Plane(Clock()), held=None, keep=fail, clock=Clock(), tell=told.append)
    assert holder.current().access_key_id == "ASIA1"
    assert "no space left" in told[-1]


def test_credentials_of_a_clock_that_was_ahead_are_not_trusted():
    world = World(of_age(-3))
    assert world.holder.current().access_key_id == "ASIA1"


def test_the_answer_is_read_as_it_is_written():
    made = Credentials("ASIAX", "secret", "token", 1_000_000.0, 1_043_200.0)
    document = made.answer(ROLE)
    assert document == {
        "AccessKeyId": "ASIAX", "SecretAccessKey": "secret", "Token": "token",
        "Expiration": "1970-01-13T01:46:40Z", "RoleArn": ROLE,
    }  # fmt: skip
    assert read(document, 1_000_000.0) == made


@pytest.mark.parametrize("change", [{"Token": None}, {"Token": ""}, {"SecretAccessKey": 1}, {"Expiration": "tomorrow"}])
def test_half_a_document_is_none(change):
    document = Credentials("ASIAX", "secret", "token", 1_000_000.0, 1_043_200.0).answer(ROLE)
    with pytest.raises(ValueError, match=r"not a document|time data"):
        read(document | change, 0)


def test_no_secret_is_in_a_representation():
    text = repr(Credentials("ASIAX", "SECRET", "TOKEN", 0, 1))
    assert "SECRET" not in text
    assert "TOKEN" not in text


def test_after_a_clear_no_looks_are_rare_and_a_task_that_asks_is_heard_at_once():
    world = World()
    world.plane.refusal = NoCredentials(403, "RoleUnavailable", "there is no such role")
    assert world.holder.look() == 300
    world.plane.refusal = None
    world.clock.now += 5
    assert world.holder.current().access_key_id == "ASIA2"


def test_whatever_goes_wrong_somebody_goes_on_looking():
    """The thread that looks is the only one: without it what is held would run out unnoticed."""
    world = World(of_age(7))
    world.plane.refusal = UnicodeError("label too long")
    assert world.holder.look() == 60
    assert world.told == ["cannot ask for credentials: UnicodeError"]
    world.plane.refusal = None
    world.holder.look()
    assert world.holder.current().access_key_id == "ASIA2"
