"""From an IAM identity to an Airflow user.

MWAA names the Airflow user after the IAM identity (`user/alice`, `assumed-role/Admin/session`, `root`),
and hashes names of more than 64 characters. Here a hashed name keeps its beginning for people's eyes:
31 characters, `~`, 128 bits of SHA-256. `~` may stand in no IAM name, so a hashed name never equals one
that was not; names with characters that IAM does not know are hashed too.

FAB looks user names up without regard to case, and the environment refuses a name that differs from a
known one in case only. IAM's user and role names never do; session names may, and whoever may assume a
role may choose any of them.
"""

import hashlib
import re
from dataclasses import dataclass

LONGEST = 64
_PLAIN = re.compile(r"[A-Za-z0-9+=,.@_/-]{1,64}")
_FOREIGN = re.compile(r"[^A-Za-z0-9+=,.@_/-]")
_KEPT = 31


@dataclass(frozen=True)
class AirflowIdentity:
    """An Airflow user: `user_name` (1 to 64 characters) is unique, `first_name` is what the UI shows."""

    user_name: str
    first_name: str


def airflow_identity(iam_identity: str) -> AirflowIdentity:
    """The Airflow user of an IAM identity. ValueError when that is empty.

    >>> airflow_identity("assumed-role/Admin/alice").user_name
    'assumed-role/Admin/alice'
    """
    if not iam_identity:
        raise ValueError("an IAM identity cannot be empty")
    name = iam_identity if _PLAIN.fullmatch(iam_identity) else _hashed(iam_identity)
    return AirflowIdentity(user_name=name, first_name=name)


def _hashed(name: str) -> str:
    # Lone surrogates can stand in a str and in no IAM name; they must not be an error here.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{_FOREIGN.sub('_', name[:_KEPT])}~{digest}"
