"""Names that people type never leave the environment's folder, whatever they hold. No file is touched."""

import pytest

from tradewind.telemetry.places import _is_one_name


@pytest.mark.parametrize("name", ["etl", "a.b", "..", "manual__2026-11-22T08:23:00+00:00", "ä b", "~"])
def test_one_component(name):
    # with its prefix (dag_id=..) even two dots are an ordinary name
    assert _is_one_name(name)


@pytest.mark.parametrize("name", ["", "/", "../x", "a/b", "/etc/passwd", "a\0b"])
def test_never_a_path(name):
    assert not _is_one_name(name)
