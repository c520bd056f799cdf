"""Caddy's configuration as data. What it does is proven with real Caddy in the integration room."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes.configuration import BODY_LIMIT, Door, EnvironmentRoute, certificate_names, render

DOOR = Door(
    Path("/d/ca/storage"), Path("/r/admin.sock"), Path("/r/control.sock"), 8443, names=("box", "tw.example.org")
)
ONE = EnvironmentRoute(EnvironmentId("abcdefghijkm"), "127.70.1.2", 443, 18080, "127.70.1.2")
TWO = EnvironmentRoute(EnvironmentId("bbcdefghijkm"), "bbcdefghijkm.us-east-1.localhost", 8443, 18081)

routes = st.lists(
    st.builds(
        lambda letters, port: EnvironmentRoute(EnvironmentId(f"a{letters}"), f"{letters}.test", 443, port),
        st.text("abc23", min_size=11, max_size=11),
        st.integers(1024, 65535),
    ),
    unique_by=lambda route: route.id,
    max_size=6,
)


def servers(door, environments):
    return render(door, environments)["apps"]["http"]["servers"]


def test_the_api_listens_on_loopback_and_environments_where_they_say():
    assert servers(DOOR, [])["door"]["listen"] == ["127.0.0.1:8443"]
    assert servers(DOOR, [TWO, ONE])["door"]["listen"] == ["127.0.0.1:8443", "127.70.1.2:443"]
    wide = replace(DOOR, addresses=("0.0.0.0", "::"))
    on_443 = replace(TWO, port=443)
    assert servers(wide, [on_443])["door"]["listen"] == ["0.0.0.0:8443", "[::]:8443", "0.0.0.0:443", "[::]:443"]


def test_names_get_prefixes_and_addresses_do_not():
    assert certificate_names(
        replace(DOOR, names=("box", "192.0.2.1"), addresses=("127.0.0.1", "0.0.0.0")), [ONE, TWO]
    ) == [
        *("localhost", "api.localhost", "env.localhost", "ops.localhost"),
        "127.0.0.1",
        *("box", "api.box", "env.box", "ops.box"),
        "192.0.2.1",
        "127.70.1.2",
        "bbcdefghijkm.us-east-1.localhost",
    ]


def test_an_address_that_is_listened_on_has_a_certificate():
    assert "192.0.2.9" in certificate_names(replace(DOOR, addresses=("127.0.0.1", "192.0.2.9")), [])


def test_nothing_can_leave_for_a_public_authority():
    tls = render(DOOR, [ONE])["apps"]["tls"]
    (policy,) = tls["automation"]["policies"]
    assert "subjects" not in policy  # for every name
    assert [issuer["module"] for issuer in policy["issuers"]] == ["internal"]
    assert render(DOOR, [])["apps"]["pki"]["certificate_authorities"]["local"]["install_trust"] is False


def test_nothing_is_kept_outside_of_the_data_directory():
    document = render(DOOR, [])
    assert document["admin"] == {"listen": "unix//r/admin.sock|0600", "config": {"persist": False}}
    assert document["storage"] == {"module": "file_system", "root": "/d/ca/storage"}


def test_environments_hosts_come_before_the_api_and_the_services_paths_before_airflow():
    first, second, api = servers(DOOR, [TWO, ONE])["door"]["routes"]
    assert [first["match"], second["match"]] == [[{"host": [ONE.host]}], [{"host": [TWO.host]}]]
    assert "match" not in api
    service, airflow = first["handle"][0]["routes"]
    assert service["match"] == [{"path": ["/aws_mwaa/*", "/pluginsv2/aws_mwaa/*"]}]
    assert service["handle"][-1]["upstreams"] == [{"dial": "unix//r/control.sock"}]
    assert airflow["handle"][-1]["upstreams"] == [{"dial": "127.0.0.1:18080"}]


def test_clients_headers_are_taken_before_ours_are_set():
    """In one handler Caddy would delete what it has just set."""
    service, airflow = servers(DOOR, [ONE])["door"]["routes"][0]["handle"][0]["routes"]
    kinds = [sorted(handler.get("request", {})) for handler in service["handle"] if handler["handler"] == "headers"]
    assert kinds == [["delete"], ["set"]]
    assert "X-Tradewind-*" in airflow["handle"][0]["request"]["delete"]


def test_only_the_control_planes_bodies_have_a_limit():
    service, airflow = servers(DOOR, [ONE])["door"]["routes"][0]["handle"][0]["routes"]
    api = servers(DOOR, [])["door"]["routes"][-1]
    for route in (service, api):
        assert [h["max_size"] for h in route["handle"] if h["handler"] == "request_body"] == [BODY_LIMIT]
    assert all(handler["handler"] != "request_body" for handler in airflow["handle"])
    assert BODY_LIMIT > 6_000_000


def test_every_upstream_streams_and_is_not_compressed():
    def proxies(value):
        if isinstance(value, dict):
            if value.get("handler") == "reverse_proxy":
                yield value
            for inner in value.values():
                yield from proxies(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from proxies(inner)

    found = list(proxies(render(DOOR, [ONE, TWO])))
    assert len(found) == 5
    assert {proxy["flush_interval"] for proxy in found} == {-1}
    assert {proxy["transport"]["compression"] for proxy in found} == {False}
    assert all("timeout" not in key for key in servers(DOOR, [])["door"] if key.startswith("write"))


def test_there_is_no_udp_and_no_guessing():
    for server in servers(replace(DOOR, redirect=True), [ONE]).values():
        assert server["protocols"] == ["h1", "h2"]
        assert server["automatic_https"] == {"disable": True}
        assert server["read_header_timeout"]


def test_plain_http_is_served_only_where_it_is_wanted():
    assert "redirect" not in servers(DOOR, [ONE])
    redirect = servers(replace(DOOR, redirect=True), [ONE, TWO])["redirect"]
    assert redirect["listen"] == ["127.0.0.1:80", "127.70.1.2:80"]
    locations = [route["handle"][0]["headers"]["Location"] for route in redirect["routes"]]
    assert locations == [
        ["https://{http.request.host}{http.request.uri}"],
        ["https://{http.request.host}:8443{http.request.uri}"],
        ["https://{http.request.host}:8443{http.request.uri}"],
    ]
    assert "tls_connection_policies" not in redirect


@pytest.mark.parametrize("environments", [[], [ONE], [ONE, TWO]])
def test_the_document_is_json(environments):
    document = render(DOOR, environments)
    assert json.loads(json.dumps(document)) == document


@given(routes, st.randoms())
def test_equal_sets_render_equal_documents(environments, random):
    shuffled = list(environments)
    random.shuffle(shuffled)
    assert render(DOOR, environments) == render(DOOR, shuffled)


@given(routes, routes)
def test_different_sets_render_different_documents(one, other):
    same = {(r.id, r.upstream_port) for r in one} == {(r.id, r.upstream_port) for r in other}
    assert (render(DOOR, one) == render(DOOR, other)) == same
