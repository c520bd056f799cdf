"""Messages between a component and the preloaded parent, on a unix stream socket: four bytes of length, then JSON.

The request carries descriptors beside its first byte (SCM_RIGHTS): standard output, error, and the end of the lifeline
that the child watches. The socket lies where only the service can put one: whoever answers there is the parent. Paths
of unix sockets are limited to 107 bytes and data directories are not, so both ends go through a descriptor of the
folder.
"""

import array
import contextlib
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

LONGEST = 4 * 1024 * 1024
DESCRIPTORS = 3  # of a request
_HEADER = 4


class Broken(Exception):
    """The other side ended, or said what is no message."""


@contextlib.contextmanager
def address(path: str) -> Iterator[str]:
    """A short name for a socket's path, good while the context lasts."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # noqa: PTH120
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"  # noqa: PTH119
    finally:
        os.close(folder)


def send(connection: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one message. Raises OSError."""
    body = json.dumps(message).encode()
    header = len(body).to_bytes(_HEADER, "big")
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([header], ancillary)
    connection.sendall(body)


def receive(connection: socket.socket, descriptors: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Receive one message and up to so many descriptors. Raises Broken or OSError (time-outs among them)."""
    size = array.array("i").itemsize
    header, ancillary, *_ = connection.recvmsg(_HEADER, socket.CMSG_SPACE(descriptors * size) if descriptors else 0)
    given: list[int] = []
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers = array.array("i")
            numbers.frombytes(data[: len(data) - len(data) % size])
            given += numbers
    try:
        return _whole(connection, header), given
    except (Broken, OSError):
        for number in given:
            os.close(number)
        raise


def _whole(connection: socket.socket, header: bytes) -> dict[str, Any]:
    """The message whose header has begun."""
    header += _exactly(connection, _HEADER - len(header)) if header else b""
    length = int.from_bytes(header, "big")
    if len(header) != _HEADER or length > LONGEST:
        raise Broken("it ended")
    try:
        message = json.loads(_exactly(connection, length))
    except ValueError as error:
        raise Broken("no message") from error
    if not isinstance(message, dict):
        raise Broken("no message")
    return message


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        block = connection.recv(min(65536, count - len(data)))
        if not block:
            raise Broken("it ended")
        data += block
    return data
