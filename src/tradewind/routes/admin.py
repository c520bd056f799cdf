"""Caddy's admin API over its unix socket: what configuration is in force, and putting another in force.

Plain http.client on a socket of our own: two short requests, no pool, and nothing left open when Caddy
is not there (which is an everyday answer here, not an error).
"""

import contextlib
import http.client
import json
import socket
from pathlib import Path
from typing import Any

from tradewind.domain.errors import CannotProvide

_SECONDS = 20.0  # a load returns once the new configuration serves


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("127.0.0.1", timeout=_SECONDS)  # the Host that Caddy expects on a unix socket
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class Admin:
    """The admin socket of one Caddy."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._path = path

    def loaded(self) -> dict[str, Any] | None:
        """The configuration in force; empty when there is none of ours; None when Caddy does not answer."""
        try:
            status, body = self._ask("GET", "/config/")
        except (OSError, http.client.HTTPException):
            return None
        with contextlib.suppress(ValueError):
            document = json.loads(body)
            if status == http.client.OK and isinstance(document, dict):
                return document
        return {}

    def load(self, configuration: dict[str, Any]) -> None:
        """Put a configuration in force. Raises CannotProvide with Caddy's words; the old one then stays in force."""
        try:
            status, body = self._ask("POST", "/load", json.dumps(configuration))
        except (OSError, http.client.HTTPException) as error:
            raise CannotProvide(f"cannot publish the routes: the proxy stopped answering ({error!r})") from error
        if status != http.client.OK:
            raise CannotProvide(f"cannot publish the routes: the proxy refuses them: {_reason(status, body)}")

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = _UnixConnection(self._path)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _reason(status: int, body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    with contextlib.suppress(ValueError, AttributeError):
        text = str(json.loads(text).get("error", text))
    return text or f"status {status}"
