"""The service's own log is its owner's alone."""

import logging
import stat

import pytest

from tradewind.bootstrap.logs import PrivateFile


@pytest.fixture
def write(tmp_path):
    """Writes a line to a log that is rotated at every line."""
    handlers = []

    def write(text):
        if not handlers:
            handlers.append(PrivateFile(tmp_path / "service.log", maxBytes=1, backupCount=2))
        handlers[0].emit(logging.makeLogRecord({"msg": text}))

    yield write
    for handler in handlers:
        handler.close()


def test_the_file_and_what_was_rotated_are_their_owners_alone(tmp_path, write):
    (tmp_path / "service.log").write_text("of an earlier release\n")
    (tmp_path / "service.log").chmod(0o644)
    (tmp_path / "service.log.1").touch(0o644)
    write("one")
    write("two")
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert (tmp_path / "service.log").read_text() == "two\n"
