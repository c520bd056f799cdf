"""Caddy's configuration as one JSON document, rendered from the whole set of routes (pure).

Environments' hosts come first. On them `/aws_mwaa/*` and `/pluginsv2/aws_mwaa/*` go to the control
plane, with `X-Tradewind-Environment: <id>`, and all else to the environment's API server. Every other
host is the API: each path goes to the control plane, which answers unknown ones as AWS does.

Where a public address is set, what listens there is a server of its own, without the hosts of environments
that are PRIVATE_ONLY: there they are hosts that nobody knows. The control plane learns from
`X-Tradewind-Listener` (`private` or `public`) where a request came in.

What arrives upstream is what the client sent: the raw path (ARNs come percent-encoded, signatures
cover it), the Host header, the body, no `Accept-Encoding` of the proxy's. Headers that only the
service may set (`X-Tradewind-*`, `X-Forwarded-*`, `Forwarded`, `X-Real-Ip`) are taken from requests;
Caddy then sets `X-Forwarded-For`, `-Proto` and `-Host` from the connection itself, and drops every header
with `_` in its name, which some servers take for `-`. Limits are on the page `docs/routes.md`.
"""

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.domain.identifiers import EnvironmentId
from tradewind.routes.hosts import HTTPS, Side, is_wildcard
from tradewind.routes.tls import AUTHORITY, Internal, Json, Tls, is_address, strict_transport, tls_app

PREFIXES = ("api", "env", "ops")  # the SDKs put these before the endpoint's host
BODY_LIMIT = 7 * 1024 * 1024
AIRFLOW_BODY_LIMIT = 100_000_000 - 1  # what has nine digits is too long: seen before the body is read
_TOO_LONG = {"header_regexp": {"Content-Length": {"pattern": "^0*[1-9][0-9]{8,}$"}}}
LISTENER = "X-Tradewind-Listener"
_LONG = "The request body is larger than 100 MB."
_HTTP = 80
_STYLE = "body{font:1rem/1.5 system-ui,sans-serif;margin:20vh auto;max-width:32rem;padding:0 1rem}"
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
_OURS_ALONE = ("X-Tradewind-*", "X-Forwarded-*", "Forwarded", "X-Real-Ip")
# `Connection: X-Tradewind-Environment` would have the proxy drop our mark as hop-by-hop. Nothing is upgraded there.
_AT_THE_CONTROL_PLANE = (*_OURS_ALONE, "Connection", "Upgrade")
_CONTROL_PLANE_PATHS = ("/aws_mwaa/*", "/pluginsv2/aws_mwaa/*")
# Where an answer has none of its own. Ours are data or small pages that load nothing; Airflow's UI frames its own.
_OURS_UNLESS_SAID = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Hosts of environments are one site to browsers: SameSite does not keep a plugin's page of one from acting in another
# with its visitor's cookie. Every browser says where a request comes from; programs do not, and have no cookies.
_FROM_ANOTHER_ORIGIN = {
    "not": [{"method": ["GET", "HEAD", "OPTIONS"]}],
    "header": {"Sec-Fetch-Site": ["cross-site", "same-site"]},
}
_AIRFLOWS_UNLESS_SAID = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


@dataclass(frozen=True)
class Limits:
    """Seconds. How long a body may take to arrive is limited by who reads it (bootstrap.arrivals): Caddy cannot."""

    header: int = 10
    idle: int = 120


@dataclass(frozen=True)
class Door:
    """What the proxy is on this machine. `names` are the machine's host name, `public_names` the configured ones.

    `addresses` are private (loopback, at least); `public` is where the rest of the world comes in, if it may.
    """

    storage: Path  # certificates and their keys
    admin_socket: Path
    control_plane: Path  # the control plane's unix socket
    port: int  # of the API
    addresses: tuple[str, ...] = ("127.0.0.1",)
    public: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    public_names: tuple[str, ...] = ()
    tls: Tls = field(default_factory=Internal)
    limits: Limits = field(default_factory=Limits)
    redirect: bool = False  # listen on port 80 too and send plain HTTP to HTTPS

    def addresses_of(self, side: Side) -> tuple[str, ...]:
        """Where one side comes in."""
        return self.public if side is Side.PUBLIC else self.addresses


@dataclass(frozen=True)
class EnvironmentRoute:
    """One environment: its host, the listener of its own where it has one, its API server's port on 127.0.0.1."""

    id: EnvironmentId
    host: str
    port: int
    upstream_port: int
    address: str | None = None
    sides: frozenset[Side] = frozenset(Side)

    def is_served(self, door: Door, side: Side) -> bool:
        """Whether its host is known there. A loopback address of its own is private whatever was asked."""
        if self.address:
            return side is Side.PRIVATE
        return side in self.sides or (side is Side.PRIVATE and not door.public)

    def addresses_at(self, door: Door, side: Side) -> tuple[str, ...]:
        """The addresses where the proxy must listen for it on one side."""
        if not self.is_served(door, side):
            return ()
        return (self.address,) if self.address else door.addresses_of(side)

    def addresses(self, door: Door) -> tuple[str, ...]:
        """All of them."""
        return tuple(_unique(address for side in Side for address in self.addresses_at(door, side)))


def listener(address: str, port: int) -> str:
    """Caddy's way to write a TCP address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def local_names(door: Door, environments: Sequence[EnvironmentRoute]) -> list[str]:
    """What the internal authority always signs: the API's names here with the SDKs' prefixes, and addresses."""
    listening = [address for address in (*door.addresses, *door.public) if not is_wildcard(address)]
    addresses = [environment.host for environment in environments if is_address(environment.host)]
    known = (*door.names, *(name for name in door.public_names if is_address(name)))
    names = _with_prefixes(("localhost", "127.0.0.1", *listening, *known))
    return [name for name in _unique([*names, *addresses]) if name not in public_api_names(door)]


def public_api_names(door: Door) -> list[str]:
    """The API's configured names; with the SDKs' prefixes where our own authority signs them.

    ACME servers look names up, and a given certificate covers what it covers.
    """
    names = [name for name in door.public_names if not is_address(name)]
    return _with_prefixes(names) if isinstance(door.tls, Internal) else _unique(names)


def public_names(door: Door, environments: Sequence[EnvironmentRoute]) -> list[str]:
    """The API's configured names and the named hosts of environments."""
    hosts = [environment.host for environment in environments if not is_address(environment.host)]
    return _unique([*public_api_names(door), *hosts])


def certificate_names(door: Door, environments: Sequence[EnvironmentRoute]) -> list[str]:
    """Every name that has a certificate."""
    return _unique([*local_names(door, environments), *public_names(door, environments)])


def render(door: Door, environments: Sequence[EnvironmentRoute]) -> Json:
    """The whole configuration. The order of the environments does not matter: equal sets render equal documents."""
    routes = sorted(environments, key=lambda environment: environment.id)
    return {
        "admin": {"listen": f"unix/{door.admin_socket}|0600", "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "WARN", "encoder": {"format": "json"}}}},
        "storage": {"module": "file_system", "root": str(door.storage)},
        "apps": {
            "pki": {"certificate_authorities": {AUTHORITY: _authority()}},
            "tls": tls_app(door.tls, local_names(door, routes), public_names(door, routes)),
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


def _servers(door: Door, environments: Sequence[EnvironmentRoute]) -> Json:
    servers = {"door": _side(door, environments, Side.PRIVATE)}
    if door.public:
        servers["public"] = _side(door, environments, Side.PUBLIC)
    if door.redirect:
        own = [environment.address for environment in environments if environment.address]
        where = _unique([*door.addresses, *door.public, *own])
        servers["redirect"] = _server(door, [listener(address, _HTTP) for address in where])
        servers["redirect"]["routes"] = _redirects(door, environments)
    return servers


def _side(door: Door, environments: Sequence[EnvironmentRoute], side: Side) -> Json:
    served = [environment for environment in environments if environment.is_served(door, side)]
    listeners = [listener(address, door.port) for address in door.addresses_of(side)]
    for environment in served:
        listeners.extend(listener(address, environment.port) for address in environment.addresses_at(door, side))
    return _server(door, _unique(listeners)) | {
        "tls_connection_policies": [{"fallback_sni": "localhost", "protocol_min": "tls1.2"}],
        "routes": [*(_environment(door, environment, side) for environment in served), *_api(door, side)],
        "errors": {"routes": _errors([environment.host for environment in served])},
    }


def _server(door: Door, listeners: list[str]) -> Json:
    return {
        "listen": listeners,
        "protocols": ["h1", "h2"],
        "automatic_https": {"disable": True},  # the names are listed; nothing is guessed from routes
        "read_header_timeout": f"{door.limits.header}s",
        "idle_timeout": f"{door.limits.idle}s",
        "max_header_bytes": 65536,
    }  # no write timeout: logs stream for as long as somebody reads them


def _environment(door: Door, environment: EnvironmentRoute, side: Side) -> Json:
    strict = strict_transport(door.tls, environment.host)
    service = [
        *_clean(strict, _OURS_UNLESS_SAID, _AT_THE_CONTROL_PLANE),
        _mark({"X-Tradewind-Environment": str(environment.id), LISTENER: side}),
        *_to_control_plane(door),
    ]
    airflow = [
        *_clean(strict, _AIRFLOWS_UNLESS_SAID),
        {"handler": "request_body", "max_size": AIRFLOW_BODY_LIMIT},
        _proxy(f"127.0.0.1:{environment.upstream_port}"),
    ]
    routes = [
        _when(_elsewhere(environment.host), _plain(421, "This connection was made to another host.")),
        {"match": [{"path": list(_CONTROL_PLANE_PATHS)}], "handle": service, "terminal": True},
        _when(_TOO_LONG, _plain(413, _LONG)),
        _when(_FROM_ANOTHER_ORIGIN, _plain(403, "A page of another origin may not do this.")),
        {"handle": airflow},
    ]
    return {
        "match": [{"host": [environment.host]}],
        "handle": [{"handler": "subroute", "routes": routes}],
        "terminal": True,
    }


def _elsewhere(host: str) -> Json:
    """A connection that named another host when it was made: a browser that reuses one asks again on its own."""
    return {"not": [{"vars": {"{http.request.tls.server_name}": ["", host]}}]}


def _api(door: Door, side: Side) -> list[Json]:
    def handle(strict: str | None) -> list[Json]:
        return [
            *_clean(strict, _OURS_UNLESS_SAID, _AT_THE_CONTROL_PLANE),
            _mark({LISTENER: side}),
            *_to_control_plane(door),
        ]

    routes: list[Json] = [{"handle": handle(None)}]
    if names := [name for name in public_api_names(door) if strict_transport(door.tls, name)]:
        strict = handle(strict_transport(door.tls, names[0]))
        routes.insert(0, {"match": [{"host": names}], "handle": strict, "terminal": True})
    return routes


def _clean(strict: str | None, unless_said: Mapping[str, str], taken: Sequence[str] = _OURS_ALONE) -> list[Json]:
    # Handlers of their own: within one, Caddy deletes after it has set, and `require` is for the whole handler.
    answer: Json = {"deferred": True, "delete": ["Server", "Via"]}
    if strict:
        answer["set"] = {"Strict-Transport-Security": [strict]}
    handlers: list[Json] = [
        {"handler": "headers", "request": {"delete": list(taken)}, "response": answer},
    ]
    for name, value in unless_said.items():
        require = {"headers": {name: None}}  # Caddy's way to say: the header is not there
        handlers.append({
            "handler": "headers",
            "response": {"deferred": True, "set": {name: [value]}, "require": require},
        })  # fmt: skip
    return handlers


def _mark(headers: Mapping[str, str]) -> Json:
    return {"handler": "headers", "request": {"set": {name: [value] for name, value in headers.items()}}}


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
        long = _plain(413, _LONG)
        airflows = {"host": hosts, "not": [{"path": list(_CONTROL_PLANE_PATHS)}]}
        routes.append(_when({**airflows, "vars": {"{http.error.status_code}": ["413"]}}, long))
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


def _plain(status: int, sentence: str) -> Json:
    return _answer(status, f"{sentence}\n", "text/plain; charset=utf-8")


def _answer(status: int | str, body: str, kind: str, *, retry: int | None = None, error: str | None = None) -> Json:
    headers = {"Content-Type": [kind], "Cache-Control": ["no-store"], "X-Content-Type-Options": ["nosniff"]}
    headers |= {"Content-Security-Policy": [_PAGE_POLICY], "X-Frame-Options": ["DENY"]}
    if retry is not None:
        headers["Retry-After"] = [str(retry)]
    if error is not None:
        headers["X-Amzn-Errortype"] = [error]
    return {"handler": "static_response", "status_code": status, "headers": headers, "body": body}


def _page(title: str, sentence: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p></html>\n"
    )


def _with_prefixes(bases: Iterable[str]) -> list[str]:
    names: list[str] = []
    for base in bases:
        names.append(base)
        if not is_address(base):
            names.extend(f"{prefix}.{base}" for prefix in PREFIXES)
    return _unique(names)


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
