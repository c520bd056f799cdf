"""Asking the provider: JSON in a limited size and a limited time, no redirects, one kind of failure.

httpx limits each read; a provider that sends a byte now and then would hold a thread for ever, so the whole answer
has a limit too.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tradewind.access.clients import Cookieless
from tradewind.access.openid.refusals import ProviderUnavailable

LARGEST = 1024 * 1024
SECONDS = 10.0
TIMEOUT = httpx.Timeout(5.0)


@dataclass(frozen=True)
class Said:
    """An answer with a JSON object in it."""

    status: int
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Fetcher:
    """HTTP to the provider with a client of its own (`Cookieless(trust_env=False, timeout=TIMEOUT, verify=…)`)."""

    client: Cookieless
    clock: Callable[[], float] = time.monotonic

    def get(self, url: str) -> Mapping[str, Any]:
        """The object at a URL. Raises ProviderUnavailable."""
        said = self._ask("GET", url, {"Accept": "application/json"}, None)
        if said.status != httpx.codes.OK:
            raise ProviderUnavailable(f"GET {url} answers {said.status}")
        return said.document

    def post(self, url: str, headers: Mapping[str, str], body: str) -> Said:
        """Send a form; the answer may be an error in JSON. Raises ProviderUnavailable."""
        return self._ask("POST", url, headers, body.encode())

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Said:
        try:
            with self.client.stream(method, url, headers=headers, content=body, follow_redirects=False) as answer:
                text = self._read(answer, f"{method} {url}")
                status = answer.status_code
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"{method} {url} fails: {error!r}") from error
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProviderUnavailable(f"{method} {url} answers {status} and no JSON") from error
        if not isinstance(document, dict):
            raise ProviderUnavailable(f"{method} {url} answers {status} and no JSON object")
        return Said(status, document)

    def _read(self, answer: httpx.Response, what: str) -> bytes:
        deadline = self.clock() + SECONDS
        text = b""
        for piece in answer.iter_bytes():
            text += piece
            if len(text) > LARGEST:
                raise ProviderUnavailable(f"{what} answers more than {LARGEST} bytes")
            if self.clock() > deadline:
                raise ProviderUnavailable(f"{what} takes longer than {SECONDS:.0f} s")
        return text
