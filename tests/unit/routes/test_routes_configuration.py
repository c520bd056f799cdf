"""Caddy's configuration as data. What it does is proven with real Caddy in the integration room."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes.configuration import (
    AIRFLOW_BODY_LIMIT,
    BODY_LIMIT,
    Door,
    EnvironmentRoute,
    certificate_names,
    render,
)
from tradewind.routes.hosts import Side, sides
from tradewind.routes.tls import Acme, Files

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
    _, service, *_, airflow = first["handle"][0]["routes"]
    assert service["match"] == [{"path": ["/aws_mwaa/*", "/pluginsv2/aws_mwaa/*"]}]
    assert service["handle"][-1]["upstreams"] == [{"dial": "unix//r/control.sock"}]
    assert airflow["handle"][-1]["upstreams"] == [{"dial": "127.0.0.1:18080"}]


def test_clients_headers_are_taken_before_ours_are_set():
    """In one handler Caddy would delete what it has just set."""
    _, service, *_, airflow = servers(DOOR, [ONE])["door"]["routes"][0]["handle"][0]["routes"]
    kinds = [sorted(handler.get("request", {})) for handler in service["handle"] if handler["handler"] == "headers"]
    assert [kind for kind in kinds if kind] == [["delete"], ["set"]]
    assert "X-Tradewind-*" in airflow["handle"][0]["request"]["delete"]


def test_bodies_have_limits():
    _, service, *_, airflow = servers(DOOR, [ONE])["door"]["routes"][0]["handle"][0]["routes"]
    api = servers(DOOR, [])["door"]["routes"][-1]
    for route in (service, api):
        assert [h["max_size"] for h in route["handle"] if h["handler"] == "request_body"] == [BODY_LIMIT]
    assert [h["max_size"] for h in airflow["handle"] if h["handler"] == "request_body"] == [AIRFLOW_BODY_LIMIT]
    assert 6_000_000 < BODY_LIMIT < AIRFLOW_BODY_LIMIT


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


# -- private and public ------------------------------------------------------------------------------------------

PRIVATE, PUBLIC, BOTH = (
    replace(TWO, id=EnvironmentId(f"{letter}bcdefghijkm"), host=f"{letter}.us-east-1.x.org", sides=sides(mode))
    for letter, mode in [("p", "PRIVATE_ONLY"), ("q", "PUBLIC_ONLY"), ("r", "PUBLIC_AND_PRIVATE")]
)
TWO_SIDED = replace(DOOR, addresses=("127.0.0.1", "127.0.0.2"), public=("127.0.0.3",))


def hosts_of(server):
    return [route["match"][0]["host"][0] for route in server["routes"] if "match" in route]


def listeners_said(server):
    """What the control plane is told about where requests came in, at every route to it."""
    text = json.dumps(server["routes"])
    return {side for side in Side if f'"X-Tradewind-Listener": ["{side}"]' in text}


def test_without_a_public_address_every_host_is_known_and_all_is_private():
    (door,) = servers(DOOR, [PRIVATE, PUBLIC, BOTH]).values()
    assert hosts_of(door) == [PRIVATE.host, PUBLIC.host, BOTH.host]
    assert listeners_said(door) == {Side.PRIVATE}


def test_each_side_knows_the_hosts_that_it_may():
    both = servers(TWO_SIDED, [PRIVATE, PUBLIC, BOTH])
    assert both["door"]["listen"] == ["127.0.0.1:8443", "127.0.0.2:8443"]
    assert both["public"]["listen"] == ["127.0.0.3:8443"]
    assert hosts_of(both["door"]) == [PRIVATE.host, BOTH.host]
    assert hosts_of(both["public"]) == [PUBLIC.host, BOTH.host]
    assert PRIVATE.host not in json.dumps(both["public"])
    assert [listeners_said(both[name]) for name in ("door", "public")] == [{Side.PRIVATE}, {Side.PUBLIC}]


def test_a_loopback_address_of_its_own_is_private_whatever_was_asked():
    own = replace(ONE, sides=sides("PUBLIC_ONLY"))
    both = servers(TWO_SIDED, [own])
    assert "127.70.1.2:443" in both["door"]["listen"]
    assert both["public"]["listen"] == ["127.0.0.3:8443"]
    assert hosts_of(both["public"]) == []


# -- certificates -------------------------------------------------------------------------------------------------

ACME = Acme("https://acme.test/dir", "ops@x.org", Path("/d/roots.crt"), 443, "127.0.0.3")
FILES = Files(Path("/d/given-1.crt"), Path("/d/given-1.key"))
PUBLIC_DOOR = replace(DOOR, names=("box",), public_names=("mwaa.x.org",))


def tls_of(door, *environments):
    return render(door, environments)["apps"]["tls"]


def strict(document):
    """Hosts with the header, and how often it is set without a host."""
    found, bare = {}, 0
    for server in document["apps"]["http"]["servers"].values():
        for route in server["routes"]:
            text = json.dumps(route)
            if "Strict-Transport-Security" in text:
                bare += "match" not in route
                found |= {host: True for match in route.get("match", []) for host in match["host"]}
    return sorted(found), bare


def test_given_certificates_are_loaded_and_only_the_rest_is_signed_here():
    tls = tls_of(replace(PUBLIC_DOOR, tls=FILES), PUBLIC, ONE)
    assert tls["certificates"]["load_files"] == [{"certificate": "/d/given-1.crt", "key": "/d/given-1.key"}]
    assert {"localhost", "127.0.0.1", "box", "127.70.1.2"} <= set(tls["certificates"]["automate"])
    assert not {"mwaa.x.org", PUBLIC.host} & set(tls["certificates"]["automate"])
    assert [issuer["module"] for policy in tls["automation"]["policies"] for issuer in policy["issuers"]] == [
        "internal"
    ]


def test_acme_is_asked_for_public_names_and_nothing_else():
    tls = tls_of(replace(PUBLIC_DOOR, tls=ACME), PUBLIC, ONE)
    first, rest = tls["automation"]["policies"]
    assert first["subjects"] == ["mwaa.x.org", PUBLIC.host]
    (issuer,) = first["issuers"]
    assert (issuer["module"], issuer["ca"], issuer["email"]) == ("acme", "https://acme.test/dir", "ops@x.org")
    assert issuer["challenges"]["http"] == {"disabled": True}
    assert "subjects" not in rest
    assert [issuer["module"] for issuer in rest["issuers"]] == ["internal"]
    assert set(tls["certificates"]["automate"]) >= {"mwaa.x.org", PUBLIC.host, "localhost", "127.70.1.2"}


def test_acme_is_not_asked_while_there_is_no_public_name():
    assert len(tls_of(replace(DOOR, tls=ACME), ONE)["automation"]["policies"]) == 1


@pytest.mark.parametrize("tls", [FILES, ACME])
def test_strict_transport_is_for_public_names_alone(tls):
    document = render(replace(PUBLIC_DOOR, tls=tls), [PUBLIC, ONE])
    assert strict(document) == ([PUBLIC.host, "mwaa.x.org"] if PUBLIC.host < "mwaa" else ["mwaa.x.org", PUBLIC.host], 0)
    assert "includeSubDomains" not in json.dumps(document)
    assert "preload" not in json.dumps(document)


def test_strict_transport_is_never_sent_with_our_own_authority():
    assert strict(render(PUBLIC_DOOR, [PUBLIC, ONE])) == ([], 0)


def test_other_content_of_a_given_certificate_is_another_configuration():
    other = replace(FILES, certificate=Path("/d/given-2.crt"))
    assert render(replace(DOOR, tls=FILES), []) != render(replace(DOOR, tls=other), [])
