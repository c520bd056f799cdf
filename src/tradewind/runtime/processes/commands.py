"""Run one command to its end: as a user, in a session of its own, with an exact environment.

It goes through the launcher as programs do, so the environment stands on no command line, the user is taken on before
anything else, and the command dies with the control plane (its parent is the calling thread, which waits here).
Output beyond the limit is read and thrown away. When it has ended, or its time is over, whatever is left of its
session is killed.
"""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from tradewind.domain.manifests import Completed
from tradewind.runtime.processes.launcher import end_family, identify
from tradewind.runtime.processes.supervisors import LAUNCHER

_BLOCK = 64 * 1024
_GRACE = 1.0  # seconds for output that is still in the pipe when the command itself has ended


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    user: str | None,
    timeout: float,
    stdin: bytes,
    limit: int,
) -> Completed:
    """See `Runtime.run`.

    Exit status -N means ended by signal N; 127 that it cannot be executed, with the reason on stderr.
    """
    words = {
        "command": list(command),
        "environment": dict(environment),
        "directory": str(directory),
        "user": user,
        "drains": False,
        "parent_death_signal": "KILL",
    }
    with tempfile.TemporaryFile() as spec:
        spec.write(json.dumps(words).encode())
        spec.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), "--run", str(spec.fileno()), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            pass_fds=(spec.fileno(),),
            start_new_session=True,
            bufsize=0,
        )
    identity = identify(process.pid)
    with process:
        try:
            streams = _Streams(process, stdin, limit)
            finished = streams.exchange(time.monotonic() + timeout)
        finally:
            end_family(identity)
        status = process.wait()
    return Completed(status, streams.text("stdout"), streams.text("stderr"), timed_out=not finished)


class _Streams:
    """Feed and read a process without ever waiting for one stream only."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: bytes, limit: int) -> None:
        self._process = process
        self._stdin = memoryview(stdin)
        self._limit = limit
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}

    def text(self, name: str) -> bytes:
        return bytes(self._kept[name])

    def exchange(self, deadline: float) -> bool:
        """Until the process has ended and its output is read; False when the deadline came first."""
        ended_at: float | None = None
        with selectors.DefaultSelector() as selector:
            self._register(selector)
            while True:
                now = time.monotonic()
                if ended_at is None and self._process.poll() is not None:
                    ended_at = now
                if ended_at is not None and (not self._reading(selector) or now >= ended_at + _GRACE):
                    return True
                if ended_at is None and now >= deadline:
                    return False
                self._step(selector, 0.05)

    def _register(self, selector: selectors.BaseSelector) -> None:
        out, err, into = (
            cast("IO[bytes]", pipe) for pipe in (self._process.stdout, self._process.stderr, self._process.stdin)
        )
        selector.register(out, selectors.EVENT_READ, "stdout")
        selector.register(err, selectors.EVENT_READ, "stderr")
        os.set_blocking(into.fileno(), False)
        if self._stdin:
            selector.register(into, selectors.EVENT_WRITE, "stdin")
        else:
            into.close()

    @staticmethod
    def _reading(selector: selectors.BaseSelector) -> bool:
        return any(key.data != "stdin" for key in selector.get_map().values())

    def _step(self, selector: selectors.BaseSelector, seconds: float) -> None:
        if not selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in selector.select(seconds):
            pipe = cast("IO[bytes]", key.fileobj)
            over = self._write(pipe) if key.data == "stdin" else self._read(pipe, key.data)
            if over:
                selector.unregister(pipe)
                pipe.close()

    def _write(self, pipe: IO[bytes]) -> bool:
        try:
            self._stdin = self._stdin[os.write(pipe.fileno(), self._stdin[:_BLOCK]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return not self._stdin

    def _read(self, pipe: IO[bytes], name: str) -> bool:
        block = os.read(pipe.fileno(), _BLOCK)
        kept = self._kept[name]
        kept += block[: self._limit - len(kept)]
        return not block
