"""The process `credentials`, started for real, with a control plane over TLS that a test plays."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import jwt
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.doors import wait_until
from tradewind.runtime.ports import draw_port

ROLE = "arn:aws:iam::111111111111:role/execution"
KEY, TOKEN = "k" * 64, "t" * 64
AIRFLOW = Path(__file__).parents[2] / "airflow" / "src"


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(key.private_bytes(*plain) + made.public_bytes(serialization.Encoding.PEM))
    return file


class Plane:
    """A control plane that gives credentials of twelve hours for a good proof, or refuses."""

    def __init__(self, folder: Path) -> None:
        self.file, self.asked, self.refusal = certificate(folder), 0, None
        self.port = draw_port(set())
        self.server: HTTPServer | None = None

    def start(self) -> None:
        plane = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                plane.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        proof = handler.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(proof, KEY, ["HS256"], audience="execution-role", issuer="tradewind-environment")
        assert (claims["sub"], claims["role"], handler.path) == ("abcdefghjkmn", ROLE, "/aws_mwaa/execution-role")
        self.asked += 1
        expires = (datetime.now(UTC) + timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = {"AccessKeyId": f"ASIA{self.asked}", "SecretAccessKey": "s", "Token": "t", "Expiration": expires}
        body = json.dumps(self.refusal or made).encode()
        handler.send_response(200 if self.refusal is None else 403)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class Endpoint:
    """The process and its client."""

    def __init__(self, folder: Path, plane: Plane) -> None:
        self.port, self.folder, self.plane = draw_port({plane.port}), folder, plane
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        given = {
            "BUNDLE": str(self.plane.file), "ENVIRONMENT": "abcdefghjkmn", "FOLDER": str(self.folder), "KEY": KEY,
            "PORT": str(self.port), "ROLE": ROLE, "TOKEN": TOKEN,
            "URL": f"https://127.0.0.1:{self.plane.port}/aws_mwaa/execution-role",
        }  # fmt: skip
        variables = {f"TRADEWIND_CREDENTIALS_{name}": value for name, value in given.items()}
        command = [sys.executable, "-P", "-m", "tradewind_airflow.credentials"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env={"PYTHONPATH": str(AIRFLOW), **variables}, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def ask(self) -> tuple[int, dict[str, str]]:
        """One question, once it listens."""
        deadline = time.monotonic() + 20
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
            try:
                connection.request("GET", "/v1/credentials", headers={"Authorization": TOKEN})
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)
            finally:
                connection.close()


@pytest.fixture
def plane(tmp_path):
    made = Plane(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def endpoint(tmp_path, plane):
    made = Endpoint(tmp_path, plane)
    yield made
    made.kill()


def test_credentials_outlive_the_control_plane_and_a_crash_of_the_process(endpoint, plane):
    plane.start()
    endpoint.start()
    status, first = endpoint.ask()
    assert (status, first["AccessKeyId"], first["RoleArn"]) == (200, "ASIA1", ROLE)
    plane.stop()
    assert endpoint.ask() == (200, first)
    wait_until((endpoint.folder / "credentials.json").exists)  # it answers before it has written
    endpoint.kill()
    endpoint.start()
    assert endpoint.ask() == (200, first)
    assert plane.asked == 1


def test_without_a_control_plane_the_reason_is_told_and_it_is_found_when_it_comes(endpoint, plane):
    endpoint.start()
    status, document = endpoint.ask()
    assert (status, document["code"]) == (503, "ServiceUnavailable")
    assert "the control plane does not answer" in document["message"]
    plane.start()
    deadline = time.monotonic() + 20
    while endpoint.ask()[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_refusal_is_passed_on_in_its_words(endpoint, plane):
    plane.refusal = {"code": "RoleUnavailable", "message": "cannot give credentials: there is no role execution"}
    plane.start()
    endpoint.start()
    assert endpoint.ask() == (403, plane.refusal)


def test_an_impostor_with_another_certificate_is_not_believed(endpoint, plane, tmp_path):
    plane.start()
    (tmp_path / "other").mkdir()
    plane.file = certificate(tmp_path / "other")  # the one that the process trusts
    endpoint.start()
    status, document = endpoint.ask()
    assert status == 503
    assert "CERTIFICATE_VERIFY_FAILED" in document["message"]
    assert plane.asked == 0


def test_it_is_small_and_closed(endpoint, plane):
    plane.start()
    endpoint.start()
    endpoint.ask()
    process = psutil.Process(endpoint.process.pid)
    assert process.memory_info().rss < 48 * 1024 * 1024
    if os.geteuid() != 0:  # root may read anything; what a task sees is tests/scenario/test_isolation.py's
        with pytest.raises(PermissionError):
            Path(f"/proc/{process.pid}/environ").read_bytes()


def test_a_variable_that_is_missing_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tradewind_airflow.credentials"],
        env={"PYTHONPATH": str(AIRFLOW)}, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "cannot start: the variable TRADEWIND_CREDENTIALS_BUNDLE is missing\n"
