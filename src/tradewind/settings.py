"""What a person may set about the service: flags of `up`, `TRADEWIND_*` variables, `<data-dir>/settings.toml`.

Flags win over variables, variables over the file. Everything has a default that works on a laptop.

| variable | key in the file | meaning |
| --- | --- | --- |
| TRADEWIND_DATA_DIR | | where everything lies |
| TRADEWIND_REGION | region | region in ARNs, signatures and hosts |
| TRADEWIND_DOMAIN | domain | hosts of environments are `<id>.<region>.<domain>` where that resolves |
| TRADEWIND_DATABASE_URL | database_url | an external PostgreSQL: postgresql://superuser:password@host:port |
| TRADEWIND_CACHE_DIR | cache_dir | the package installer's cache |
| TRADEWIND_S3_ENDPOINT_URL, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY, _REGION | s3_… | buckets that are no directories here |
"""

import hashlib
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.bundles.endpoints import S3Settings
from tradewind.domain.errors import CannotStart
from tradewind.domain.layout import Layout

DEFAULT_REGION = "us-east-1"
DEFAULT_DOMAIN = "airflow.localhost"
DEFAULT_PORT = 8443
_KEYS = frozenset(
    {
        "region", "domain", "database_url", "cache_dir",
        "s3_endpoint_url", "s3_access_key_id", "s3_secret_access_key", "s3_region",
    }
)  # fmt: skip
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"  # both end up in host names
_FORMS = {"region": re.compile(_LABEL), "domain": re.compile(rf"{_LABEL}(?:\.{_LABEL})*")}
_LONGEST_RUN = 60  # a socket's path may hold 107 bytes; file names below `run` need the rest


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
    cache = given.get("cache_dir") or ("/var/cache/tradewind" if os.geteuid() == 0 else None)
    return Settings(
        data_dir=folder,
        port=port,
        region=given.get("region", DEFAULT_REGION),
        domain=given.get("domain", DEFAULT_DOMAIN),
        database_url=given.get("database_url"),
        cache_dir=Path(cache) if cache else None,
        s3=_s3(given),
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
        if not isinstance(value, str):
            raise CannotStart(f"cannot use {path}: {key} must be a string")
    return document


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
