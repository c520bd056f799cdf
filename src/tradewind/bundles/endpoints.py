"""Where an S3 endpoint is: plain settings, apart from the client because boto3 takes long to import."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class S3Settings:
    """Where S3 is and by which rights. Without `endpoint_url` it is AWS's own endpoint of the region."""

    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    endpoint_url: str | None = None
    ca_bundle: Path | None = None
