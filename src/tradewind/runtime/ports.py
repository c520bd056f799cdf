"""Ports of loopback: one that is free now and promised to nobody. Who promises it writes that down at once."""

import socket
from collections.abc import Collection

from tradewind.domain.errors import CannotStart


def draw_port(taken: Collection[int]) -> int:
    """A loopback port that nobody listens on now and that is not among `taken`. Raises CannotStart."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
    raise CannotStart("cannot find a free port on 127.0.0.1")
