"""What a person may set about the service: flags of `up`, `TRADEWIND_*` variables, `<data-dir>/settings.toml`.

Flags win over variables, variables over the file. Everything has a default that works on a laptop.

`docs/settings.md` has the table. Secrets among the variables are taken out of the surroundings of whatever is started.
"""

import hashlib
import ipaddress
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradewind.access import providers
from tradewind.bundles.endpoints import S3Settings
from tradewind.domain.errors import CannotStart
from tradewind.domain.layout import Layout

DEFAULT_REGION = "us-east-1"
DEFAULT_DOMAIN = "airflow.localhost"
DEFAULT_PORT = 8443
_KEYS = frozenset(
    {
        "region", "domain", "database_url", "cache_dir",
        "private_address", "public_address", "public_names",
        "tls", "tls_certificate", "tls_key", "tls_roots", "acme_directory", "acme_email",
        "s3_endpoint_url", "s3_access_key_id", "s3_secret_access_key", "s3_region",
        "master_key_file", "master_key_kms",
        "kms_endpoint_url", "kms_access_key_id", "kms_secret_access_key", "kms_region",
        *providers.KEYS,
    }
)  # fmt: skip
MASTER_KEY_VARIABLE = "TRADEWIND_MASTER_KEY"
# Nothing that is started inherits these.
SECRET_VARIABLES = (MASTER_KEY_VARIABLE, "TRADEWIND_KMS_SECRET_ACCESS_KEY", "TRADEWIND_OIDC_CLIENT_SECRET")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"  # both end up in host names
_FORMS = {"region": re.compile(_LABEL), "domain": re.compile(rf"{_LABEL}(?:\.{_LABEL})*")}
_TLS_KEYS: Mapping[str, frozenset[str]] = {
    "internal": frozenset(),
    "files": frozenset({"tls_certificate", "tls_key", "tls_roots"}),
    "acme": frozenset({"tls_roots", "acme_directory", "acme_email"}),
}
_LONGEST_RUN = 60  # a socket's path may hold 107 bytes; file names below `run` need the rest


@dataclass(frozen=True)
class KmsSettings:
    """A key of a KMS, and how to reach it. What is None is left to boto3."""

    key: str
    region: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class TlsSettings:
    """`kind` is internal, files or acme; the rest belongs to files, to acme, or (`roots`) to both."""

    kind: str = "internal"
    certificate: Path | None = None
    key: Path | None = None
    roots: Path | None = None
    acme_directory: str | None = None
    acme_email: str | None = None


@dataclass(frozen=True)
class Settings:
    """Complete settings. `port` is None unless somebody named one."""

    data_dir: Path
    port: int | None = None
    region: str = DEFAULT_REGION
    domain: str = DEFAULT_DOMAIN
    database_url: str | None = field(default=None, repr=False)
    cache_dir: Path | None = None
    s3: S3Settings | None = None
    master_key_file: Path | None = None
    master_key: str | None = field(default=None, repr=False)
    kms: KmsSettings | None = None
    private_address: str = "127.0.0.1"
    public_address: str | None = None
    public_names: tuple[str, ...] = ()
    tls: TlsSettings = TlsSettings()
    openid: providers.Provider | None = None

    @property
    def layout(self) -> Layout:
        """Paths below the data directory."""
        return Layout(self.data_dir, run_directory(self.data_dir))


def read(surroundings: Mapping[str, str], *, data_dir: Path | None = None, port: int | None = None) -> Settings:
    """Settings from flags, variables and the file. Raises CannotStart for a key or a value that makes no sense."""
    folder = data_dir or Path(surroundings.get("TRADEWIND_DATA_DIR") or default_data_dir(surroundings))
    folder = folder.expanduser().absolute()
    given = _file(folder / "settings.toml")
    for key in _KEYS:
        if value := surroundings.get(f"TRADEWIND_{key.upper()}"):
            given[key] = value
    for key, form in _FORMS.items():
        if key in given and not form.fullmatch(given[key]):
            raise CannotStart(f"cannot use the {key} {given[key]!r}: it may hold a to z, 0 to 9 and -")
    private, public = _addresses(given)
    cache = given.get("cache_dir") or ("/var/cache/tradewind" if os.geteuid() == 0 else None)
    return Settings(
        data_dir=folder,
        port=port,
        region=given.get("region", DEFAULT_REGION),
        domain=given.get("domain", DEFAULT_DOMAIN),
        database_url=given.get("database_url"),
        cache_dir=Path(cache) if cache else None,
        s3=_s3(given),
        **_master_key(surroundings, given),
        private_address=private,
        public_address=public,
        public_names=_public_names(given),
        tls=_tls(given, folder),
        openid=providers.read_provider(given),
    )


def default_data_dir(surroundings: Mapping[str, str]) -> Path:
    """`/var/lib/tradewind` for root (whose home other users cannot enter), else below the user's data home."""
    if os.geteuid() == 0:
        return Path("/var/lib/tradewind")
    home = surroundings.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "tradewind"


def run_directory(data_dir: Path) -> Path:
    """`run/` below the data directory, or a short folder elsewhere that the data directory's path names."""
    inside = data_dir / "run"
    if len(os.fsencode(inside)) <= _LONGEST_RUN:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tradewind-{os.geteuid()}-{digest}"


def _file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except NotADirectoryError as error:
        raise CannotStart(f"cannot use the data directory {path.parent}: it is not a directory") from error
    except OSError as error:
        raise CannotStart(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotStart(f"cannot read {path}: it is not UTF-8 text") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotStart(f"cannot read {path}: {error}") from error
    for key, value in document.items():
        if key not in _KEYS:
            raise CannotStart(f"cannot use {path}: it has no setting {key}; there are {', '.join(sorted(_KEYS))}")
        if key == providers.ROLES and isinstance(value, dict):
            document[key] = json.dumps(value)  # as in its variable
        elif not isinstance(value, str):
            raise CannotStart(f"cannot use {path}: {key} must be a string")
    return document


def _master_key(surroundings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, Any]:
    key, file, kms = surroundings.get(MASTER_KEY_VARIABLE), given.get("master_key_file"), given.get("master_key_kms")
    if sum(1 for each in (key, file, kms) if each) > 1:
        raise CannotStart(
            f"cannot choose a master key: give one of {MASTER_KEY_VARIABLE}, {MASTER_KEY_VARIABLE}_FILE and"
            f" {MASTER_KEY_VARIABLE}_KMS"
        )
    if bool(given.get("kms_access_key_id")) != bool(given.get("kms_secret_access_key")):
        raise CannotStart(
            "cannot use the KMS: TRADEWIND_KMS_ACCESS_KEY_ID and TRADEWIND_KMS_SECRET_ACCESS_KEY belong together"
        )
    return {
        "master_key_file": Path(file).expanduser().absolute() if file else None,
        "master_key": key or None,
        "kms": None
        if not kms
        else KmsSettings(
            key=kms,
            region=given.get("kms_region", given.get("region", DEFAULT_REGION)),
            endpoint_url=given.get("kms_endpoint_url"),
            access_key_id=given.get("kms_access_key_id"),
            secret_access_key=given.get("kms_secret_access_key"),
        ),
    }


def _addresses(given: Mapping[str, str]) -> tuple[str, str | None]:
    """The private and the public address; None where the public one is not another one."""
    private, public = given.get("private_address", "127.0.0.1"), given.get("public_address")
    for text in (private, public):
        try:
            parsed = ipaddress.ip_address(text) if text is not None else None
        except ValueError as error:
            raise CannotStart(f"cannot listen on {text!r}: it is not an IP address") from error
        if parsed is not None and text is private and parsed.is_unspecified and public not in {None, private}:
            raise CannotStart("cannot tell private from public: the private address stands for all of this machine's")
    return private, None if public == private else public


def _public_names(given: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in given.get("public_names", "").split(",") if name.strip())
    for name in names:
        if not _FORMS["domain"].fullmatch(name):
            raise CannotStart(f"cannot use the public name {name!r}: it may hold a to z, 0 to 9, - and dots")
    return names


def _tls(given: Mapping[str, str], folder: Path) -> TlsSettings:
    kind = given.get("tls", "internal")
    if kind not in _TLS_KEYS:
        raise CannotStart(f"cannot use tls = {kind!r}: it is internal, files or acme")
    for key in sorted(frozenset().union(*_TLS_KEYS.values()) - _TLS_KEYS[kind]):
        if key in given:
            raise CannotStart(f"cannot use {key} with tls = {kind}: it belongs to another kind")
    if kind == "files" and not (given.get("tls_certificate") and given.get("tls_key")):
        raise CannotStart("cannot use tls = files: tls_certificate and tls_key are needed")
    directory = given.get("acme_directory")
    if directory is not None and not directory.startswith("https://"):
        raise CannotStart(f"cannot use the ACME directory {directory!r}: it must be an https:// URL")
    if kind != "internal" and given.get("domain", DEFAULT_DOMAIN) == DEFAULT_DOMAIN:
        raise CannotStart(f"cannot use tls = {kind}: name the domain that its certificates are for (domain)")

    def path(key: str) -> Path | None:
        return folder / Path(given[key]).expanduser() if key in given else None

    return TlsSettings(
        kind, path("tls_certificate"), path("tls_key"), path("tls_roots"), directory, given.get("acme_email")
    )


def _s3(given: Mapping[str, str]) -> S3Settings | None:
    endpoint, key, secret = (given.get(f"s3_{name}") for name in ("endpoint_url", "access_key_id", "secret_access_key"))
    if not any((endpoint, key, secret)):
        return None
    if not key or not secret:
        raise CannotStart(
            "cannot use S3: TRADEWIND_S3_ACCESS_KEY_ID and TRADEWIND_S3_SECRET_ACCESS_KEY belong together"
        )
    return S3Settings(
        region=given.get("s3_region", given.get("region", DEFAULT_REGION)),
        access_key_id=key,
        secret_access_key=secret,
        endpoint_url=endpoint,
    )
