"""Caddy's configuration as one JSON document, rendered from the whole set of routes (pure).

Environments' hosts come first. On them `/aws_mwaa/*` and `/pluginsv2/aws_mwaa/*` go to the control
plane, with `X-Tradewind-Environment: <id>`, and all else to the environment's API server. Every other
host is the API: each path goes to the control plane, which answers unknown ones as AWS does.

What arrives upstream is what the client sent: the raw path (ARNs come percent-encoded, signatures
cover it), the Host header, the body, no `Accept-Encoding` of the proxy's. Headers that only the
service may set (`X-Tradewind-*`, `X-Forwarded-*`, `Forwarded`, `X-Real-Ip`) are taken from requests;
Caddy then sets `X-Forwarded-For`, `-Proto` and `-Host` from the connection itself, and drops every header
with `_` in its name, which some servers take for `-`.

Bodies for the control plane may hold 7 MiB: its own limit is 6 MB, so it can answer that in AWS's
words; above 7 MiB the proxy answers 413 and closes. Airflow's own paths have no limit here.

Nothing goes out to the network: one policy, for all names, signs with the internal authority.
"""

import html
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes.hosts import HTTPS

Json = dict[str, Any]

AUTHORITY = "local"  # Caddy's id of the internal authority; its root lies in pki/authorities/local/
PREFIXES = ("api", "env", "ops")  # the SDKs put these before the endpoint's host
BODY_LIMIT = 7 * 1024 * 1024
_HTTP = 80
_OURS_ALONE = ("X-Tradewind-*", "X-Forwarded-*", "Forwarded", "X-Real-Ip")
_CONTROL_PLANE_PATHS = ("/aws_mwaa/*", "/pluginsv2/aws_mwaa/*")


@dataclass(frozen=True)
class Door:
    """What the proxy is on this machine. `names` are the machine's host name and the configured public names."""

    storage: Path  # certificates and their keys
    admin_socket: Path
    control_plane: Path  # the control plane's unix socket
    port: int  # of the API
    addresses: tuple[str, ...] = ("127.0.0.1",)
    names: tuple[str, ...] = ()
    redirect: bool = False  # listen on port 80 too and send plain HTTP to HTTPS


@dataclass(frozen=True)
class EnvironmentRoute:
    """One environment: its host, the listener of its own where it has one, its API server's port on 127.0.0.1."""

    id: EnvironmentId
    host: str
    port: int
    upstream_port: int
    address: str | None = None

    def listeners(self, door: Door) -> tuple[str, ...]:
        """Where the proxy must listen for it."""
        addresses = (self.address,) if self.address else door.addresses
        return tuple(listener(address, self.port) for address in addresses)


def listener(address: str, port: int) -> str:
    """Caddy's way to write a TCP address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def certificate_names(door: Door, environments: Sequence[EnvironmentRoute]) -> list[str]:
    """Every name that gets a certificate: the API's with the SDKs' prefixes (addresses take none), then the hosts."""
    bases = ("localhost", "127.0.0.1", *(a for a in door.addresses if not _is_wildcard(a)), *door.names)
    names: list[str] = []
    for base in bases:
        names.append(base)
        if not _is_address(base):
            names.extend(f"{prefix}.{base}" for prefix in PREFIXES)
    return _unique([*names, *(environment.host for environment in environments)])


def render(door: Door, environments: Sequence[EnvironmentRoute]) -> Json:
    """The whole configuration. The order of the environments does not matter: equal sets render equal documents."""
    routes = sorted(environments, key=lambda environment: environment.id)
    return {
        "admin": {"listen": f"unix/{door.admin_socket}|0600", "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "WARN", "encoder": {"format": "json"}}}},
        "storage": {"module": "file_system", "root": str(door.storage)},
        "apps": {
            "pki": {"certificate_authorities": {AUTHORITY: _authority()}},
            "tls": _tls(certificate_names(door, routes)),
            "http": {"servers": _servers(door, routes)},
        },
    }


def _authority() -> Json:
    return {
        "name": "Tradewind",
        "root_common_name": "Tradewind internal root",
        "intermediate_common_name": "Tradewind internal intermediate",
        "install_trust": False,  # the machine's own trust store is not ours to change
        "intermediate_lifetime": "720h",
    }


def _tls(names: list[str]) -> Json:
    # A week, so that a laptop that slept over the weekend wakes with certificates that are still good.
    issuer = {"module": "internal", "ca": AUTHORITY, "lifetime": "168h"}
    return {
        "certificates": {"automate": names},
        # Caddy's cleaning takes away empty folders while the first certificates are being saved into them,
        # and the next attempt is a minute later. The doorkeeper cleans instead.
        "disable_storage_clean": True,
        "automation": {"policies": [{"issuers": [issuer], "disable_ocsp_stapling": True}]},
    }


def _servers(door: Door, environments: Sequence[EnvironmentRoute]) -> Json:
    addresses = [listener(address, door.port) for address in door.addresses]
    for environment in environments:
        addresses.extend(environment.listeners(door))
    servers = {"door": _server(_unique(addresses))}
    servers["door"] |= {
        "tls_connection_policies": [{"fallback_sni": "localhost"}],
        "routes": [*(_environment(door, environment) for environment in environments), _api(door)],
        "errors": {"routes": _errors([environment.host for environment in environments])},
    }
    if door.redirect:
        own = [environment.address for environment in environments if environment.address]
        servers["redirect"] = _server([listener(address, _HTTP) for address in _unique([*door.addresses, *own])])
        servers["redirect"]["routes"] = _redirects(door, environments)
    return servers


def _server(listeners: list[str]) -> Json:
    return {
        "listen": listeners,
        "protocols": ["h1", "h2"],
        "automatic_https": {"disable": True},  # the names are listed; nothing is guessed from routes
        "read_header_timeout": "10s",
        "idle_timeout": "120s",
        "max_header_bytes": 65536,
    }  # no write timeout: logs stream for as long as somebody reads them


def _environment(door: Door, environment: EnvironmentRoute) -> Json:
    service = [
        *_clean(),
        {"handler": "headers", "request": {"set": {"X-Tradewind-Environment": [str(environment.id)]}}},
        *_to_control_plane(door),
    ]
    airflow = [*_clean(), _proxy(f"127.0.0.1:{environment.upstream_port}")]
    routes = [
        {"match": [{"path": list(_CONTROL_PLANE_PATHS)}], "handle": service, "terminal": True},
        {"handle": airflow},
    ]
    return {
        "match": [{"host": [environment.host]}],
        "handle": [{"handler": "subroute", "routes": routes}],
        "terminal": True,
    }


def _api(door: Door) -> Json:
    return {"handle": [*_clean(), *_to_control_plane(door)]}


def _clean() -> list[Json]:
    # A handler of its own: within one, Caddy deletes after it has set.
    return [{
        "handler": "headers",
        "request": {"delete": list(_OURS_ALONE)},
        "response": {"deferred": True, "delete": ["Server", "Via"]},
    }]  # fmt: skip


def _to_control_plane(door: Door) -> list[Json]:
    limit = {"handler": "request_body", "max_size": BODY_LIMIT}
    return [limit, _proxy(f"unix/{door.control_plane}")]


def _proxy(upstream: str) -> Json:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": upstream}],
        "flush_interval": -1,
        # A reload must not cut a websocket; one that nobody ends is cut a day later.
        "stream_close_delay": "24h",
        "transport": {
            "protocol": "http",
            "compression": False,
            "dial_timeout": "3s",
            # Below uvicorn's 5 s: a POST on a connection that the upstream closes at that instant is a 502.
            "keep_alive": {"idle_timeout": "3s", "max_idle_conns_per_host": 64},
        },
    }


def _redirects(door: Door, environments: Sequence[EnvironmentRoute]) -> list[Json]:
    routes = [
        {"match": [{"host": [environment.host]}], "handle": [_redirect(environment.port)], "terminal": True}
        for environment in environments
    ]
    return [*routes, {"handle": [_redirect(door.port)]}]


def _redirect(port: int) -> Json:
    suffix = "" if port == HTTPS else f":{port}"
    location = f"https://{{http.request.host}}{suffix}{{http.request.uri}}"
    return {"handler": "static_response", "status_code": 308, "headers": {"Location": [location]}}


def _errors(hosts: list[str]) -> list[Json]:
    """Answers in our words: an environment that is not up, an API that is not up, a body beyond the limit."""
    down = {"vars": {"{http.error.status_code}": ["502", "503", "504"]}}
    routes: list[Json] = []
    if hosts:
        sentence = "This Apache Airflow environment is not answering. It may be starting; try again in a moment."
        page = _answer(503, _page("Not answering", sentence), "text/html; charset=utf-8", retry=5)
        text = _answer(503, sentence + "\n", "text/plain; charset=utf-8", retry=5)
        html_wanted = {"header": {"Accept": ["*text/html*"]}}
        routes.append(_when({"host": hosts, **down, **html_wanted}, page))
        routes.append(_when({"host": hosts, **down}, text))
    unavailable = '{"message":"The service is not answering. Try again in a moment."}'
    too_large = '{"message":"The request body is larger than 7 MiB."}'
    routes += [
        _when(down, _answer(503, unavailable, "application/json", retry=2, error="ServiceUnavailable")),
        _when(
            {"vars": {"{http.error.status_code}": ["413"]}},
            _answer(413, too_large, "application/json", error="RequestEntityTooLargeException"),
        ),
        {"handle": [_answer("{http.error.status_code}", "{http.error.status_text}\n", "text/plain; charset=utf-8")]},
    ]
    return routes


def _when(match: Json, handler: Json) -> Json:
    return {"match": [match], "handle": [handler], "terminal": True}


def _answer(status: int | str, body: str, kind: str, *, retry: int | None = None, error: str | None = None) -> Json:
    headers = {"Content-Type": [kind], "Cache-Control": ["no-store"]}
    if retry is not None:
        headers["Retry-After"] = [str(retry)]
    if error is not None:
        headers["X-Amzn-Errortype"] = [error]
    return {"handler": "static_response", "status_code": status, "headers": headers, "body": body}


def _page(title: str, sentence: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:1rem/1.5 system-ui,sans-serif;margin:20vh auto;max-width:32rem;padding:0 1rem}</style>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p></html>\n"
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_wildcard(address: str) -> bool:
    return _is_address(address) and ipaddress.ip_address(address).is_unspecified


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
