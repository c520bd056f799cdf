"""Principals: who a verified signature stands for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """`identity` is how MWAA names it in token answers (`user/alice`, `assumed-role/Admin/session`, `root`)."""

    arn: str
    account: str
    identity: str
    is_root: bool = False


def root_principal(account: str, partition: str = "aws") -> Principal:
    """The account's root."""
    return Principal(f"arn:{partition}:iam::{account}:root", account, "root", is_root=True)
