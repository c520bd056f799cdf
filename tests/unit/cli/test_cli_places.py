"""Which service a command means, what `up` tells, and how results are printed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tradewind.bootstrap.announcement import Announcement
from tradewind.cli import service as service_module
from tradewind.cli.failures import Failure
from tradewind.cli.output import Output, aligned, document
from tradewind.cli.service import Service, find
from tradewind.cli.serving import exports, tell
from tradewind.cli.signing_in import has_browser, link
from tradewind.settings import Settings

SETTINGS = Settings(Path("/data"))


def announced(**changes):
    here = psutil.Process()
    values = {
        "endpoint_url": "https://localhost:8443", "region": "eu-west-1", "account_id": "123456789012",
        "access_key_id": "AKIA", "secret_access_key": "s'cret", "ca_bundle": "/data/ca/bundle.pem", "data_dir": "/data",
        "pid": here.pid, "started": here.create_time(),
    }  # fmt: skip
    return Announcement(**(values | changes))


@pytest.fixture
def recalled(monkeypatch):
    def recall(announcement):
        monkeypatch.setattr(service_module, "recall", lambda _layout: announcement)

    return recall


def test_the_announcement_of_the_data_directory(recalled):
    recalled(announced())
    found = find(SETTINGS, {}, named=False)
    assert (found.url, found.access_key_id, found.data_dir) == ("https://localhost:8443", "AKIA", Path("/data"))


def test_awss_variables_win_over_the_default_directory(recalled):
    recalled(announced())
    surroundings = {"AWS_ENDPOINT_URL_MWAA": "https://tw.example", "AWS_REGION": "us-west-2", "AWS_CA_BUNDLE": "/b.pem"}
    found = find(SETTINGS, surroundings, named=False)
    assert (found.url, found.region, found.ca_bundle) == ("https://tw.example", "us-west-2", "/b.pem")
    assert (found.access_key_id, found.data_dir) == (None, None)  # boto3's own chain; and its files are not ours


def test_the_same_service_by_variables_keeps_its_directory(recalled):
    recalled(announced())
    found = find(SETTINGS, {"AWS_ENDPOINT_URL_MWAA": "https://localhost:8443"}, named=False)
    assert (found.data_dir, found.account_id, found.ca_bundle) == (Path("/data"), "123456789012", "/data/ca/bundle.pem")


def test_a_named_directory_wins_over_the_variables(recalled):
    recalled(announced())
    assert find(SETTINGS, {"AWS_ENDPOINT_URL_MWAA": "https://tw.example"}, named=True).url == "https://localhost:8443"


def test_no_service(recalled):
    recalled(None)
    with pytest.raises(Failure, match=r"none runs on /data; start it with tradewind up$") as caught:
        find(SETTINGS, {}, named=False)
    assert caught.value.status == 3
    with pytest.raises(Failure, match=r"tradewind up --data-dir /data$"):
        find(SETTINGS, {}, named=True)


def test_a_service_that_was_killed(recalled):
    recalled(announced(started=1.0))
    with pytest.raises(Failure, match="has ended") as caught:
        find(SETTINGS, {}, named=False)
    assert caught.value.status == 3


def test_secrets_are_not_shown(recalled):
    recalled(announced())
    assert "s'cret" not in repr(Service(find(SETTINGS, {}, named=False)))


def test_an_unreadable_ca_bundle(recalled):
    recalled(announced(ca_bundle="/nowhere/bundle.pem"))
    with pytest.raises(Failure, match=r"its ca_bundle /nowhere/bundle.pem cannot be read"):
        list(Service(find(SETTINGS, {}, named=False)).names())


def test_up_tells_programs_one_object(capsys):
    tell(announced(), None, Output.JSON, detached=True)
    assert json.loads(capsys.readouterr().out) == {
        "endpoint_url": "https://localhost:8443", "region": "eu-west-1", "account_id": "123456789012",
        "access_key_id": "AKIA", "secret_access_key": "s'cret", "ca_bundle": "/data/ca/bundle.pem", "data_dir": "/data",
    }  # fmt: skip


def test_up_tells_people_what_to_export(capsys):
    tell(announced(), Path("/data"), Output.TEXT, detached=False)
    out = capsys.readouterr().out
    assert """export AWS_SECRET_ACCESS_KEY='s'"'"'cret'""" in out
    assert "Ctrl-C, or tradewind down --data-dir /data" in out
    assert set(exports(announced())) == {
        "AWS_ENDPOINT_URL_MWAA", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "AWS_DISABLE_HOST_PREFIX_INJECTION",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
    }  # fmt: skip
    assert all(f"export {name}=" in out for name in exports(announced()))


def test_tables_are_columns_of_text():
    rows = [("etl", "AVAILABLE", None), ("b", "CREATING", "two\nlines")]
    assert list(aligned(("NAME", "STATUS", "X"), rows)) == [
        "NAME  STATUS     X", "etl   AVAILABLE  -", "b     CREATING   two lines"
    ]  # fmt: skip


def test_json_holds_times_as_text(capsys):
    document({"at": datetime(2026, 11, 22, 8, 23, 0, 5, tzinfo=UTC)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-22T08:23:00+00:00"}


@pytest.mark.parametrize(
    ("surroundings", "platform", "there"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "w"}, "linux", True),
        ({}, "darwin", True),
    ],
)
def test_a_browser_needs_a_screen(surroundings, platform, there):
    assert has_browser(surroundings, platform) is there


def test_the_link_is_mwaas():
    assert link("h:8443", "t.o.k") == "https://h:8443/aws_mwaa/aws-console-sso?login=true#t.o.k"
