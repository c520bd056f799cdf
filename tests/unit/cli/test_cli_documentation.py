"""docs/cli.md knows every command, option and exit status."""

from pathlib import Path

import pytest
import typer

from tradewind.cli import failures
from tradewind.cli.app import app

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option(name):
    assert f"`{name}" in PAGE
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert any(option in PAGE for option in parameter.opts + parameter.secondary_opts), parameter.opts


def test_every_exit_status():
    statuses = {value for name, value in vars(failures).items() if name.isupper() and isinstance(value, int)}
    assert statuses == {1, 2, 3, 130, 141}
    assert all(f"| {status} |" in PAGE for status in statuses)
