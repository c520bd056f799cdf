"""Buckets of an S3 endpoint given in the settings: AWS, or anything that speaks its protocol.

Keys, region and certificate authority come from the settings only, never from this process's environment or
`~/.aws`: the service must not reach a bucket by rights that nobody gave it. An object appears whole, so none has
to settle; `fetch` asks for the very ETag that was listed. A folder that is uploaded file by file can be seen half:
S3 has no way to tell.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from tradewind.bundles.buckets import (
    COUNT_LIMIT,
    READ_LIMIT,
    Listing,
    Object,
    Sink,
    no_bucket,
    no_key,
    no_version,
    too_large,
    too_many,
)
from tradewind.bundles.endpoints import S3Settings
from tradewind.bundles.keys import folder, normalise
from tradewind.domain.errors import CannotProvide

_CHUNK = 1 << 20
_CONFIGURATION = {
    "connect_timeout": 3,
    "read_timeout": 15,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
    "s3": {"addressing_style": "path"},  # other makers' endpoints seldom have a host name for each bucket
    "request_checksum_calculation": "when_required",  # and seldom know the newer checksums
    "response_checksum_validation": "when_required",
}
_ABSENT_BUCKET = frozenset({"NoSuchBucket"})
_ABSENT_KEY = frozenset({"NoSuchKey", "404", "NotFound"})
# a version's id that no version can have is an invalid argument; a version that marks a deletion cannot be read
_ABSENT_VERSION = frozenset({"NoSuchVersion", "InvalidArgument", "MethodNotAllowed", "405"})
_CHANGED = frozenset({"PreconditionFailed", "412"})
_DENIED = frozenset(
    {"AccessDenied", "403", "401", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
     "InvalidToken", "AllAccessDisabled", "AccountProblem"}
)  # fmt: skip


@dataclass(frozen=True)
class S3Buckets:
    """All buckets of one endpoint. The client is made once: it costs a tenth of a second and is thread-safe."""

    settings: S3Settings

    @cached_property
    def client(self) -> Any:
        """boto3's client, which is the only thing here that has a connection."""
        session = boto3.session.Session(
            aws_access_key_id=self.settings.access_key_id,
            aws_secret_access_key=self.settings.secret_access_key,
            region_name=self.settings.region,
        )
        return session.client(
            "s3",
            endpoint_url=self.settings.endpoint_url,
            verify=str(self.settings.ca_bundle) if self.settings.ca_bundle else None,
            config=botocore.config.Config(**_CONFIGURATION),
        )

    def bucket(self, name: str) -> "S3Bucket":
        """The bucket of that name, which need not exist."""
        return S3Bucket(name, self.settings.endpoint_url or f"S3 in {self.settings.region}", self.client)


@dataclass(frozen=True)
class S3Bucket:
    """One bucket of an S3 endpoint."""

    name: str
    endpoint: str
    client: Any = field(repr=False, compare=False)
    settle_seconds: float = 0.0
    poll_seconds: float = 5.0

    def describe(self) -> str:
        """Names the endpoint, which is what is wrong as often as the bucket."""
        return f"the bucket {self.name} ({self.endpoint})"

    def exists(self) -> bool:
        """Ask for the bucket's head: that shows its absence without the right to list it."""
        with self._explained("open"):
            try:
                self.client.head_bucket(Bucket=self.name)
            except botocore.exceptions.ClientError as error:
                if _code(error) in _ABSENT_KEY | _ABSENT_BUCKET:  # a HEAD has no body, only 404
                    return False
                raise
        return True

    def list(self, prefix: str) -> Listing:
        """All pages of ListObjectsV2, 1,000 keys each."""
        key = normalise(prefix)
        found: list[Object] = []
        with self._explained("list"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=folder(key)):
                found.extend(_object(entry) for entry in page.get("Contents", ()))
                if len(found) > COUNT_LIMIT:
                    raise too_many(self.describe(), key)
        return Listing(tuple(found))

    def copy(self, key: str, into: Sink, *, version: str | None = None, limit: int = READ_LIMIT) -> None:
        """One object, whole."""
        wanted = normalise(key)
        which = {} if version is None else {"VersionId": version}
        with self._explained("read", wanted, version):
            answer = self.client.get_object(Bucket=self.name, Key=wanted, **which)
            with contextlib.closing(answer["Body"]) as body:
                if answer["ContentLength"] > limit:
                    raise too_large(self.describe(), wanted, limit)
                for chunk in body.iter_chunks(_CHUNK):
                    into.write(chunk)

    def fetch(self, found: Object, into: Sink) -> bool:
        """Download an object if it still has the ETag that was listed."""
        with self._explained("read", found.key):
            try:
                answer = self.client.get_object(Bucket=self.name, Key=found.key, IfMatch=found.tag)
            except botocore.exceptions.ClientError as error:
                if _code(error) in _CHANGED | _ABSENT_KEY:
                    return False
                raise
            with contextlib.closing(answer["Body"]) as body:
                for chunk in body.iter_chunks(_CHUNK):
                    into.write(chunk)
        return bool(answer.get("ETag") == found.tag)

    @contextlib.contextmanager
    def _explained(self, verb: str, key: str = "", version: str | None = None) -> Iterator[None]:
        """Turn botocore's errors into sentences that name bucket and key."""
        what = f"{key!r} in {self.describe()}" if key else self.describe()
        try:
            yield
        except botocore.exceptions.ClientError as error:
            code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if code in _ABSENT_BUCKET:
                raise no_bucket(self.describe()) from error
            if version is not None and code in _ABSENT_VERSION | _ABSENT_KEY:
                raise no_version(self.describe(), key, version) from error
            if key and code in _ABSENT_KEY:
                raise no_key(self.describe(), key) from error
            if code in _DENIED or status in {401, 403}:
                raise CannotProvide(f"cannot {verb} {what}: access is denied ({code})", "ACCESS_DENIED") from error
            words = error.response.get("Error", {}).get("Message") or code
            raise CannotProvide(f"cannot {verb} {what}: {words} ({code})", "BUCKET_FAILED") from error
        except botocore.exceptions.ParamValidationError as error:
            raise CannotProvide(f"cannot {verb} {what}: no bucket can have this name", "INVALID_BUCKET") from error
        except botocore.exceptions.SSLError as error:
            raise CannotProvide(
                f"cannot {verb} {what}: its certificate is not trusted; give its authority as the CA bundle",
                "BUCKET_UNREACHABLE",
            ) from error
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise CannotProvide(
                f"cannot {verb} {what}: the endpoint does not answer", "BUCKET_UNREACHABLE", (str(error),)
            ) from error


def _code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _object(entry: Any) -> Object:
    modified = int(entry["LastModified"].timestamp()) * 1_000_000_000  # S3 tells whole seconds
    return Object(entry["Key"], entry["Size"], entry["ETag"], modified, modified)
