"""Talk to a supervisord over its unix socket: XML-RPC, with a time limit on every call.

supervisord answers from one thread between its other work, in milliseconds; silence of seconds means that it is dead,
stopped or drowning, and whoever asked must not hang with it.
"""

import http.client
import socket
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewind.domain.manifests import ProcessState

# supervisor.xmlrpc.Faults
BAD_NAME = 10
NOT_RUNNING = 70
STILL_RUNNING = 91
SPAWN_ERROR = 50
ALREADY_STARTED = 60
ALREADY_ADDED = 90
SHUTDOWN_STATE = 6

_OVERTAKEN = frozenset({BAD_NAME, NOT_RUNNING, STILL_RUNNING, SPAWN_ERROR, ALREADY_STARTED, ALREADY_ADDED})


class NoAnswer(Exception):
    """No supervisord answers on that socket (in time)."""


@dataclass(frozen=True)
class Seen:
    """One program as supervisord tells it. Times are seconds since the epoch, 0 for never."""

    program: str
    state: ProcessState
    pid: int
    started: int
    stopped: int
    exit_status: int


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__()
        self._path = path
        self._seconds = seconds

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = self._connection[1] or _Connection(self._path, self._seconds)
        self._connection = host, connection
        return connection


class Supervisor:
    """The calls that this room makes. Every one raises NoAnswer; an order that events have overtaken is no error."""

    def __init__(self, socket_path: Path, seconds: float = 5) -> None:
        self._proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", _Transport(socket_path, seconds))

    def close(self) -> None:
        """Close the connection."""
        self._proxy("close")()

    def pid(self) -> int:
        """Process id of the supervisord that answers."""
        return int(self._call("getPID"))

    def programs(self) -> dict[str, Seen]:
        """Every program that it knows."""
        return {seen.program: seen for seen in map(_seen, self._call("getAllProcessInfo"))}

    def reread(self) -> None:
        """Read the configuration again. Changes nothing by itself."""
        self._call("reloadConfig")

    def add(self, program: str) -> None:
        """Learn and start a program of the configuration."""
        self._order("addProcessGroup", program)
        self._order("startProcess", program, False)

    def start(self, program: str) -> None:
        """Start a known program."""
        self._order("startProcess", program, False)

    def stop(self, program: str) -> None:
        """Begin to stop a program."""
        self._order("stopProcess", program, False)

    def kill(self, program: str) -> None:
        """Kill a program that is being stopped."""
        self._order("signalProcess", program, "KILL")

    def forget(self, program: str) -> None:
        """Unlearn a program that does not run."""
        self._order("removeProcessGroup", program)

    def shut_down(self) -> None:
        """End supervisord."""
        self._call("shutdown")

    def _order(self, method: str, *words: Any) -> None:
        try:
            self._call(method, *words)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in _OVERTAKEN:
                raise

    def _call(self, method: str, *words: Any) -> Any:
        try:
            return getattr(self._proxy.supervisor, method)(*words)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError, xmlrpc.client.ResponseError) as error:
            raise NoAnswer(str(error)) from error
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == SHUTDOWN_STATE:
                raise NoAnswer("it is shutting down") from fault
            raise


def _seen(words: Mapping[str, Any]) -> Seen:
    return Seen(
        program=str(words["name"]),
        state=ProcessState.__members__.get(str(words["statename"]), ProcessState.UNKNOWN),
        pid=int(words["pid"]),
        started=int(words["start"]),
        stopped=int(words["stop"]),
        exit_status=int(words["exitstatus"]),
    )
