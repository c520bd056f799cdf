"""The endpoint: `GET /v1/credentials` with `Authorization: <token>`, as AWS's SDKs ask for container credentials.

Source: AWS SDKs and Tools Reference Guide, "Container credential provider": the value of
AWS_CONTAINER_AUTHORIZATION_TOKEN is the whole header. Errors are `{"code", "message"}`, which SDKs show to people.

Everything on this machine can reach a port of loopback, tasks of other environments too. So nothing is said without
the token, which is compared in constant time; a Host other than ours is a page that rebinds its name in somebody's
browser; a request has seconds to arrive; and only so many are served at once.
"""

import hmac
import io
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tradewind_airflow.credentials.role import NoCredentials

PATH = "/v1/credentials"
AT_ONCE = 64
_REQUEST_SECONDS = 5.0

Answer = Callable[[], Mapping[str, str]]
"""The document of credentials. Raises NoCredentials."""


class Endpoint(ThreadingHTTPServer):
    """The server, on 127.0.0.1. Port 0 draws one (`server_port`)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, token: str, answer: Answer) -> None:
        """Bind; `serve_forever` serves."""
        self.token, self.answer = token.encode(), answer
        self._room = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """As the class above, but its own name is not looked up: that may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, if there is room; the connection is closed otherwise, and SDKs try again."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Leave room for the next one in the end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up has nothing to be told; nobody reads of it."""


class _InTime(io.RawIOBase):
    """What a connection sends within so many seconds. A timeout of the socket alone begins anew with every byte."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._until = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes. Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    server_version, sys_version = "tradewind", ""
    error_content_type = "application/json"
    error_message_format = '{"code": "BadRequest", "message": "status %(code)d"}\n'

    def setup(self) -> None:
        """The request has seconds to arrive, all of it: who drips it must not hold a place that tasks need."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_InTime(self.connection, _REQUEST_SECONDS))

    def do_GET(self) -> None:
        """Answer the one thing that can be asked."""
        port = self.server.server_port
        if self.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
            self._refuse(403, "Forbidden", "the Host header is not this endpoint's")
        elif not hmac.compare_digest(self.headers.get("Authorization", "").encode(), self.server.token):
            self._refuse(401, "Unauthorized", "the Authorization header is not this environment's token")
        elif self.path != PATH:
            self._refuse(404, "NotFound", f"there is nothing but {PATH}")
        else:
            try:
                self._say(200, self.server.answer())
            except NoCredentials as refusal:
                self._refuse(refusal.status, refusal.code, refusal.sentence)

    def _refuse(self, status: int, code: str, sentence: str) -> None:
        self._say(status, {"code": code, "message": sentence})

    def _say(self, status: int, document: Mapping[str, str]) -> None:
        body = json.dumps(document).encode() + b"\n"
        self.connection.settimeout(_REQUEST_SECONDS)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
        """Nothing: requests are many, and all alike."""
