"""Every supported Airflow version in a real runtime: what of ours fits it, its template, and databases on their way.

Only processes that end are started here: what a whole environment does is tested on the default version.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.conftest import Postgres, Stage, fill_template, on_database, runtime_of
from tradewind.recipe import settings
from tradewind.recipe.versions import versions

# A runtime and a template may have to be made within a test.
pytestmark = pytest.mark.timeout(1200)

# What can be put in, by version; the rest stays stock there. See docs/versions.md.
EVERYWHERE = {"dag_run_steps", "forgetting", "ledgers", "noticed_ends"}
FITS = {
    "3.0.6": EVERYWHERE | {"token_cookies"},
    "3.1.8": EVERYWHERE | {"logs_on_stderr"},
    "3.2.1": EVERYWHERE | {"logs_on_stderr", "execution_door"},
    "3.3.1": EVERYWHERE | {"logs_on_stderr", "execution_door", "snapshots"},
    "3.3.2": EVERYWHERE | {"logs_on_stderr", "execution_door", "snapshots"},
}
SUBSTITUTIONS = sorted(set.union(*FITS.values()))
IMPORTED = ("security", "people", "bundle", "rehearsal", "compat.rehearsal", "compat.spent", "preload.parent")
LOOK = """
import importlib, json, os, sys
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
found = {}
for name in %(substitutions)r:
    found[name] = importlib.import_module(f"tradewind_airflow.compat.{name}").install()
for name in %(imported)r:
    importlib.import_module(f"tradewind_airflow.{name}")
from tradewind_airflow.auth import TradewindFabAuthManager
from tradewind_airflow.preload.modules import import_for
from airflow.version import version
json.dump({"version": version, "fits": found, "missing": import_for("preload")}, answer)
answer.close()
"""
SPEND = """
import datetime as dt, json, os
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
from airflow import settings
settings.initialize()
from airflow.utils.session import create_session
from tradewind_airflow import migration
from tradewind_airflow.compat import spent
later = dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=60)
spendings = []
for key in ("one", "one", "two"):
    with create_session(scoped=False) as session:
        spendings.append(spent.spend(key, later, session))
json.dump({"heads": migration.heads(), "spendings": spendings}, answer)
answer.close()
"""
REHEARSE = """
import io, json, sys
asked = {"bundle": "dags", "version": %(version)r, "files": None, "seconds": 60}
sys.stdin = io.StringIO(json.dumps(asked))
from tradewind_airflow import rehearsal
rehearsal.main()
"""
CONTENT = """
from airflow.sdk import dag, task

@dag(schedule=None)
def moved():
    @task
    def only():
        return {"it": "stays"}
    only()

moved()
"""


@pytest.fixture(scope="session")
def stages(folder: Path, postgres: Postgres) -> Any:
    """By version: an environment's folders and settings, without processes. Made when asked for."""
    made: dict[str, Stage] = {}

    def of(version: str) -> Stage:
        if version not in made:
            runtime = runtime_of(version)
            made[version] = Stage(folder, runtime, postgres, "none", version)
            made[version].write()
        return made[version]

    return of


@pytest.fixture(scope="session")
def templates(stages: Any, postgres: Postgres) -> Any:
    """By version: the name of its template database. Made when asked for."""
    made: set[str] = set()

    def of(version: str) -> str:
        name = "template_" + version.replace(".", "_")
        if version not in made:
            fill_template(stages(version), postgres, name)
            made.add(version)
        return name

    return of


def test_the_table_knows_every_version():
    assert sorted(FITS) == sorted(versions())


@pytest.mark.parametrize("version", versions())
def test_what_fits_is_put_in_and_the_rest_stays_stock(stages, version):
    done = stages(version).run("-c", LOOK % {"substitutions": SUBSTITUTIONS, "imported": IMPORTED})
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["version"] == version
    assert {name for name, could in found["fits"].items() if could} == FITS[version]
    assert set(found["fits"].values()) <= {True, False}
    assert found["missing"] == [], "the preloaded parent cannot import them"


@pytest.mark.parametrize("version", versions())
def test_a_template_has_the_tables_and_the_roles_and_assertions_are_spent_once(stages, templates, postgres, version):
    template, copy = templates(version), f"copy_{version.replace('.', '_')}"
    postgres.query(f"CREATE ROLE {copy} LOGIN PASSWORD 'copy'")
    postgres.query(f"CREATE DATABASE {copy} OWNER {copy} TEMPLATE {template}")
    postgres.query(f"REASSIGN OWNED BY {template} TO {copy}", copy)
    stage = stages(version)
    done = stage.run("-c", SPEND, environment=on_database(stage, copy, copy, "copy"))
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert revisions(postgres, copy) == found["heads"]
    assert found["spendings"] == [True, False, True]
    roles = postgres.query("SELECT name FROM ab_role ORDER BY 1", copy)
    assert [name for (name,) in roles] == ["Admin", "Op", "Public", "User", "Viewer"]


@pytest.mark.parametrize("version", versions())
def test_dags_are_rehearsed(stages, version):
    stage = stages(version)
    snapshot = stage.deploy({"moved.py": CONTENT, "wrong.py": "from airflow.sdk import dag\n1 / 0\n"})
    variables = settings.rehearsal_settings(stage.inputs, stage.layout.bundle, stage.layout.logs / "rehearsal")
    done = stage.run("-c", REHEARSE % {"version": snapshot}, environment=variables)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert set(found["modules"].values()) == {None}
    assert found["plugins"] == {}
    assert found["files"]["moved.py"] == {"dags": ["moved"], "error": None}
    assert found["files"]["wrong.py"]["dags"] == []
    assert "ZeroDivisionError" in found["files"]["wrong.py"]["error"]


def revisions(postgres: Postgres, database: str) -> dict[str, str]:
    return {
        name: postgres.query(f"SELECT version_num FROM {table}", database)[0][0]
        for name, table in (("airflow", "alembic_version"), ("fab", "alembic_version_fab"))
    }


class Database:
    """A database with content, and runtimes that come and go."""

    def __init__(self, stages: Any, postgres: Postgres, template: str) -> None:
        self._stages, self._postgres, self.name = stages, postgres, "on_its_way"
        self._key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        postgres.query(f"CREATE ROLE {self.name} LOGIN PASSWORD 'moves'")
        postgres.query(f"CREATE DATABASE {self.name} OWNER {self.name} TEMPLATE {template}")
        postgres.query(f"REASSIGN OWNED BY {template} TO {self.name}", self.name)

    def run(self, version: str, *arguments: str) -> Any:
        stage = self._stages(version)
        variables = on_database(stage, self.name, self.name, "moves")
        return stage.run("-m", *arguments, environment=variables | {"AIRFLOW__CORE__FERNET_KEY": self._key})

    def airflow(self, version: str, *arguments: str) -> str:
        done = self.run(version, "tradewind_airflow.component", "cli", *arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return str(done.stdout)

    def migrate(self, version: str, *arguments: str) -> None:
        done = self.run(version, "tradewind_airflow.migration", *arguments)
        assert done.returncode == 0, done.stderr[-3000:]

    def heads(self, version: str) -> dict[str, str]:
        return dict(json.loads(self.run(version, "tradewind_airflow.migration", "heads").stdout))

    def fill(self, version: str) -> None:
        self._stages(version).deploy({"moved.py": CONTENT})
        self.airflow(version, "variables", "set", "kept", "secret value")
        self.airflow(version, "connections", "add", "there", "--conn-uri", "http://me:password@host.test:80")
        self.airflow(version, "dags", "reserialize")
        self.airflow(version, "dags", "test", "moved")

    def check(self, version: str) -> None:
        """What was put in is there, and this version reads secrets with their key."""
        assert self.airflow(version, "variables", "get", "kept").split()[-2:] == ["secret", "value"]
        for rows, sql in (
            ([("there", "me")], "SELECT conn_id, login FROM connection WHERE is_encrypted"),
            ([("moved", "success")], "SELECT dag_id, state FROM dag_run"),
            ([("only", "success")], "SELECT task_id, state FROM task_instance"),
            ([("return_value",)], "SELECT key FROM xcom"),
        ):
            assert self._postgres.query(sql, self.name) == rows


def test_a_database_with_content_goes_up_and_down_again(stages, templates, postgres):
    old, new = "3.0.6", "3.3.2"
    database = Database(stages, postgres, templates(old))
    database.fill(old)

    database.migrate(new, "up")
    assert revisions(postgres, database.name) == database.heads(new)
    database.check(new)

    refused = database.run(old, "tradewind_airflow.migration", "up")
    assert refused.returncode == 1
    assert "cannot migrate the database up: " in refused.stderr
    assert f"which Airflow {old} does not know" in refused.stderr

    below = database.heads(old)
    for _ in range(2):  # the second time there is nothing to do
        database.migrate(new, "down", below["airflow"], below["fab"])
        assert revisions(postgres, database.name) == below
    database.migrate(old, "up")
    database.check(old)


def test_an_unknown_way_is_refused_with_words(stages):
    done = stages("3.3.1").run("-m", "tradewind_airflow.migration", "sideways")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
