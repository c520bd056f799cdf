"""The command line against a real service without environments, as a person or a script would use it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import botocore.config
import psutil
import pytest

TRADEWIND = Path(sys.executable).parent / "tradewind"
LIMIT = 120
HIDDEN = ("AWS_", "TRADEWIND_", "REQUESTS_CA_BUNDLE", "NO_COLOR")


@pytest.fixture(scope="module")
def data():
    # short, and open to the users that the service makes where the tests run as root
    folder = Path(tempfile.mkdtemp(prefix="tw-cli-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "data"
    run(folder / "data", "down")
    shutil.rmtree(folder)


def surroundings(data, **more):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(HIDDEN)}
    return inherited | {"TRADEWIND_DATA_DIR": str(data)} | more


def run(data, *arguments, **more):
    return subprocess.run(
        [TRADEWIND, *arguments],
        env=surroundings(data, **more),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.fixture
def up(data):
    """What `up --detach` announced, of a service that runs."""
    seen = run(data, "status", "-o", "json")
    if seen.returncode:
        started = run(data, "up", "--detach", "--output", "json")
        assert started.returncode == 0, started.stderr
        (data / "announced.json").write_text(started.stdout)
    return json.loads((data / "announced.json").read_text())


@pytest.fixture
def stopped(data):
    """No service runs."""
    assert run(data, "down").returncode == 0


def pid(data):
    return json.loads((data / "service.json").read_text())["pid"]


def assert_refused(done, status, *words):
    assert done.returncode == status, done
    assert done.stderr.startswith("tradewind: cannot ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_nothing_runs_yet(tmp_path):
    nothing = tmp_path / "nothing"
    assert_refused(run(nothing, "list"), 3, f"none runs on {nothing}")
    assert run(nothing, "status").returncode == 3
    done = run(nothing, "down")
    assert (done.returncode, done.stdout) == (0, f"Nothing was running on {nothing}.\n")
    assert not nothing.exists()  # asking changes nothing


def test_up_announces_one_object_that_boto3_can_use(up, data):
    assert set(up) == {
        "endpoint_url", "region", "account_id", "access_key_id", "secret_access_key", "ca_bundle", "data_dir"
    }  # fmt: skip
    assert up["data_dir"] == str(data)
    client = boto3.client(
        "mwaa", endpoint_url=up["endpoint_url"], region_name=up["region"], aws_access_key_id=up["access_key_id"],
        aws_secret_access_key=up["secret_access_key"], verify=up["ca_bundle"],
        config=botocore.config.Config(inject_host_prefix=False, proxies={}),
    )  # fmt: skip
    with contextlib.closing(client):
        assert client.list_environments()["Environments"] == []


def test_the_state_of_things(up, data):
    done = run(data, "status")
    assert done.returncode == 0
    assert up["endpoint_url"] in done.stdout
    assert json.loads(run(data, "status", "-o", "json").stdout)["environments"] == []
    assert json.loads(run(data, "list", "-o", "json").stdout) == []
    assert "There are no environments" in run(data, "list").stdout


def test_clients_by_awss_variables(up, data, tmp_path):
    variables = {
        "AWS_ENDPOINT_URL_MWAA": up["endpoint_url"], "AWS_REGION": up["region"], "AWS_CA_BUNDLE": up["ca_bundle"],
        "AWS_ACCESS_KEY_ID": up["access_key_id"], "AWS_SECRET_ACCESS_KEY": up["secret_access_key"],
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    assert run(elsewhere, "list", "-o", "json", **variables).stdout == "[]\n"
    wrong = variables | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    assert_refused(run(elsewhere, "list", **wrong), 1, "InvalidSignatureException")
    without = {key: value for key, value in variables.items() if "KEY" not in key}
    assert_refused(run(elsewhere, "list", **without), 1, "there are no credentials")
    untrusted = {key: value for key, value in variables.items() if key != "AWS_CA_BUNDLE"}
    assert_refused(run(elsewhere, "list", **untrusted), 3, "its certificate is not trusted here")
    away = variables | {"AWS_ENDPOINT_URL_MWAA": "https://localhost:1"}
    assert_refused(run(elsewhere, "list", **away), 3, "cannot reach the service")
    create = run(elsewhere, "create", "x", "--dags", str(tmp_path), **variables)
    assert_refused(create, 1, "name it with --data-dir")


def test_what_the_api_refuses_leaves_nothing_behind(up, data, tmp_path):
    (tmp_path / "etl.py").touch()
    done = run(data, "create", "x", "--dags", str(tmp_path), "--class", "mw1.huge")
    assert_refused(done, 1, "ValidationException", "mw1.huge is not supported")
    assert list((data / "buckets").iterdir()) == []
    for arguments in (["show", "x"], ["delete", "x"], ["logs", "x"]):
        assert_refused(run(data, *arguments), 1, "cannot find the environment x")
    assert_refused(run(data, "open", "x"), 1, "ResourceNotFoundException")
    assert_refused(run(data, "dags", "x"), 1, "cannot list the DAGs of x: ResourceNotFoundException")


def test_a_second_service_is_refused(up, data):
    assert_refused(run(data, "up"), 1, "a Tradewind service is running on it")
    assert_refused(run(data, "up", "--detach"), 1, "a Tradewind service is running on it")
    assert run(data, "status").returncode == 0


def test_doctor_on_a_service_that_is_well(up, data):
    findings = json.loads(run(data, "doctor", "-o", "json").stdout)
    told = {finding["sentence"]: finding["severity"] for finding in findings}
    assert any("answers at" in sentence and severity == "ok" for sentence, severity in told.items())
    assert not [f for f in findings if f["severity"] == "error" and f["subject"] not in {"memory", "disk"}]


def test_a_reader_that_goes_away(up, data):
    command = f"'{TRADEWIND}' doctor | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], env=surroundings(data), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.stderr == ""
    assert done.returncode in {0, 141}


def test_a_killed_service_is_named_and_taken_over(up, data):
    os.kill(pid(data), signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid(data)).wait(10)
    assert_refused(run(data, "list"), 3, "has ended")
    assert "it was killed" in run(data, "status").stdout
    doctor = run(data, "doctor")
    assert "service.json is stale" in doctor.stdout
    assert "runs although the service does not: " in doctor.stdout
    again = run(data, "up", "--detach", "-o", "json")
    assert again.returncode == 0, again.stderr
    (data / "announced.json").write_text(again.stdout)
    assert json.loads(again.stdout) == up


def test_what_doctor_calls_an_error(up, data):
    """A supervisor that has gone while its processes were left: named, with ids, and nothing is changed."""
    os.kill(pid(data), signal.SIGKILL)
    supervisor = json.loads((data / "supervisor" / "supervisord.json").read_text())["pid"]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        done = run(data, "doctor")
        assert done.returncode == 1
        assert f"(process {supervisor}) does not answer" in done.stdout
        assert psutil.pid_exists(supervisor)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert run(data, "down").returncode == 0


def test_down_leaves_nothing(up, data):
    done = run(data, "down")
    assert done.stdout == f"Stopped everything of {data}.\n"
    assert not [p for p in psutil.process_iter(["cmdline"]) if any(str(data) in w for w in p.info["cmdline"] or ())]
    assert json.loads(run(data, "down", "-o", "json").stdout) == {"stopped": False, "data_dir": str(data)}


def test_ctrl_c_in_the_foreground_stops_all_in_order(stopped, data):
    process = subprocess.Popen(
        [TRADEWIND, "up"], env=surroundings(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        shown = [process.stdout.readline() for _ in range(20)]
        assert shown[0].startswith("Tradewind is up at https://localhost:")
        assert any("export AWS_CA_BUNDLE=" in line for line in shown)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    assert err == "tradewind: stopping everything in order ...\ntradewind: stopped.\n"
    assert run(data, "status").returncode == 3


def test_a_port_that_is_taken(stopped, data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert_refused(run(data, "up", "--detach", "--port", str(number)), 1, f"port {number}")
        doctor = run(data, "doctor", "--port", str(number))
        assert doctor.returncode == 1
        assert f"port {number}: " in doctor.stdout


def test_a_settings_file_that_makes_no_sense(tmp_path):
    (tmp_path / "settings.toml").write_text("colour = 'blue'")
    assert_refused(run(tmp_path, "status"), 1, "it has no setting colour")


def test_help_is_instant():
    best = min(_seconds([TRADEWIND, "--help"]) for _ in range(5))
    assert best < 3.0  # 0.25 s on an idle machine; this one may be slow and busy


def _seconds(command):
    started = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=LIMIT)
    return time.monotonic() - started
