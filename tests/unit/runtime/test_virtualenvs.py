"""What a runtime's name covers, what the installer is told, and how its words reach a person. Builds: integration."""

import dataclasses
from pathlib import Path

import pytest

from tradewind.domain.errors import CannotProvide
from tradewind.domain.manifests import Completed
from tradewind.runtime import virtualenvs
from tradewind.runtime.virtualenvs import Interpreter, Virtualenvs

LOCK = "six==1.17.0 \\\n    --hash=sha256:aaaa\n"


class Wheel:
    """A wheel of given bytes."""

    name = "tradewind_airflow-1-py3-none-any.whl"

    def __init__(self, content):
        self.content = content

    def read_bytes(self):
        return self.content


class NothingIsRun:
    def run(self, *_, **__):
        pytest.fail("the installer was started")


def runtimes(**changes):
    made = Virtualenvs(
        folder=Path("/runtimes"),
        uv=Path("/uv"),
        cache=None,
        interpreter=Interpreter(Path("/usr/bin/python3"), "3.11.2"),
        wheel=Wheel(b"wheel"),
        builder=None,
        processes=NothingIsRun(),
    )
    return dataclasses.replace(made, **changes)


def test_a_runtimes_name_follows_from_lock_python_and_wheel():
    name = runtimes().digest(LOCK)
    assert name == runtimes().digest(LOCK)
    assert len(name) == 24
    assert runtimes().path(name) == Path("/runtimes") / name


@pytest.mark.parametrize(
    "other",
    [
        lambda: runtimes().digest(LOCK.replace("1.17.0", "1.16.0")),
        lambda: runtimes().digest(LOCK.replace("aaaa", "bbbb")),
        lambda: runtimes(wheel=Wheel(b"another")).digest(LOCK),
        lambda: runtimes(interpreter=Interpreter(Path("/usr/bin/python3"), "3.11.3")).digest(LOCK),
    ],
    ids=["version", "hash", "wheel", "python"],
)
def test_anything_else_is_another_runtime(other):
    assert other() != runtimes().digest(LOCK)


def test_an_empty_file_is_answered_by_the_lock_itself():
    assert runtimes().resolve("# nothing\n\n", version="3.3.1", lock=LOCK) == LOCK


def test_a_pin_of_another_airflow_is_refused_before_anything_is_asked():
    with pytest.raises(CannotProvide, match="asks for Airflow 2"):
        runtimes().resolve("apache-airflow==2.9.0", version="3.3.1", lock=LOCK)


@pytest.mark.parametrize(
    "stderr",
    [
        "  \N{MULTIPLICATION SIGN} No solution found:\n  ╰─▶ Because a==1 and b==2\n      conflict.\n",
        "error: No solution found\n  cause: Because a==1 and b==2\n      conflict.\n",
    ],
)
def test_the_installers_words_become_one_sentence(stderr):
    error = virtualenvs._refused("resolve requirements.txt", Completed(1, b"", stderr.encode()))
    assert error.sentence == "cannot resolve requirements.txt: No solution found: Because a==1 and b==2 conflict."
    assert error.code == "INCORRECT_CONFIGURATION"
    assert error.evidence == ()


def test_an_installer_without_words_tells_its_status():
    assert virtualenvs._refused("x", Completed(7, b"", b" \n")).sentence == "cannot x: status 7"


def test_an_installer_that_hangs_is_told_as_such():
    error = virtualenvs._refused("x", Completed(-9, b"", b"Resolving\n", timed_out=True))
    assert error.sentence == "cannot x: it took too long"
    assert error.evidence == ("Resolving",)


def test_pips_index_is_the_installers_unless_it_has_its_own():
    assert virtualenvs._index({"PIP_INDEX_URL": "A", "PIP_EXTRA_INDEX_URL": "B"}) == {
        "UV_DEFAULT_INDEX": "A",
        "UV_INDEX": "B",
    }
    assert virtualenvs._index({"PIP_INDEX_URL": "A", "UV_DEFAULT_INDEX": "C"})["UV_DEFAULT_INDEX"] == "C"
    assert virtualenvs._index({"PATH": "/bin"}) == {}


def test_a_version_that_the_interpreter_cannot_run_is_refused_before_anything_is_made():
    newest = runtimes(interpreter=Interpreter(Path("/usr/bin/python3"), "3.13.5"))
    with pytest.raises(CannotProvide, match=r"Airflow 3\.0\.6: it runs on Python 3\.11, 3\.12, and this .* 3\.13\.5"):
        newest.resolve("", version="3.0.6", lock=LOCK)
    assert newest.resolve("", version="3.3.1", lock=LOCK) == LOCK
