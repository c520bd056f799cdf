"""pip in a start-up script: how its words become uv's."""

import pytest

from tradewind_airflow.overlays import pip
from tradewind_airflow.overlays.pip import Refused, translated

PUBLIC = "https://raw.githubusercontent.com/apache/airflow/constraints-{}/constraints-3.11.txt"


def install(*words):
    return translated("install", words, airflow="3.3.1")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cowsay==6.1"], ["cowsay==6.1"]),
        (["--user", "-U", "a"], ["-U", "a"]),
        (["--root-user-action=ignore", "a"], ["a"]),
        (["--root-user-action", "ignore", "a"], ["a"]),
        (["--no-cache-dir", "--force-reinstall", "a"], ["--no-cache", "--reinstall", "a"]),
        (["--trusted-host", "h", "a"], ["--allow-insecure-host", "h", "a"]),
        (["--index-url=https://h/simple", "a"], ["--index-url", "https://h/simple", "a"]),
        (["-r", "requirements.txt"], ["-r", "requirements.txt"]),
        (["-c", PUBLIC.format("3.3.1"), "a"], ["a"]),
        (["--constraint=mine.txt", "a"], ["--constraint", "mine.txt", "a"]),
        (["--upgrade", "pip"], []),
        (["-U", "pip>=24", "a"], ["-U", "a"]),
        (["pip-tools"], ["pip-tools"]),
    ],
)
def test_what_uv_is_told(words, told):
    assert install(*words) == (told, {})


def test_options_that_uv_has_as_variables():
    assert install("--timeout", "30", "--proxy=http://h:1", "a") == (
        ["a"], {"UV_HTTP_TIMEOUT": "30", "ALL_PROXY": "http://h:1"},
    )  # fmt: skip


def test_other_commands_keep_their_arguments():
    assert translated("uninstall", ["-y", "pip"], airflow="")[0] == ["pip"]
    assert translated("list", ["--format=json"], airflow="")[0] == ["--format=json"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-e", "."], "cannot install a folder as editable"),
        (["-c", PUBLIC.format("2.9.2"), "a"], "this environment runs Airflow 3.3.1"),
    ],
)
def test_what_is_refused(words, reason):
    with pytest.raises(Refused, match=reason):
        install(*words)


@pytest.mark.parametrize("words", [[], ["-q"], ["download", "a"], ["config", "list"]])
def test_commands_that_it_does_not_know_are_refused_in_one_sentence(monkeypatch, tmp_path, capsys, words):
    monkeypatch.setenv("TRADEWIND_OVERLAY", str(tmp_path / "overlay"))
    monkeypatch.setattr("sys.argv", ["pip", *words])
    assert pip.main() == 2
    assert capsys.readouterr().err.startswith("pip: ")
    assert not (tmp_path / "overlay").exists()


def test_variables_of_pips_are_told_as_uvs_and_ours_are_not_passed_on(monkeypatch, tmp_path):
    """uv is a program here that writes down what it was told."""
    told = tmp_path / "told"
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" > {told}\nenv >> {told}\n')
    uv.chmod(0o755)
    for name, value in {
        "TRADEWIND_OVERLAY": tmp_path / "overlay", "TRADEWIND_UV": uv, "TRADEWIND_CONSTRAINTS": "c.txt",
        "PYTHONPATH": "x", "PIP_INDEX_URL": "https://127.0.0.1/simple",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr("sys.argv", ["pip", "-q", "install", "cowsay"])
    assert pip.main() == 0
    command, *environment = told.read_text().splitlines()
    assert command.startswith("pip install --python ")
    assert command.endswith(f"--target {tmp_path / 'overlay'} --constraint c.txt cowsay")
    assert "UV_DEFAULT_INDEX=https://127.0.0.1/simple" in environment
    assert not [line for line in environment if line.startswith(("PYTHONPATH=", "TRADEWIND_OVERLAY="))]
    monkeypatch.setattr("sys.argv", ["pip", "install", "--target", "elsewhere", "cowsay"])
    assert pip.main() == 0
    assert str(tmp_path / "overlay") not in told.read_text().splitlines()[0]
