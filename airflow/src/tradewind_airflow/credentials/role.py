"""The role's credentials, and when to ask for others: half of their time may pass without a control plane.

What is held is handed out as long as it is good. From half of its lifetime on others are asked for in the background,
again and again until they are there. Only who finds nothing that is good waits for an answer; whoever comes within a
moment of a refusal gets the same one, so that a hundred tasks are one question.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

GOOD_SECONDS = 60  # what ends sooner is not handed out any more
_MOMENT_SECONDS = 2.0
_LOOK_SECONDS = 60.0  # clocks jump: look at them now and then
_AGAIN_SECONDS = 15.0  # after no answer
_DENIED_SECONDS = 300.0  # after a clear no: somebody must change the role first, and each question is a record
_FORBIDDEN = 403


class NoCredentials(Exception):
    """There are none to hand out: an HTTP status, a code and a sentence for who asked."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        """The sentence goes to tasks as it is."""
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials. Times are seconds since 1970; `issued` is when we got them."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)
    issued: float
    expires: float

    def is_good(self, now: float) -> bool:
        """Whether who gets them now can use them; those of the future are of a clock that was wrong."""
        return self.issued <= now + GOOD_SECONDS and now < self.expires - GOOD_SECONDS

    def is_due(self, now: float) -> bool:
        """Whether others should be asked for."""
        return not self.is_good(now) or now >= (self.issued + self.expires) / 2

    def answer(self, role: str) -> dict[str, str]:
        """AWS's document of container credentials."""
        expires = datetime.fromtimestamp(int(self.expires), timezone.utc)  # noqa: UP017  (Python 3.10)
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "Token": self.token,
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "RoleArn": role,
        }


def read(document: Mapping[str, Any], issued: float) -> Credentials:
    """Credentials from AWS's document. Raises ValueError or KeyError for what is none."""
    texts = [document[name] for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("not a document of credentials")
    expires = datetime.strptime(texts.pop(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)  # noqa: UP017
    return Credentials(*texts, issued=issued, expires=expires.timestamp())


class Holder:
    """Holds the credentials of one role. Used by many threads."""

    def __init__(
        self,
        ask: Callable[[], Credentials],
        *,
        held: Credentials | None,
        keep: Callable[[Credentials], None],
        clock: Callable[[], float] = time.time,
        tell: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """`ask` raises NoCredentials; `held` is what was kept of an earlier life."""
        self._ask, self._keep, self._clock, self._tell = ask, keep, clock, tell
        self._held = held
        self._asking = threading.Lock()
        self._refused: tuple[float, NoCredentials] | None = None

    def current(self) -> Credentials:
        """Credentials that are good now. Raises NoCredentials."""
        held = self._held
        if held is not None and held.is_good(self._clock()):
            return held
        with self._asking:
            held = self._held
            if held is not None and held.is_good(self._clock()):  # somebody else has asked meanwhile
                return held
            if self._refused is not None and 0 <= self._clock() - self._refused[0] < _MOMENT_SECONDS:
                raise self._refused[1]
            return self._renew()

    def look(self) -> float:
        """Ask for others if it is time; answers the seconds until the next look. Never raises."""
        with self._asking:
            now = self._clock()
            if self._held is not None and not self._held.is_due(now):
                return min(_LOOK_SECONDS, max(1.0, (self._held.issued + self._held.expires) / 2 - now))
            try:
                self._renew()
            except NoCredentials as refusal:
                return _DENIED_SECONDS if refusal.status == _FORBIDDEN else _AGAIN_SECONDS
            except Exception as error:  # noqa: BLE001  (whatever it is: nobody else looks, and what is held would run out)
                self._tell(f"cannot ask for credentials: {type(error).__name__}")
                return _LOOK_SECONDS
            return _LOOK_SECONDS

    def _renew(self) -> Credentials:
        try:
            found = self._ask()
        except NoCredentials as refusal:
            if self._refused is None or self._refused[1].sentence != refusal.sentence:
                self._tell(refusal.sentence)
            self._refused = (self._clock(), refusal)
            raise
        self._held, self._refused = found, None
        self._tell(f"got credentials for {(found.expires - found.issued) / 3600:.1f} hours")
        try:
            self._keep(found)
        except OSError as error:
            self._tell(f"cannot keep the credentials for the next start: {error}")
        return found
