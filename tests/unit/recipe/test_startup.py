"""The start-up script: what it finds, and what of its exports reaches Airflow."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from tests.unit.recipe.test_settings import INPUTS
from tradewind.recipe import startup
from tradewind.recipe.settings import Component, trusted_settings, worker_settings
from tradewind.recipe.startup import Outcome, Place

GIVEN = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": "/home", "KEPT": "as it was"}


def run(tmp_path, text, given=None):
    """Status, output and captured variables of a script."""
    script = tmp_path / "startup.sh"
    script.write_text(text)
    given = given or GIVEN
    done = subprocess.run(startup.command(script), env=given, capture_output=True, check=False, timeout=20)
    return done.returncode, done.stderr.decode(), startup.captured(given, done.stdout)


def test_exports_are_captured_and_output_is_kept_apart(tmp_path):
    status, said, found = run(tmp_path, "echo hello; export A='1 2'; B=not-exported; export PATH=/opt/bin:$PATH\n")
    assert (status, said) == (0, "hello\n")
    assert found == {"A": "1 2", "PATH": "/opt/bin:/usr/bin:/bin"}


def test_values_may_hold_lines_and_equals_signs(tmp_path):
    assert run(tmp_path, "export A=$'x=1\\ny=2'\n")[2] == {"A": "x=1\ny=2"}


@pytest.mark.parametrize(("end", "status"), [("exit 0", 0), ("exit 3", 3), ("set -e; false; true", 1)])
def test_a_script_that_exits_tells_its_variables_and_its_status(tmp_path, end, status):
    found = run(tmp_path, f"export A=1\n{end}\n")
    assert (found[0], found[2]) == (status, {"A": "1"})


def test_reserved_variables_stay_as_they_are(tmp_path):
    text = (
        "unset AIRFLOW_HOME KEPT\nexport AIRFLOW__CORE__FERNET_KEY=x AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD=x "
        "MWAA_AIRFLOW_COMPONENT=x AIRFLOW__CORE__EXECUTOR=x PYTHONPATH=x TRADEWIND_PRELOAD=x "
        "AIRFLOW__CORE__PARALLELISM=1 AIRFLOW__TRADEWIND__ZYGOTES=eager\n"
        "export AIRFLOW__CORE__DEFAULT_TIMEZONE=Europe/Berlin AIRFLOW_VAR_X=1 MINE=2\n"
    )
    assert run(tmp_path, text)[2] == {
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Europe/Berlin", "AIRFLOW_VAR_X": "1", "MINE": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["AIRFLOW_HOME", "AIRFLOW__CELERY__BROKER_URL", "AIRFLOW__SCHEDULER__PARSING_PROCESSES"]
)
def test_names_that_are_reserved(name):
    assert startup.is_reserved(name)


@pytest.mark.parametrize("name", ["LD_LIBRARY_PATH", "CLASSPATH", "AIRFLOW__X", "AIRFLOW_CONN_MINE", "__", "A"])
def test_names_that_are_free(name):
    assert not startup.is_reserved(name)


def test_what_was_captured_reaches_its_kind_of_component_only():
    outcomes = {"worker": Outcome({"W": "1"}, "d"), "webserver": Outcome({"V": "1"}), "scheduler": Outcome()}
    assert startup.read(startup.write(outcomes, of="x")) == outcomes
    kept = {kind: outcome.variables for kind, outcome in outcomes.items()}
    given = dataclasses.replace(INPUTS, startup=kept)
    assert worker_settings(given)["W"] == "1"
    assert trusted_settings(given, Component.API_SERVER)["V"] == "1"
    assert "V" not in trusted_settings(given, Component.SCHEDULER)
    assert startup.read(None) == {}


def test_the_script_finds_no_secret_and_its_component():
    found = startup.surroundings(INPUTS, "webserver")
    assert found["MWAA_AIRFLOW_COMPONENT"] == "webserver"
    assert not {INPUTS.secrets.fernet_key, INPUTS.secrets.jwt_secret} & set(found.values())


def test_a_script_is_run_again_where_what_it_finds_is_another():
    kept = startup.write({}, of=startup.digest(INPUTS))
    assert startup.was_run_on(kept, startup.digest(INPUTS))
    for changes in ({"runtime": Path("/another")}, {"plugins": Path("/p")}, {"extra_environment": {"B": "1"}}):
        assert not startup.was_run_on(kept, startup.digest(dataclasses.replace(INPUTS, **changes)))


PLACE = Place(Path("/place"))
UV = Path("/uv")


def test_pip_comes_before_the_runtimes_programs_and_its_folder_after():
    found = startup.with_pip({"PATH": "/runtime/bin:/usr/bin:/bin"}, PLACE, UV, {"PIP_INDEX_URL": "x", "UV_INDEX": "x"})
    assert found["PATH"] == "/place/bin:/runtime/bin:/place/overlay/bin:/usr/bin:/bin"
    assert found["TRADEWIND_OVERLAY"] == "/place/overlay"
    assert "PIP_INDEX_URL" not in found
    assert found["UV_INDEX"] == "x"


@pytest.mark.parametrize(
    ("overlay", "path", "cow"),
    [
        (Path("/o/1"), "/mine:/runtime/bin:/o/1/bin:/usr/bin:/bin", "/o/1/cow"),
        (None, "/mine:/runtime/bin:/usr/bin:/bin", "/place/overlay/cow"),
    ],
)
def test_a_path_that_the_script_exports_names_what_outlives_it(tmp_path, overlay, path, cow):
    given = startup.with_pip({"PATH": "/runtime/bin:/usr/bin:/bin"}, PLACE, UV, {})
    _, _, found = run(tmp_path, 'export PATH=/mine:$PATH COW="$TRADEWIND_OVERLAY/cow" PYTHONPATH=x\n', given)
    assert startup.moved(found, PLACE, overlay) == {"PATH": path, "COW": cow}


def test_what_is_installed_reaches_its_kind_of_component_only():
    given = dataclasses.replace(INPUTS, overlays={"worker": Path("/o/1"), "scheduler": Path("/o/2")})
    for component in (Component.SCHEDULER, Component.DAG_PROCESSOR, Component.TRIGGERER):
        assert trusted_settings(given, component)["TRADEWIND_OVERLAY"] == "/o/2"
    assert "TRADEWIND_OVERLAY" not in trusted_settings(given, Component.API_SERVER)
    assert worker_settings(given)["TRADEWIND_OVERLAY"] == "/o/1"
    runtime = INPUTS.runtime / "bin"
    assert worker_settings(given)["PATH"].startswith(f"{runtime}:/o/1/bin:/usr")
    assert "TRADEWIND_OVERLAY" not in startup.surroundings(given, "worker")
    assert startup.digest(given) == startup.digest(INPUTS)


def test_what_an_earlier_release_wrote_has_no_overlays():
    assert startup.read('{"of": "x", "variables": {"worker": {"A": "1"}}}') == {"worker": Outcome({"A": "1"})}
