"""Memory to spare."""

import pytest

from tradewind_airflow.zygotes.memory import to_spare


@pytest.fixture
def machine(tmp_path):
    def told(total, available):
        path = tmp_path / "meminfo"
        path.write_text(f"MemTotal:       {total} kB\nMemFree:  1 kB\nMemAvailable:   {available} kB\n")
        return path

    return told


@pytest.mark.parametrize(("available", "spare"), [(1000, True), (250, True), (249, False), (0, False)])
def test_a_quarter_of_the_machine(machine, tmp_path, available, spare):
    assert to_spare(machine(1000, available), tmp_path / "none") is spare


@pytest.mark.parametrize(
    ("limit", "used", "spare"), [("max", "10", True), ("1000", "750", True), ("1000", "751", False)]
)
def test_a_quarter_of_the_container(machine, tmp_path, limit, used, spare):
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text(used)
    assert to_spare(machine(1000, 900), tmp_path) is spare


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemTotal: x\nMemAvailable: \n"])
def test_what_cannot_be_told_is_none(tmp_path, text):
    (tmp_path / "meminfo").write_text(text)
    assert not to_spare(tmp_path / "meminfo", tmp_path)
    assert not to_spare(tmp_path / "absent", tmp_path)


def test_this_machine_can_tell():
    assert to_spare() in {True, False}
