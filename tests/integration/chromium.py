"""Chromium without a window, driven over a pipe by its DevTools protocol: navigate, run a line of script, look.

The pipe (file descriptors 3 and 4, JSON texts that end in NUL) needs no port and no library. What is evaluated is not
subject to the page's Content-Security-Policy; what the page itself does is.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

CERTUTIL = shutil.which("certutil")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_SECONDS = 120.0
_GONE = (
    "Inspected target navigated or closed", "Execution context was destroyed.",
    "Cannot find context with specified id", "Cannot find default execution context",
)  # fmt: skip


class PageGoneError(Exception):
    """The page of a script made way for the next one before it answered."""


class Chromium:
    """One page. `spki` is the base64 SHA-256 of the one public key that is trusted without an authority.

    Without it there must be an authority that `profile` trusts (`trust`).
    """

    def __init__(self, profile: Path, spki: str = "") -> None:
        reads, self._out = os.pipe()
        self._in, writes = os.pipe()
        command = [
            CHROMIUM, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={profile}",
            *([f"--ignore-certificate-errors-spki-list={spki}"] if spki else []),
            "--window-size=1200,900", "about:blank",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command,
            close_fds=False,  # it would close what is placed; Python's own descriptors are not inherited anyway
            preexec_fn=lambda: _place(reads, writes),  # noqa: PLW1509  (the child is one thread)
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": str(profile), "PATH": os.environ["PATH"]},
        )  # fmt: skip
        os.close(reads)
        os.close(writes)
        self._rest = b""
        self._last = 0
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method, **parameters):
        """One command and its result."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            said = self._read()
            if said.get("id") == self._last:
                error = said.get("error", {})
                if error.get("message") in _GONE:
                    raise PageGoneError(error["message"])
                assert not error, said
                return said["result"]

    def _read(self):
        while b"\0" not in self._rest:
            piece = os.read(self._in, 65536)
            assert piece, "chromium has ended"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def run(self, script):
        """The value of a line of script."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def go(self, url):
        """Open a page and wait for it."""
        self.call("Page.navigate", url=url)
        self.wait("true")

    def click(self, selector):
        """Press what the selector finds; that the page makes way at once is no error."""
        with contextlib.suppress(PageGoneError):
            self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def wait(self, condition):
        """Wait for a condition on whatever page is there, loaded, by then; pages come and go meanwhile."""
        deadline = time.monotonic() + _SECONDS
        there = f"document.readyState === 'complete' && ({condition})"
        where = None
        while time.monotonic() < deadline:
            with contextlib.suppress(PageGoneError):
                result = self.call("Runtime.evaluate", expression=there, returnByValue=True)["result"]
                if result.get("value") is True:
                    return
                where = self.run("location.href + document.body?.innerText")
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {condition} at {where}")

    def picture(self, path: Path) -> None:
        """What a person sees."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def cookies(self):
        """All of them by name."""
        return {each["name"]: each for each in self.call("Network.getAllCookies")["cookies"]}

    def end(self):
        self._session = None
        self.call("Browser.close")
        self.process.wait(20)
        os.close(self._out)
        os.close(self._in)


def trust(home: Path, authority: Path) -> None:
    """Have a browser whose home this is trust an authority, as a person would: in its certificate store."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "tradewind", "-i", str(authority)]):
        subprocess.run([CERTUTIL, "-d", f"sql:{database}", *words], check=True, capture_output=True, timeout=30)


def _place(reads, writes):
    """Chromium reads commands from 3 and writes answers to 4."""
    reads, writes = os.dup(reads), os.dup(writes)
    os.dup2(reads, 3)
    os.dup2(writes, 4)
