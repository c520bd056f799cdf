"""Where things lie: one folder an environment, and nothing of two environments in one place."""

from pathlib import Path

from tests.unit.domain.samples import ID
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import EnvironmentLayout, Layout

LAYOUT = Layout(Path("/data"), Path("/run/tw"))


def properties(of):
    kind = type(of)
    return {name: getattr(of, name) for name in dir(kind) if isinstance(getattr(kind, name), property)}


def test_everything_of_the_service_lies_below_the_data_directory():
    found = properties(LAYOUT)
    assert found
    assert all(path.is_relative_to("/data") for path in found.values())
    assert len(set(found.values())) == len(found)


def test_everything_of_an_environment_lies_below_its_folder():
    mine = LAYOUT.environment(ID)
    assert mine.root == Path("/data/environments") / str(ID)
    assert all(path.is_relative_to(mine.root) for path in properties(mine).values())
    assert mine.process_log("scheduler-1") == mine.logs / "scheduler-1.log"
    assert mine.task_logs.is_relative_to(mine.logs)


def test_two_environments_share_no_path():
    mine, others = LAYOUT.environment(ID), LAYOUT.environment(EnvironmentId("bbcdefghjkmn"))
    assert not set(properties(mine).values()) & set(properties(others).values())


def test_sockets_have_their_own_folder():
    assert LAYOUT.environment(ID) == EnvironmentLayout(LAYOUT.environments / str(ID), Path("/run/tw"), ID)
