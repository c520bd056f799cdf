"""The door's two sides, with real Caddy: hosts are known where their access mode lets them, whatever is claimed."""

from collections.abc import Iterator

import pytest

from tests.integration.doors import PUBLIC, Setting, ask, has_certificate, named, opened, wait_until
from tradewind.routes.configuration import EnvironmentRoute

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def two_sided(tmp_path_factory) -> Iterator[tuple[Setting, list[EnvironmentRoute]]]:
    makers = [named("p", "PRIVATE_ONLY"), named("q", "PUBLIC_ONLY"), named("r", "PUBLIC_AND_PRIVATE")]
    made: list[EnvironmentRoute] = []

    def routes(door, airflow):
        made.extend(maker(door, airflow) for maker in makers)
        return made

    addresses = ("127.0.0.1", "127.0.0.2")
    with opened(tmp_path_factory.mktemp("r"), routes, addresses=addresses, public=(PUBLIC,)) as setting:
        for route in made:
            wait_until(lambda route=route: has_certificate(setting, route.host), setting.process.log)
        yield setting, made


@pytest.mark.parametrize(
    ("index", "at", "upstream"),
    [
        (0, "127.0.0.1", "airflow"),
        (0, "127.0.0.2", "airflow"),
        (0, PUBLIC, "control"),  # the API, which knows no such path: as for any unknown host
        (1, "127.0.0.2", "control"),
        (1, PUBLIC, "airflow"),
        (2, "127.0.0.2", "airflow"),
        (2, PUBLIC, "airflow"),
    ],
)
def test_hosts_are_known_where_their_access_mode_lets_them(two_sided, index, at, upstream):
    setting, made = two_sided
    assert ask(setting, made[index].host, at=at, path="/home")[2] == upstream
    before = len(setting.control_plane.received)
    forged = [("X-Tradewind-Environment", str(made[index].id)), ("X-Tradewind-Listener", "private")]
    ask(setting, made[index].host, at=at, path="/aws_mwaa/login", method="POST", headers=forged)
    (received,) = setting.control_plane.received[before:]
    assert received.values("X-Tradewind-Listener") == ["public" if at == PUBLIC else "private"]
    marked = [str(made[index].id)] if upstream == "airflow" else []
    assert received.values("X-Tradewind-Environment") == marked


def test_a_connection_made_to_another_host_is_misdirected(two_sided):
    setting, made = two_sided
    status, _, body = setting.request("GET", "/home", sni=made[2].host, host=made[0].host)
    assert (status, body) == (421, b"This connection was made to another host.\n")
    assert setting.request("GET", "/home", sni="localhost", host=made[0].host)[0] == 421


@pytest.mark.parametrize("name", ["X-Tradewind-Listener", "x-tradewind-environment", "close, X-Tradewind-Environment"])
def test_marks_are_not_hop_by_hop(two_sided, name):
    setting, made = two_sided
    ask(setting, made[0].host, path="/aws_mwaa/login", method="POST", headers=[("Connection", name)])
    received = setting.control_plane.received[-1]
    assert received.values("X-Tradewind-Environment") == [str(made[0].id)]
    assert received.values("X-Tradewind-Listener") == ["private"]


@pytest.mark.parametrize(("at", "side"), [("127.0.0.1", "private"), ("127.0.0.2", "private"), (PUBLIC, "public")])
def test_the_api_answers_on_both_sides_and_is_told_which(two_sided, at, side):
    setting, _ = two_sided
    forged = [
        ("X-Tradewind-Listener", "private"),
        ("x-tradewind-listener", "private"),
        ("X_Tradewind_Listener", "private"),
    ]
    assert ask(setting, "localhost", at=at, path="/environments", headers=forged)[2] == "control"
    assert setting.control_plane.received[-1].values("X-Tradewind-Listener") == [side]
    assert setting.control_plane.received[-1].values("X_Tradewind_Listener") == []


def test_a_wildcard_for_the_public_leaves_the_private_address_private(tmp_path_factory):
    route = named("p", "PRIVATE_ONLY")
    with opened(tmp_path_factory.mktemp("r"), lambda *at: [route(*at)], public=("0.0.0.0",)) as setting:
        host = setting.environment.host
        wait_until(lambda: has_certificate(setting, host), setting.process.log)
        assert ask(setting, host, path="/home")[2] == "airflow"
        assert ask(setting, host, at=PUBLIC, path="/home")[2] == "control"
