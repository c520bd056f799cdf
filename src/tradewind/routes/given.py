"""A certificate and its key that somebody gave: read, checked, copied, and looked at again when they change.

What is wrong is said at `up`, in a sentence that names the file: unreadable, not PEM, a key of another certificate,
over or not begun, names that it does not cover. Later a renewal writes the two files one after the other, so a pair
that is no good is only reported and the one in force stays; nothing that Caddy reads is ever half written, for it is
given copies below the door's own folder (0600), named by their content.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from tradewind.domain.errors import CannotStart
from tradewind.domain.whole_files import replace_whole
from tradewind.routes.tls import Files, is_address

PREFIX = "given-"


@dataclass(frozen=True)
class Pair:
    """PEM texts: the leaf certificate with its chain, and the leaf's private key."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Of both, in 16 hexadecimal digits."""
        return hashlib.sha256(self.certificate + b"\0" + self.key).hexdigest()[:16]


@dataclass(frozen=True)
class Source:
    """Where the files are, and the names that the certificate must cover (`*.x` stands for any one label)."""

    certificate: Path
    key: Path
    names: tuple[str, ...]

    def read(self) -> Pair:
        """Both files. Raises CannotStart."""
        return Pair(_read(self.certificate, "certificate"), _read(self.key, "key"))

    def check(self, pair: Pair, now: datetime) -> None:
        """Pure. Raises CannotStart with what is wrong with a pair."""
        leaf = self._leaf(pair)
        try:
            certified = leaf.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise CannotStart(f"{self._refusal}: its key is of a kind that cannot be used") from error
        if _public(self._key(pair).public_key()) != _public(certified):
            raise CannotStart(
                f"cannot use the key {self.key}: it does not belong to the certificate {self.certificate}"
            )
        if now >= leaf.not_valid_after_utc:
            raise CannotStart(f"{self._refusal}: it ended on {leaf.not_valid_after_utc:%Y-%m-%d}")
        if now < leaf.not_valid_before_utc:
            raise CannotStart(f"{self._refusal}: it begins on {leaf.not_valid_before_utc:%Y-%m-%d}")
        covered = _names(leaf)
        if missing := [name for name in self.names if not covers(covered, name)]:
            known = ", ".join(covered) or "no name"
            raise CannotStart(f"{self._refusal}: it does not cover {', '.join(missing)} (it covers {known})")

    @property
    def _refusal(self) -> str:
        return f"cannot use the certificate {self.certificate}"

    def _leaf(self, pair: Pair) -> x509.Certificate:
        try:
            leaf, *_ = x509.load_pem_x509_certificates(pair.certificate)
        except ValueError as error:
            raise CannotStart(f"{self._refusal}: it is not a certificate in PEM") from error
        return leaf

    def _key(self, pair: Pair) -> PrivateKeyTypes:
        try:
            return serialization.load_pem_private_key(pair.key, None)
        except TypeError as error:
            raise CannotStart(f"cannot use the key {self.key}: it is encrypted") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise CannotStart(f"cannot use the key {self.key}: it is not a private key in PEM") from error


@dataclass
class Given:
    """One source, the folder of its copies, and what was seen of it last."""

    source: Source
    folder: Path
    now: Callable[[], datetime]
    roots: Path | None = None
    _seen: object = None
    _refused: str = ""

    def take(self) -> Files:
        """The pair, checked and copied. Raises CannotStart with what is wrong."""
        seen = self._look()
        pair = self.source.read()
        self.source.check(pair, self.now())
        self._seen = seen
        return self._copy(pair)

    def renewed(self, report: Callable[[str], None]) -> Files | None:
        """A new pair, if the files have changed and are good. What is wrong is reported once."""
        if self._look() == self._seen:
            return None
        try:
            files = self.take()
        except CannotStart as error:
            if error.sentence != self._refused:
                self._refused = error.sentence
                report(error.sentence)
            return None
        self._refused = ""
        return files

    def _look(self) -> object:
        found: list[tuple[int, int, int] | None] = []
        for path in (self.source.certificate, self.source.key):
            try:
                there = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((there.st_ino, there.st_size, there.st_mtime_ns))
        return tuple(found)

    def _copy(self, pair: Pair) -> Files:
        certificate, key = (self.folder / f"{PREFIX}{pair.digest}.{end}" for end in ("crt", "key"))
        keep(certificate, pair.certificate)
        keep(key, pair.key)
        return Files(certificate, key, self.roots)


def take_roots(path: Path, folder: Path) -> Path:
    """A copy of somebody's root certificates, named by its content. Raises CannotStart."""
    text = _read(path, "root certificates")
    try:
        x509.load_pem_x509_certificates(text)
    except ValueError as error:
        raise CannotStart(f"cannot use the root certificates {path}: they are not certificates in PEM") from error
    copy = folder / f"{PREFIX}roots-{hashlib.sha256(text).hexdigest()[:16]}.crt"
    keep(copy, text)
    return copy


def keep(path: Path, content: bytes) -> None:
    """Write a copy whole, 0600, below a folder that is 0700. Raises CannotStart."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return
        replace_whole(path, content)
    except OSError as error:
        raise CannotStart(f"cannot keep a copy of the certificate: {path}: {error.strerror}") from error


def covers(covered: Sequence[str], name: str) -> bool:
    """Whether a certificate's names cover a host (RFC 6125: a wildcard is the whole first label, and one label)."""
    wanted = name.lower()
    if wanted in covered:
        return True
    return not is_address(wanted) and f"*.{wanted.partition('.')[2]}" in covered


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [
        *(name.lower() for name in found.get_values_for_type(x509.DNSName)),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    ]


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"cannot read the {what} {path}: {error.strerror}") from error
