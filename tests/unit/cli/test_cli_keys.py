"""What `keys` asks the API for, how it follows a rotation, and what it prints."""

import json
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from tradewind.cli import rotating
from tradewind.cli.app import app
from tradewind.cli.failures import Failure
from tradewind.cli.output import Output
from tradewind.cli.rotating import Wanted, rotate_keys, show_all

MASTER = {"KeyId": "aaaa", "IsCurrent": True, "IsKnown": True, "Values": 5}


class ServiceOfTwoEnvironments:
    """The API, whose rotations move on by one state each time that somebody looks."""

    def __init__(self, *states):
        self.states = list(states)
        self.asked = []
        self.own = self

    def names(self):
        return iter(("a", "b"))

    def rotate_master_key(self):
        self.asked.append("master")
        return {"KeyId": "bbbb", "Values": 5, "ResponseMetadata": {}}

    def rotate_fernet_key(self, *, Name):  # noqa: N803
        self.asked.append(Name)

    def list_keys(self):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        reason = {"Reason": "InvalidToken"} if state == "FAILED" else {}
        rotations = [{"EnvironmentName": name, "State": state, "AskedAt": "now", **reason} for name in ("a", "b")]
        keys = [MASTER, {"KeyId": "cccc", "IsCurrent": False, "IsKnown": False, "Values": 1}]
        return {"Source": "the file x", "Keys": keys, "FernetRotations": rotations if state != "GONE" else []}


@pytest.fixture
def use(monkeypatch):
    def with_states(*states):
        service = ServiceOfTwoEnvironments(*states)
        monkeypatch.setattr(rotating, "service_of", lambda _data_dir: service)
        monkeypatch.setattr(rotating, "time", SimpleNamespace(sleep=lambda _seconds: None))
        return service

    return with_states


def wanted(*names, master=False, everywhere=False):
    return Wanted(master=master, names=names, everywhere=everywhere)


def test_keys_are_shown_with_their_uses(use, capsys):
    use("DONE")
    show_all(None, Output.TEXT)
    printed = capsys.readouterr().out
    assert "The master key comes from the file x." in printed
    assert [line.split() for line in printed.splitlines() if line[:4] in {"aaaa", "cccc"}] == [
        ["aaaa", "current", "5"],
        ["cccc", "missing", "1"],
    ]
    show_all(None, Output.JSON)
    assert set(json.loads(capsys.readouterr().out)) == {"Source", "Keys", "FernetRotations"}


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (wanted(master=True), ["master"]),
        (wanted("a"), ["a"]),
        (wanted("b", "a", master=True), ["master", "b", "a"]),
        (wanted(everywhere=True), ["a", "b"]),
    ],
)
def test_what_was_named_is_asked_for(use, given, asked):
    service = use("PENDING", "WIDENED", "WIDENED", "NARROWED", "DONE")
    rotate_keys(given, None, Output.TEXT, wait=True)
    assert service.asked == asked


def test_each_state_is_told_once(use, capsys):
    use("PENDING", "WIDENED", "WIDENED", "NARROWED", "DONE")
    rotate_keys(wanted("a"), None, Output.TEXT, wait=True)
    printed = capsys.readouterr()
    told = [line.strip() for line in printed.err.splitlines()[1:]]
    assert told == ["a: a new key", "a: everything is encrypted with it", "a: the old key goes", "a: done"]
    assert printed.out == "a has a new Fernet key; the old one opens nothing any more.\n"


@pytest.mark.parametrize(
    ("state", "words"),
    [("FAILED", "cannot replace the Fernet key of a: InvalidToken"), ("GONE", "a: it was deleted")],
)
def test_what_fails_is_told(use, state, words):
    use("WIDENED", state)
    with pytest.raises(Failure, match=words):
        rotate_keys(wanted("a"), None, Output.TEXT, wait=True)


def test_nobody_waits_who_does_not_want_to(use, capsys):
    use("PENDING")
    rotate_keys(wanted("a"), None, Output.TEXT, wait=False)
    assert "a gets a new Fernet key." in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--all", "--fernet", "a"]])
def test_a_command_that_makes_no_sense_is_refused(words):
    done = CliRunner().invoke(app, ["keys", "rotate", *words])
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit | typer.BadParameter)
