"""The master keys of a running service: settled at its start, replaced while it works, shown without their secrets.

Where keys come from and are kept is a `KeySource` (a file, a variable, a KMS: `bootstrap/masterkeys.py`). Replacing is
safe against a crash at each step: the source keeps the new key beside the old ones before anything is sealed with it,
all rows are sealed anew in one transaction, and an old key is only left out when a later start finds that nothing
uses it. A start after a crash ends what was begun.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import psycopg
import sqlalchemy as sa
import structlog

from tradewind.domain.errors import CannotStart, TradewindError
from tradewind.store.sealed import in_use, seal_anew, unmarked
from tradewind.store.sealing import MasterKey, Sealing, Unsealable

_TRIES = 3
_log = structlog.get_logger(__name__)


class KeySource(Protocol):
    """Where master keys come from. Raises TradewindError for what cannot be read or kept."""

    @property
    def words(self) -> str:
        """For people: `the file …`."""

    def keep(self) -> None:
        """Keep a first key that was drawn when there was none; a key that is kept stays as it is."""

    def renew(self, *older: MasterKey) -> MasterKey:
        """A new current key, kept together with those older ones."""

    def narrow(self, current: MasterKey) -> bool:
        """Keep the current key only. False where that is not ours to do."""


@dataclass(frozen=True)
class KeyUse:
    """One key: its id, and how many values it has sealed. Not `is_known`: nobody has it any more."""

    id: str
    is_current: bool
    is_known: bool
    values: int


@dataclass(frozen=True)
class Keyring:
    """Engine, sealing and source, kept in step."""

    engine: sa.Engine
    sealing: Sealing
    source: KeySource
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def settle(self) -> None:
        """At a start, before anybody works: seal what is plain or of an older key. Raises CannotStart."""
        used = in_use(self.engine)
        known = {key.id for key in self.sealing.keys}
        missing = sorted(id_ for id_ in used if id_ is not None and id_ not in known)
        if missing:
            raise CannotStart(
                f"cannot open what is stored: {sum(used[id_] for id_ in missing)} secrets are sealed with master key"
                f" {', '.join(missing)}, which {self.source.words} does not hold: give that key back"
            )
        self.source.keep()
        try:
            changed = seal_anew(self.engine, self.sealing)
        except Unsealable as error:
            raise CannotStart(error.sentence) from error
        current, *older = self.sealing.keys
        if changed:
            _log.info("keys", action="sealed", values=changed, key=current.id)
        for column, ids in unmarked(self.engine).items() if older else ():
            if ids - {current.id}:
                _log.error("keys", action="kept", column=column, keys=sorted(ids), reason="the column is not marked")
                return
        if older:
            self._leave_out(current, older)

    def _leave_out(self, current: MasterKey, older: Sequence[MasterKey]) -> None:
        """Nothing needs the older ones; where they cannot be taken out (a file that is mounted) they may stay."""
        try:
            is_left_out = self.source.narrow(current)
        except TradewindError as error:
            _log.warning("keys", action="kept", keys=[key.id for key in older], reason=error.sentence)
            return
        if is_left_out:
            self.sealing.use(current)
            _log.info("keys", action="left_out", keys=[key.id for key in older])

    def rotate(self) -> int:
        """A new master key, and everything sealed anew with it; answers how many values. Raises TradewindError."""
        with self._turn:
            older = self.sealing.keys  # all of them: only a start may leave one out
            current = self.source.renew(*older)
            self.sealing.use(current, *older)
            changed = self._seal_anew()
            _log.info("keys", action="rotated", values=changed, key=current.id, before=older[0].id)
            return changed

    def _seal_anew(self) -> int:
        """Again where PostgreSQL ended it for somebody else who writes: all of it is one transaction."""
        for _ in range(_TRIES - 1):
            try:
                return seal_anew(self.engine, self.sealing)
            except sa.exc.OperationalError as error:
                if not isinstance(error.orig, psycopg.errors.DeadlockDetected):
                    raise
        return seal_anew(self.engine, self.sealing)

    def show(self) -> tuple[KeyUse, ...]:
        """The current key, older ones that are known, and any that something is sealed with all the same."""
        used: Mapping[str | None, int] = in_use(self.engine)
        known = [key.id for key in self.sealing.keys]
        unknown = sorted(id_ for id_ in used if id_ is not None and id_ not in known)
        return tuple(
            KeyUse(id_, is_current=id_ == known[0], is_known=id_ in known, values=used.get(id_, 0))
            for id_ in (*known, *unknown)
        )
