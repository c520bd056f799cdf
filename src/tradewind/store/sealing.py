"""Sealing: what is secret in the control plane's tables is stored encrypted with a master key, and never otherwise.

AES-256-GCM, a random nonce of 96 bits for each value. What is stored is one line of text:

    tw1.<id of the key>.<base64url of nonce, ciphertext and tag, unpadded>

A key's id follows from the key (nobody can go back from it), so that several keys may be known: one is current and
seals, older ones open what they sealed until it is sealed anew (`tradewind keys rotate`). The place of a value
(`environments/x7…`) is authenticated with it: a value copied to another row does not open there.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tradewind.domain.errors import TradewindError

KEY_BYTES = 32
_FORMAT = "tw1"
_PARTS = 3
_NONCE_BYTES = 12


class Unsealable(TradewindError):
    """A sealed value cannot be opened: its key is not known, or it was changed or moved. Names place and key only."""


@dataclass(frozen=True)
class MasterKey:
    """32 random bytes, and the id that sealed values name them by."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"cannot use a master key of {len(self.key)} bytes: it must have {KEY_BYTES}")

    @property
    def id(self) -> str:
        """16 hexadecimal digits."""
        return hashlib.sha256(b"tradewind master key id\0" + self.key).hexdigest()[:16]

    @classmethod
    def draw(cls) -> "MasterKey":
        """A new one."""
        return cls(os.urandom(KEY_BYTES))


class Sealing:
    """Seals with the current key, opens with any that is known. Threads may share it, also while keys are replaced."""

    def __init__(self, current: MasterKey, *older: MasterKey) -> None:
        self._keys = (current, *older)

    @property
    def keys(self) -> tuple[MasterKey, ...]:
        """The current key, then older ones."""
        return self._keys

    def use(self, current: MasterKey, *older: MasterKey) -> None:
        """Go on with these keys: whoever holds this object seals with the new one from now on."""
        self._keys = (current, *older)

    def seal(self, plain: bytes, place: str) -> str:
        """Encrypt for a place; no two results are equal."""
        key, nonce = self._keys[0], os.urandom(_NONCE_BYTES)
        box = nonce + AESGCM(key.key).encrypt(nonce, plain, _bound(key.id, place))
        return f"{_FORMAT}.{key.id}.{base64.urlsafe_b64encode(box).rstrip(b'=').decode()}"

    def open(self, sealed: str, place: str) -> bytes:
        """Decrypt what was sealed for that place. Raises Unsealable."""
        id_, box = _read(sealed, place)
        key = next((key for key in self._keys if key.id == id_), None)
        if key is None:
            raise Unsealable(f"cannot open {place}: it is sealed with master key {id_}, which is not known here")
        try:
            return AESGCM(key.key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], _bound(id_, place))
        except (InvalidTag, ValueError):
            # without its cause: nothing of the value may reach a log
            raise Unsealable(f"cannot open {place}: the value sealed with master key {id_} is not whole") from None

    def is_current(self, sealed: str) -> bool:
        """Whether the current key has sealed it."""
        return key_id(sealed) == self._keys[0].id


def key_id(sealed: str) -> str | None:
    """The id of the key that sealed a value; None for what is no sealed value."""
    parts = sealed.split(".")
    return parts[1] if len(parts) == _PARTS and parts[0] == _FORMAT else None


def _bound(id_: str, place: str) -> bytes:
    return f"{_FORMAT}\0{id_}\0{place}".encode()


def _read(sealed: str, place: str) -> tuple[str, bytes]:
    id_ = key_id(sealed)
    if id_ is None:
        raise Unsealable(f"cannot open {place}: it is not sealed")
    text = sealed.rpartition(".")[2]
    try:
        return id_, base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Unsealable(f"cannot open {place}: the value sealed with master key {id_} is not whole") from None
