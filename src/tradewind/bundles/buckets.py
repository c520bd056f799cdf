"""The port that every kind of bucket fulfils: a directory of this machine, S3, later others.

Keys are relative and `/`-separated. A `tag` changes whenever the object may have changed: an ETag, or for a
file its identity (device, inode, size, times). Listing an unchanged bucket must be cheap: the control plane does
so every second or so for each environment. Nothing here retries: the next poll is the retry.
"""

import io
from dataclasses import dataclass
from typing import Protocol

from tradewind.domain.errors import CannotProvide

READ_LIMIT = 10_000_000  # bytes of one object that is read whole, such as requirements.txt
OBJECT_LIMIT = 256 * 1024 * 1024  # bytes of one file in a snapshot
COUNT_LIMIT = 50_000  # objects below one prefix


@dataclass(frozen=True, slots=True)
class Object:
    """One object as listed. `modified_ns` and `changed_ns` are nanoseconds since 1970 by the bucket's clock.

    `changed_ns` cannot be set by whoever copies a file (ctime); where a bucket has no such time it is `modified_ns`.
    """

    key: str
    size: int
    tag: str
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects in no particular order, and sentences about what is there but cannot be taken."""

    objects: tuple[Object, ...] = ()
    problems: tuple[str, ...] = ()


class Sink(Protocol):
    """Where an object's bytes go."""

    def write(self, chunk: bytes, /) -> int:
        """Take all of it."""
        ...


def read(bucket: "Bucket", key: str, *, version: str | None = None, limit: int = READ_LIMIT) -> bytes:
    """One object, whole, in memory. Raises as `Bucket.copy`."""
    content = io.BytesIO()
    bucket.copy(key, content, version=version, limit=limit)
    return content.getvalue()


class Bucket(Protocol):
    """One bucket. Every method raises CannotProvide when the bucket is absent, closed to us or out of reach."""

    @property
    def settle_seconds(self) -> float:
        """How long an object must have been still to count as whole: 0 where objects appear whole (S3)."""
        ...

    @property
    def poll_seconds(self) -> float:
        """How often it may be listed to be followed: a folder costs stats, an endpoint requests."""
        ...

    def describe(self) -> str:
        """Names the bucket in a sentence: "the bucket X (…)"."""
        ...

    def exists(self) -> bool:
        """Whether the bucket is there. A bucket that may not be looked into raises."""
        ...

    def list(self, prefix: str) -> Listing:
        """Objects below a prefix as MWAA's users write it; none when there is nothing below it."""
        ...

    def copy(self, key: str, into: Sink, *, version: str | None = None, limit: int = READ_LIMIT) -> None:
        """Write one object, or one version of it, whole.

        Raises CannotProvide when it is absent, has no such version or more than `limit` bytes; what was written until
        then is of no use. A version is S3's; where a bucket keeps none, it is the SHA-256 of the content in hex, and
        only the content that is there can be had.
        """
        ...

    def fetch(self, found: Object, into: Sink) -> bool:
        """Write exactly the object that was listed. False when it is no longer that one, or is being written."""
        ...


def no_bucket(bucket: str) -> CannotProvide:
    """There is no such bucket."""
    return CannotProvide(f"cannot find {bucket}: it does not exist", "BUCKET_NOT_FOUND")


def no_key(bucket: str, key: str) -> CannotProvide:
    """There is no such object."""
    return CannotProvide(f"cannot read {key!r} in {bucket}: there is no such key", "KEY_NOT_FOUND")


def no_version(bucket: str, key: str, version: str) -> CannotProvide:
    """There is no such version of the object."""
    return CannotProvide(
        f"cannot read version {version} of {key!r} in {bucket}: there is no such version", "KEY_NOT_FOUND"
    )


def too_large(bucket: str, key: str, limit: int) -> CannotProvide:
    """The object is larger than what it is wanted for allows."""
    return CannotProvide(f"cannot read {key!r} in {bucket}: it is larger than {limit} bytes", "OBJECT_TOO_LARGE")


def too_many(bucket: str, prefix: str) -> CannotProvide:
    """More objects than a DAG folder sensibly has."""
    where = f"{prefix!r} in {bucket}" if prefix else bucket
    return CannotProvide(f"cannot list {where}: it holds more than {COUNT_LIMIT} objects", "TOO_MANY_OBJECTS")
