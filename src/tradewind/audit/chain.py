"""The chain over records: each hash covers the record and all before it, and the head is sealed with a key.

    hash(n) = SHA-256(hash(n-1) || n as 8 bytes, big-endian || canonical text of record n),    n = 1, 2, ...
    hash(0) = SHA-256("tradewind audit 1", a line feed, account number)

A record that was changed, taken out, put in or moved breaks the chain at its place. Cutting off the end does not,
so the head (count and hash of the last record) is kept beside, with an HMAC by a key that is not in the
log: whoever can write the tables but does not have the key can neither cut the end nor write a chain of his own.
Putting back an older state of all tables at once shows only against a head that was noted elsewhere (`noted`).
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

_GENESIS = b"tradewind audit 1\n"
_HEAD = b"tradewind audit head 1\n"


@dataclass(frozen=True)
class Entry:
    """One record as it is kept."""

    sequence: int
    text: str
    hash: bytes


@dataclass(frozen=True)
class Head:
    """How many records there are and the hash of the last one; `seal` is the HMAC over both."""

    count: int
    hash: bytes
    seal: bytes = b""


@dataclass(frozen=True)
class Intact:
    """Every record is as it was written, and none is missing."""

    count: int
    hash: bytes

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Broken:
    """The first place where the log is not what was written. Sequence 0: the head."""

    sequence: int
    reason: str

    def __bool__(self) -> bool:
        return False


def genesis(account: str) -> bytes:
    """What the first record is chained to: logs of two accounts cannot be swapped."""
    return hashlib.sha256(_GENESIS + account.encode()).digest()


def link(previous: bytes, sequence: int, text: str) -> bytes:
    """The hash of one record."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + text.encode()).digest()


def head_key(token_key: bytes) -> bytes:
    """The key of the head's seal, from the account's token key: a key of its own for each use."""
    return hmac.digest(token_key, _HEAD, "sha256")


def seal_head(count: int, hash_: bytes, account: str, key: bytes) -> Head:
    """The head with its seal."""
    return Head(count, hash_, hmac.digest(key, _HEAD + f"{account}\n{count}\n".encode() + hash_, "sha256"))


def verify(  # noqa: PLR0911  (one line a finding reads best)
    entries: Iterable[Entry], head: Head | None, account: str, key: bytes, noted: Head | None = None
) -> Intact | Broken:
    """Walk the whole log, in the order of its sequence numbers. `noted` is a head that was kept elsewhere."""
    if head is None:
        return Broken(0, "the head of the log is missing")
    if not hmac.compare_digest(seal_head(head.count, head.hash, account, key).seal, head.seal):
        return Broken(0, "the head of the log was not sealed with the account's key: it was altered")
    previous, count = genesis(account), 0
    if noted is not None and noted.count == 0 and noted.hash != previous:
        return Broken(0, "the noted log is another account's")
    for entry in entries:
        expected = count + 1
        if entry.sequence != expected:
            return Broken(expected, _misplaced(expected, entry.sequence))
        if not hmac.compare_digest(link(previous, expected, entry.text), entry.hash):
            return Broken(expected, f"record {expected} or its hash was altered")
        if expected > head.count:
            return Broken(expected, f"record {expected} was put behind the head of the log")
        previous, count = entry.hash, expected
        if noted is not None and noted.count == count and noted.hash != previous:
            return Broken(count, f"record {count} is not the one that was noted: the log was written anew")
    return _ended(previous, count, head, noted)


def _ended(previous: bytes, count: int, head: Head, noted: Head | None) -> Intact | Broken:
    if count < head.count:
        missing = head.count - count
        return Broken(count + 1, f"the end of the log is missing: {missing} record{'' if missing == 1 else 's'}")
    if not hmac.compare_digest(previous, head.hash):
        return Broken(max(count, 1), f"record {count} is not the one that the head of the log names")
    if noted is not None and noted.count > count:
        return Broken(count + 1, f"the log ends before record {noted.count}, which was noted: it was put back")
    return Intact(count, previous)


def _misplaced(expected: int, found: int) -> str:
    if found > expected:
        return (
            f"record {expected} is missing"
            if found == expected + 1
            else f"records {expected} to {found - 1} are missing"
        )
    return f"record {found} is not in its place, or is there twice"
