"""What a stand-in and the preloaded parent say to each other: whole messages with descriptors, or a refusal."""

import os
import socket

import pytest

from tradewind_airflow.preload import wire


def test_messages_arrive_whole_and_nonsense_is_refused():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.settimeout(5)
        wire.send(ours, {"text": "x" * 50_000}, (1, 2))
        message, numbers = wire.receive(theirs, 2)
        assert message == {"text": "x" * 50_000}
        assert len(numbers) == 2
        for number in numbers:
            os.close(number)
        for nonsense in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x01{"):
            ours.sendall(nonsense)
            with pytest.raises(wire.Broken):
                wire.receive(theirs)
