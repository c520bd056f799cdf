"""What measurements of a machine mean. Nothing is measured here."""

import errno
from pathlib import Path

import pytest

from tradewind.bootstrap import examination
from tradewind.bootstrap.examination import disk, examine, memory, names, port, proxy_settings
from tradewind.bootstrap.findings import Severity
from tradewind.bootstrap.leftovers import failing
from tradewind.domain.errors import CannotProvide
from tradewind.domain.manifests import ObservedManifest, ObservedProcess, ProcessState
from tradewind.settings import Settings

GB = 1_000_000_000
OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR


def severity(findings):
    (finding,) = findings
    return finding.severity


@pytest.mark.parametrize(
    ("available", "judged", "words"),
    [
        (GB, ERROR, "1.0 GB of 16.0 GB are free"),
        (2 * GB, WARNING, "one more will fit"),
        (9 * GB, OK, "6 more will fit"),
    ],
)
def test_memory(available, judged, words):
    (finding,) = memory(available, 16 * GB)
    assert finding.severity is judged
    assert words in finding.sentence


@pytest.mark.parametrize(
    ("free", "first", "judged"),
    [(GB, True, ERROR), (GB, False, WARNING), (10_000_000, False, ERROR), (4 * GB, True, WARNING), (50 * GB, True, OK)],
)
def test_disk(free, first, judged):
    assert severity(disk(Path("/data"), free, first=first)) is judged


@pytest.mark.parametrize(
    ("resolves", "loopback", "before", "judged"),
    [
        (True, True, None, OK), (False, True, None, OK), (False, False, None, ERROR), (False, True, True, ERROR),
        (False, True, False, OK), (True, True, False, OK),
    ],
)  # fmt: skip
def test_names(resolves, loopback, before, judged):
    assert severity(names("airflow.localhost", resolves=resolves, loopback=loopback, before=before)) is judged


@pytest.mark.parametrize(
    ("ours", "free", "named", "judged"),
    [(True, False, True, OK), (False, True, True, OK), (False, False, True, ERROR), (False, False, False, WARNING)],
)
def test_ports(monkeypatch, ours, free, named, judged):
    told = "cannot listen on 127.0.0.1 port 8443: nginx, process 7 listens on it"
    monkeypatch.setattr(examination, "explain_obstacle", lambda *_: told)
    (finding,) = port("API", 8443, ours=ours, free=free, named=named)
    assert finding.severity is judged
    assert judged is OK or "port 8443: nginx, process 7 listens on it" in finding.sentence


@pytest.mark.parametrize(
    ("surroundings", "warned"),
    [
        ({}, False),
        ({"HTTPS_PROXY": "http://p:1"}, True),
        ({"https_proxy": "http://p:1", "no_proxy": "example.com"}, True),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com, localhost"}, False),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, False),
    ],
)
def test_a_proxy_that_would_get_requests_for_this_machine(surroundings, warned):
    assert bool(list(proxy_settings(surroundings))) is warned


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (ProcessState.RUNNING, False),
        (ProcessState.STARTING, False),
        (ProcessState.FATAL, True),
        (ProcessState.BACKOFF, True),
    ],
)
def test_processes_that_cannot_be_kept_up(state, told):
    seen = ObservedManifest("x", 1, True, (ObservedProcess("worker-1", state),))
    assert bool(list(failing("environment x", seen))) is told


def test_a_check_that_fails_does_not_hide_the_others(monkeypatch):
    def breaks():
        raise PermissionError(errno.EACCES, "Permission denied", "/proc")

    def refuses():
        raise CannotProvide("cannot find a Python")

    rest = ("_disk", "_data_directory", "_root", "_software", "_names", "_ports", "service", "processes")
    for name in rest:
        monkeypatch.setattr(examination, name, lambda *_: iter(()))
    monkeypatch.setattr(examination, "_memory", lambda: (GB, GB))
    monkeypatch.setattr(examination, "_platform", breaks)
    monkeypatch.setattr(examination, "_python", refuses)
    found = {finding.subject: finding for finding in examine(Settings(Path("/data")))}
    assert found["python"].severity is ERROR
    assert found["python"].sentence == "cannot find a Python"
    assert found["platform"].severity is WARNING
    assert found["memory"].severity is ERROR
