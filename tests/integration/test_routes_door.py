"""The door with real Caddy: what arrives upstream, what clients see, and what stays when routes change.

Each test has ports and loopback addresses of its own; upstreams are small servers in threads.
"""

import http.client
import http.server
import json
import signal
import socket
import ssl
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace

import certifi
import pytest
from cryptography import x509

from tests.integration.doors import Setting, environment_route, opened, serving, wait_until
from tradewind.domain.errors import CannotProvide, CannotStart
from tradewind.domain.identifiers import new_environment_id
from tradewind.routes.configuration import BODY_LIMIT, Door, EnvironmentRoute, render
from tradewind.routes.door import Doorkeeper, Outcome, find_caddy, storage_folder
from tradewind.routes.hosts import allocate_address, can_bind, free_port

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def setting(tmp_path_factory) -> Iterator[Setting]:
    run = tmp_path_factory.mktemp("r")
    with opened(
        run, lambda door, airflow: [environment_route(airflow, free_port(door.port + 1))], names=("box.test",)
    ) as it:
        yield it


def test_clients_verify_with_the_bundle_and_nothing_else(setting):
    status, _, body = setting.request("GET", "/environments", sni="localhost")
    assert (status, json.loads(body)["upstream"]) == (200, "control")

    with socket.create_connection(("127.0.0.1", setting.door.port), timeout=10) as plain:
        public_roots_alone = ssl.create_default_context(cafile=certifi.where())
        with pytest.raises(ssl.SSLCertVerificationError):
            public_roots_alone.wrap_socket(plain, server_hostname="localhost")

    assert stat.S_IMODE(setting.bundle.stat().st_mode) == 0o644
    assert certifi.contents().strip() in setting.bundle.read_text()


@pytest.mark.parametrize("name", ["localhost", "api.localhost", "env.localhost", "ops.localhost", "ops.box.test"])
def test_the_apis_names_have_certificates(setting, name):
    wait_until(lambda: _verifies(setting, name), setting.process.log)
    assert setting.request("GET", "/environments/a", sni=name)[0] == 200
    assert setting.control_plane.received[-1].values("Host") == [name]


def _verifies(setting, name):
    try:
        with setting.connect("127.0.0.1", setting.door.port, name):
            return True
    except ssl.SSLError:
        return False


def test_an_environment_has_a_certificate_for_its_address(setting):
    route = setting.environment
    with setting.connect(route.address, route.port, route.address) as connection:
        certificate = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [route.address]

    status, _, body = setting.environment_request("GET", "/api/v2/version")
    assert (status, json.loads(body)["upstream"]) == (200, "airflow")


@pytest.mark.parametrize("path", ["/aws_mwaa/cli", "/pluginsv2/aws_mwaa/login", "/aws_mwaa/aws-console-sso?login=true"])
def test_the_services_paths_on_an_environments_host_go_to_the_control_plane(setting, path):
    forged = [
        ("X-Tradewind-Environment", "another"),
        ("x-tradewind-principal", "root"),
        ("X_Tradewind_Environment", "a"),
    ]
    status, _, body = setting.environment_request("POST", path, headers=forged, body=b"token=a")
    assert (status, json.loads(body)) == (200, {"upstream": "control", "path": path, "size": 7})
    received = setting.control_plane.received[-1]
    assert received.values("X-Tradewind-Environment") == [str(setting.environment.id)]
    own = {name: value for name, value in received.headers if "tradewind" in name.lower()}
    assert own == {"X-Tradewind-Environment": str(setting.environment.id), "X-Tradewind-Listener": "private"}


def test_headers_that_only_the_service_may_set_are_taken_from_requests(setting):
    forged = [
        ("X-Tradewind-Environment", "another"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X_Forwarded_For", "203.0.113.9"),
        ("Forwarded", "for=203.0.113.9"),
        ("X-Real-IP", "203.0.113.9"),
    ]
    setting.request("GET", "/environments", headers=forged)
    setting.environment_request("GET", "/home", headers=forged)
    for received in (setting.control_plane.received[-1], setting.airflow.received[-1]):
        assert "203.0.113.9" not in str(received.headers)
        assert "evil" not in str(received.headers)
        assert received.values("X-Tradewind-Environment") == []
        assert received.values("X-Forwarded-For")[0].startswith("127.")
        assert received.values("X-Forwarded-Proto") == ["https"]
    route = setting.environment
    assert setting.airflow.received[-1].values("X-Forwarded-Host") == [f"{route.host}:{route.port}"]


@pytest.mark.parametrize(
    "path",
    [
        "/tags/arn%3Aaws%3Aairflow%3Aus-east-1%3A123456789012%3Aenvironment%2FE",
        "/tags/arn:aws:airflow:us-east-1:123456789012:environment/E?tagKeys=a%20b&tagKeys=c+d",
        "/environments/a%2e%2e%2Fb//c/../d",
        "/restapi/%E2%82%AC?x=%2F;y&&",
    ],
)
def test_the_raw_path_arrives_unchanged(setting, path):
    setting.request("GET", path)
    assert setting.control_plane.received[-1].raw_path == path
    setting.environment_request("GET", path)
    assert setting.airflow.received[-1].raw_path == path


def test_requests_arrive_as_they_were_sent(setting):
    authority = f"127.0.0.1:{setting.door.port}"
    setting.request("GET", "/environments", host=authority, headers=[("Authorization", "AWS4-HMAC-SHA256 x")])
    received = setting.control_plane.received[-1]
    assert received.values("Host") == [authority]
    assert received.values("Authorization") == ["AWS4-HMAC-SHA256 x"]
    assert received.values("Accept-Encoding") == []


def test_unknown_hosts_and_paths_are_the_apis(setting):
    status, headers, body = setting.request("GET", "/no/such/thing", host="unheard.of")
    assert (status, json.loads(body)["upstream"]) == (200, "control")
    assert "Server" not in headers
    assert "Via" not in headers


def test_bodies_reach_the_control_plane_up_to_the_limit_and_are_refused_beyond_it(setting):
    status, _, body = setting.request("POST", "/restapi/E", body=b"a" * BODY_LIMIT)
    assert (status, json.loads(body)["size"]) == (200, BODY_LIMIT)

    status, headers, body = setting.request("POST", "/restapi/E", body=b"a" * (BODY_LIMIT + 1))
    assert (status, headers["Content-Type"]) == (413, "application/json")
    assert "7 MiB" in json.loads(body)["message"]

    status, _, body = setting.environment_request("POST", "/api/v2/dags", body=b"a" * (BODY_LIMIT + 1))
    assert (status, json.loads(body)["size"]) == (200, BODY_LIMIT + 1)


def test_headers_have_a_limit(setting):
    assert setting.request("GET", "/environments", headers=[("X-Long", "a" * 60_000)])[0] == 200
    assert setting.request("GET", "/environments", headers=[("X-Long", "a" * 80_000)])[0] == 431


def test_an_environment_that_is_down_is_said_so(setting):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    with closed:  # bound but not listening: connections are refused
        route = replace(setting.environment, upstream_port=closed.getsockname()[1])
        setting.keeper.publish([route])
        wait_until(lambda: _status(setting.environment_request, "/home") == 503)  # the door before may be closing yet
        status, headers, body = setting.environment_request("GET", "/home", headers=[("Accept", "text/html,*/*")])
        assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "5", "no-store")
        assert headers["Content-Type"].startswith("text/html")
        assert b"<p>This Apache Airflow environment is not answering." in body

        status, headers, body = setting.environment_request("GET", "/api/v2/dags")
        assert (status, headers["Content-Type"]) == (503, "text/plain; charset=utf-8")
        assert body.startswith(b"This Apache Airflow environment is not answering.")

        # the control plane's paths on the same host live on
        assert setting.environment_request("POST", "/aws_mwaa/cli", body=b"")[0] == 200


def test_an_api_that_is_down_is_said_so_in_json(setting):
    elsewhere = replace(setting.door, control_plane=setting.folder / "nobody.sock")
    Doorkeeper(elsewhere, setting.folder).publish([setting.environment])
    wait_until(lambda: _status(setting.request, "/environments") == 503)
    status, headers, body = setting.request("GET", "/environments")
    assert (status, headers["X-Amzn-Errortype"], headers["Content-Type"]) == (
        503,
        "ServiceUnavailable",
        "application/json",
    )
    assert "not answering" in json.loads(body)["message"]
    assert setting.environment_request("GET", "/home")[0] == 200


def test_routes_change_under_a_stream_that_is_not_cut(setting):
    with serving("second") as second:
        other = environment_route(second, setting.environment.port)
        route = setting.environment
        with setting.connect(route.address, route.port, route.address) as connection:
            connection.sendall(f"GET /stream HTTP/1.1\r\nHost: {route.host}\r\n\r\n".encode())
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.readline() == b"first\n"  # streamed, not held back

            assert setting.keeper.publish([route, other]).outcome is Outcome.LOADED
            wait_until(lambda: _serves(setting, other), setting.process.log)
            assert json.loads(setting.environment_request("GET", "/", other)[2])["upstream"] == "second"

            assert setting.keeper.publish([other]).outcome is Outcome.LOADED
            setting.airflow.go_on.set()
            assert response.read() == b"last\n"

        wait_until(lambda: can_bind(route.address, route.port))
        certificates = [path.name for path in setting.door.storage.glob("certificates/local/*")]
        assert other.host in certificates
        assert route.host not in certificates
        assert json.loads(setting.environment_request("GET", "/", other)[2])["upstream"] == "second"


def _serves(setting, route):
    return _status(setting.environment_request, "/", route) == 200


def _status(request, *asked):
    try:
        return request("GET", *asked)[0]
    except (OSError, http.client.HTTPException):  # of a door that is closing
        return None


def test_a_websocket_survives_a_change_of_routes(setting):
    """An upgraded connection is carried as bytes; the upstream here echoes them."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo():
        connection, _ = listener.accept()
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536, socket.MSG_PEEK):
                pass
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            while piece := connection.recv(65536):
                connection.sendall(piece)

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    with listener, serving("second") as second:
        route = replace(setting.environment, upstream_port=listener.getsockname()[1])
        setting.keeper.publish([route])
        with setting.connect(route.address, route.port, route.address) as connection:
            head = f"GET /ws HTTP/1.1\r\nHost: {route.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            connection.sendall((head + key).encode())
            assert b" 101 " in connection.recv(65536)
            connection.sendall(b"one")
            assert connection.recv(65536) == b"one"
            setting.keeper.publish([route, environment_route(second, route.port)])
            connection.sendall(b"two")
            assert connection.recv(65536) == b"two"
    thread.join(20)


def test_http_2_is_spoken_and_nothing_listens_on_udp(setting):
    route = setting.environment
    with setting.connect(route.address, route.port, route.address, ("h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00" + bytes(4))
        frame = connection.recv(9)
        assert frame[3] == 0x04  # the server's SETTINGS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((route.address, route.port))


def test_publishing_twice_changes_nothing(setting):
    assert setting.keeper.publish([setting.environment]).outcome is Outcome.UNCHANGED
    before = (setting.folder / "caddy.json").stat().st_mtime_ns
    assert setting.keeper.publish([setting.environment]).outcome is Outcome.UNCHANGED
    assert (setting.folder / "caddy.json").stat().st_mtime_ns == before


def test_caddy_comes_back_with_the_newest_routes(setting):
    with serving("second") as second:
        other = environment_route(second, setting.environment.port)
        setting.keeper.publish([setting.environment, other])
        setting.stop(signal.SIGKILL)
        assert not setting.keeper.ready()
        setting.start()
        wait_until(lambda: _serves(setting, other), setting.process.log)
        assert setting.keeper.publish([setting.environment, other]).outcome is Outcome.UNCHANGED
        # the root is the old one: clients' bundles stay good
        before = setting.bundle.read_bytes()
        assert setting.keeper.bundle(setting.bundle).read_bytes() == before


def test_caddy_ends_by_itself_when_asked(setting):
    setting.stop(signal.SIGTERM)
    assert setting.caddy.returncode == 0


def test_an_environment_whose_port_is_taken_is_left_out_and_named(setting):
    with serving("second") as second:
        other = environment_route(second, setting.environment.port)
        with socket.create_server((other.address, other.port)):
            publication = setting.keeper.publish([setting.environment, other])
            assert list(publication.left_out) == [other.id]
            assert f"cannot listen on {other.address} port {other.port}" in publication.left_out[other.id]
            assert setting.environment_request("GET", "/home")[0] == 200

            # ... and it cannot keep the door from starting either
            setting.stop()
            (setting.folder / "caddy.json").write_text(json.dumps(render(setting.door, [setting.environment, other])))
            setting.keeper.prepare()
            setting.start()
        assert setting.keeper.publish([setting.environment, other]).left_out == {}
        wait_until(lambda: _serves(setting, other), setting.process.log)


def test_what_caddy_refuses_leaves_the_old_routes_in_force_and_on_disk(setting, monkeypatch):
    monkeypatch.setattr("tradewind.routes.hosts.can_bind", lambda *_: True)  # taken a moment after it was looked at
    with serving("second") as second:
        other = environment_route(second, setting.environment.port)
        with (
            socket.create_server((other.address, other.port)),
            pytest.raises(CannotProvide, match=f"the proxy refuses them: .*{other.address}"),
        ):
            setting.keeper.publish([setting.environment, other])
        assert json.loads((setting.folder / "caddy.json").read_text()) == render(setting.door, [setting.environment])
        assert setting.environment_request("GET", "/home")[0] == 200
        assert setting.keeper.publish([setting.environment, other]).outcome is Outcome.LOADED


def test_only_the_services_user_reaches_the_admin_socket_and_the_keys(setting):
    assert stat.S_IMODE(setting.door.admin_socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(setting.door.storage.stat().st_mode) == 0o700
    assert stat.S_IMODE(setting.folder.stat().st_mode) == 0o711
    keys = [*setting.door.storage.rglob("*.key")]
    assert keys
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE((setting.folder / "caddy.json").stat().st_mode) == 0o600
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 2019), timeout=2)
    # nothing was written outside of the storage
    assert sorted(path.name for path in setting.folder.iterdir()) == ["bundle.pem", "caddy.json", "storage"]


def test_a_root_that_never_comes_is_an_error_that_names_the_file(tmp_path):
    door = Door(storage_folder(tmp_path), tmp_path / "admin.sock", tmp_path / "control.sock", 1)
    with pytest.raises(CannotStart, match=r"bundle\.pem: the proxy has made no root certificate"):
        Doorkeeper(door, tmp_path).bundle(tmp_path / "bundle.pem", timeout=0.1)


def test_a_door_that_never_opens_is_an_error(tmp_path):
    door = Door(storage_folder(tmp_path), tmp_path / "admin.sock", tmp_path / "control.sock", 1)
    with pytest.raises(CannotStart, match="cannot start the proxy"):
        Doorkeeper(door, tmp_path).wait(timeout=0.1)


def test_the_binary_is_the_packages():
    version = subprocess.run([find_caddy(), "version"], capture_output=True, text=True, timeout=20, check=True)
    assert version.stdout.startswith("v2.11.7 ")


def test_a_door_for_another_port_does_not_start_with_the_old_ones_file(tmp_path):
    old = Door(storage_folder(tmp_path), tmp_path / "admin.sock", tmp_path / "control.sock", free_port(29100))
    Doorkeeper(old, tmp_path).prepare()
    new = replace(old, port=free_port(old.port + 1))
    Doorkeeper(new, tmp_path).prepare()
    assert json.loads((tmp_path / "caddy.json").read_text()) == render(new, ())


def test_a_file_that_is_good_is_kept_with_its_environments(tmp_path):
    door = Door(storage_folder(tmp_path), tmp_path / "admin.sock", tmp_path / "control.sock", free_port(29200))
    keeper = Doorkeeper(door, tmp_path)
    keeper.prepare()
    id_ = new_environment_id()
    address = allocate_address((), str(id_))
    route = EnvironmentRoute(id_, address, free_port(29300, address=address), 1, address)
    keeper.publish([route])
    keeper.prepare()
    assert json.loads((tmp_path / "caddy.json").read_text()) == render(door, [route])


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "ca").write_text("a file")
    door = Door(storage_folder(tmp_path / "ca"), tmp_path / "admin.sock", tmp_path / "control.sock", 1)
    with pytest.raises(CannotStart, match="cannot prepare the proxy's folder"):
        Doorkeeper(door, tmp_path / "ca").prepare()
