"""A request as it arrived at the API: path and query undecoded, with what the proxy knows about its connection."""

from collections.abc import Sequence
from dataclasses import dataclass

from tradewind.wire import SignedRequest


@dataclass(frozen=True)
class RawRequest:
    """`source` is the address of the peer that the proxy saw, empty where there is none; headers are ISO 8859-1."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source: str = ""
    is_secure: bool = True

    @property
    def signed(self) -> SignedRequest:
        """What a signature covers."""
        return SignedRequest(self.method, self.path, self.query, self.headers, self.body)

    def header(self, name: str) -> str:
        """The first header of that name (in small letters), or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")
