"""Where the master key comes from: a file, a variable, or a KMS that unwraps what lies beside the data.

- A file (the default, `<data-dir>/master.key`): lines of 32 bytes in base64, the current key first, then older ones;
  `#` begins a remark. Made at the first `up`, 0600. A link, or a file that others can read, is refused.
- `TRADEWIND_MASTER_KEY`: the same keys, with commas between them. It is taken out of this process's environment, so
  that nothing that is started inherits it.
- A KMS (`TRADEWIND_MASTER_KEY_KMS`): data keys of that KMS key, wrapped, in `<data-dir>/master.key.kms` (0600).

With a variable or a KMS, keys of `<data-dir>/master.key` are known as older ones: so one moves away from the file.
"""

import base64
import contextlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewind.domain.errors import CannotStart, TradewindError
from tradewind.settings import MASTER_KEY_VARIABLE, KmsSettings, Settings
from tradewind.store.keyring import KeySource
from tradewind.store.sealing import MasterKey, Sealing

_CONTEXT = {"tradewind": "master-key"}  # a KMS opens a wrapped key for this purpose only
# A start waits for the answer, and so does RotateMasterKey: boto3's own patience is five minutes.
_KMS_PATIENCE = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 3, "mode": "standard"}}


def open_sealing(settings: Settings) -> tuple[Sealing, KeySource]:
    """The keys of a data directory, and where they come from. Raises CannotStart. Nothing is written."""
    path = settings.master_key_file or settings.layout.data / "master.key"
    if settings.master_key is None and settings.kms is None:
        found = _read_file(path)
        keys = found or (MasterKey.draw(),)
        return Sealing(*keys), KeyFile(path, keys)
    older = _read_file(settings.layout.data / "master.key")
    if settings.master_key is not None:
        keys = _keys(settings.master_key.split(","), MASTER_KEY_VARIABLE)
        return Sealing(*_distinct(*keys, *older)), KeyVariable()
    assert settings.kms is not None  # noqa: S101  (for the type checker: one of the two is there)
    source = KeyManagementService(settings.kms, settings.layout.data / "master.key.kms")
    kept = source.unwrap()
    return Sealing(*_distinct(*kept, *older)), source


# -- a file ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyFile:
    """A file. `keys`: what it held, or what was drawn for it."""

    path: Path
    keys: tuple[MasterKey, ...]

    @property
    def words(self) -> str:
        """For people."""
        return f"the file {self.path}"

    def keep(self) -> None:
        """Write the first key."""
        if not self.path.exists():
            self._write(self.keys)

    def renew(self, *older: MasterKey) -> MasterKey:
        """A new key, first in the file."""
        current = MasterKey.draw()
        self._write((current, *older))
        return current

    def narrow(self, current: MasterKey) -> bool:
        """Keep one key only."""
        self._write((current,))
        return True

    def _write(self, keys: Sequence[MasterKey]) -> None:
        remark = "# Tradewind's master keys: the current one, then older ones. Whoever has them reads every secret."
        lines = (remark, *(base64.b64encode(key.key).decode() for key in keys))
        _write_whole(self.path, "\n".join(lines) + "\n")


def _read_file(path: Path) -> tuple[MasterKey, ...]:
    text = _read_private(path)
    if text is None:
        return ()
    return _keys([line for line in text.splitlines() if not line.startswith("#")], str(path))


# -- a variable --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyVariable:
    """The environment of the process. What it holds is the operator's to change."""

    words: str = f"the variable {MASTER_KEY_VARIABLE}"

    def keep(self) -> None:
        """Nothing to keep."""

    def renew(self, *_older: MasterKey) -> MasterKey:
        """Refused."""
        raise TradewindError(
            f"cannot make a new master key: it comes from {MASTER_KEY_VARIABLE}; put a new one before it, with a comma,"
            " and start the service anew: everything is sealed anew then"
        )

    def narrow(self, _current: MasterKey) -> bool:
        """Nothing to leave out."""
        return False


# -- a KMS ---------------------------------------------------------------------------------------------------------


class KeyManagementService:
    """A KMS (AWS's, or one that speaks its API). The plain keys are in this process's memory only."""

    def __init__(self, settings: KmsSettings, path: Path) -> None:
        self._settings = settings
        self._path = path
        self._wrapped: dict[str, str] = {}  # by the id of the key, the current one first
        self._is_kept = True

    @property
    def words(self) -> str:
        """For people."""
        return f"{self._path}, which KMS key {self._settings.key} unwraps"

    def unwrap(self) -> tuple[MasterKey, ...]:
        """What is kept, or a first key. Raises CannotStart."""
        kept = self._read()
        if not kept:
            self._is_kept = False
            return (self._generate(),)
        keys = []
        for wrapped in kept:
            plain = self._ask("decrypt", CiphertextBlob=base64.b64decode(wrapped))["Plaintext"]
            keys.append(_key(plain, str(self._path)))
            self._wrapped[keys[-1].id] = wrapped
        return tuple(keys)

    def keep(self) -> None:
        """Write the first key, wrapped."""
        if not self._is_kept:
            self._write(list(self._wrapped))
            self._is_kept = True

    def renew(self, *older: MasterKey) -> MasterKey:
        """Another data key of the same KMS key."""
        current = self._generate()
        self._write([current.id, *(key.id for key in older if key.id in self._wrapped)])
        return current

    def narrow(self, current: MasterKey) -> bool:
        """Keep one key only."""
        self._write([current.id])
        return True

    def _generate(self) -> MasterKey:
        made = self._ask("generate_data_key", KeyId=self._settings.key, KeySpec="AES_256")
        key = _key(made["Plaintext"], "the KMS's answer")
        self._wrapped = {key.id: base64.b64encode(made["CiphertextBlob"]).decode(), **self._wrapped}
        return key

    def _ask(self, operation: str, **members: Any) -> Any:
        import boto3  # noqa: PLC0415  (slow to import, and most people use a file)

        settings = self._settings
        try:
            client = boto3.client(
                "kms",
                config=boto3.session.Config(**_KMS_PATIENCE),
                endpoint_url=settings.endpoint_url,
                region_name=settings.region,
                aws_access_key_id=settings.access_key_id,
                aws_secret_access_key=settings.secret_access_key,
            )
            return getattr(client, operation)(EncryptionContext=_CONTEXT, **members)
        except Exception as error:  # botocore's have no class in common; each says what it was
            at = f" at {settings.endpoint_url}" if settings.endpoint_url else ""
            raise CannotStart(f"cannot get the master key from KMS key {settings.key}{at}: {error}") from error

    def _read(self) -> list[str]:
        text = _read_private(self._path)
        if text is None:
            return []
        try:
            kept = [str(each["wrapped"]) for each in json.loads(text)["keys"]]
            for wrapped in kept:
                base64.b64decode(wrapped, validate=True)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CannotStart(f"cannot use {self._path}: it holds no wrapped keys") from error
        if not kept:  # a new one would take the place of one that was lost
            raise CannotStart(f"cannot use {self._path}: it holds no wrapped keys")
        return kept

    def _write(self, ids: Sequence[str]) -> None:
        document = {"keys": [{"id": id_, "wrapped": self._wrapped[id_]} for id_ in ids]}
        _write_whole(self._path, json.dumps(document, indent=1))


# -- reading and writing ---------------------------------------------------------------------------------------------


def _keys(texts: Sequence[str], place: str) -> tuple[MasterKey, ...]:
    keys = []
    for text in texts:
        try:
            keys.append(_key(base64.b64decode(text.strip(), validate=True), place))
        except ValueError:
            raise CannotStart(f"cannot use the master key of {place}: it must be 32 bytes in base64") from None
    if not keys:
        raise CannotStart(f"cannot use {place}: it holds no master key")
    return _distinct(*keys)


def _key(plain: bytes, place: str) -> MasterKey:
    try:
        return MasterKey(plain)
    except ValueError:
        raise CannotStart(f"cannot use the master key of {place}: it must be 32 bytes in base64") from None


def _distinct(*keys: MasterKey) -> tuple[MasterKey, ...]:
    return tuple(dict.fromkeys(keys))


def _read_private(path: Path) -> str | None:
    """A file of ours that nobody else can read; None where there is none. Raises CannotStart."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else error.strerror
        raise CannotStart(f"cannot use the master key {path}: {reason}") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise CannotStart(f"cannot use the master key {path}: it is not a file")
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise CannotStart(f"cannot use the master key {path}: others can read it; it must be ours alone, mode 0600")
        return file.read().decode("latin-1")


def _write_whole(path: Path, text: str) -> None:
    """All of it or nothing, whatever happens meanwhile; on the disk when this returns. Raises TradewindError."""
    scratch = path.with_name(path.name + ".new")
    try:
        with contextlib.suppress(FileNotFoundError):
            scratch.unlink()
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise TradewindError(f"cannot keep the master key in {path}: {error.strerror}") from error
