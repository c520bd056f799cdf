"""How an environment is told apart: a random id from which every technical name derives.

The id is a DNS label fixed at creation. Database, role, unix user, folder, broker and host derive from
it, never from the environment's name: names may hold `_`, be 80 characters long and differ only in
case, and a name that is made again must not meet the old one's cookies or files.
"""

import re
import secrets
from dataclasses import dataclass

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: ids are read aloud and typed
_PATTERN = re.compile(r"[a-z][a-z0-9]{11}")


@dataclass(frozen=True, order=True)
class EnvironmentId:
    """12 characters, a letter first: fits DNS (63), PostgreSQL (63) and unix users (32) with prefixes."""

    value: str

    def __post_init__(self) -> None:
        if not _PATTERN.fullmatch(self.value):
            raise ValueError(f"not an environment id: {self.value!r}")

    def __str__(self) -> str:
        return self.value

    @property
    def database(self) -> str:
        """Name of the metadata database."""
        return f"env_{self.value}"

    @property
    def role(self) -> str:
        """PostgreSQL role that owns the metadata database and nothing else."""
        return f"env_{self.value}"

    @property
    def unix_user(self) -> str:
        """User and group of the environment's processes where the service runs as root."""
        return f"tw-{self.value}"


def new_environment_id() -> EnvironmentId:
    """Draw an id: 24 letters times 32^11, so collisions are not a case worth more than the unique key in the store."""
    first = secrets.choice(_ALPHABET[:24])
    return EnvironmentId(first + "".join(secrets.choice(_ALPHABET) for _ in range(11)))
