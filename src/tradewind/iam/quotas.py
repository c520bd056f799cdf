"""How many and how large: IAM's default quotas, and the rules that keep to them.

Source: IAM User Guide, "IAM and AWS STS quotas". White space does not count towards the size of a policy; inline
policies count together, each entity its own. The rules are pure; the store asks them while it holds IAM's lock, so
that two calls at once cannot pass together.
"""

from collections.abc import Iterable, Mapping

from tradewind.iam.entities import EntityKind
from tradewind.iam.refusals import invalid, limit_exceeded, over_quota

PER_ACCOUNT: Mapping[EntityKind, int] = {EntityKind.USER: 5000, EntityKind.GROUP: 300, EntityKind.ROLE: 1000}
POLICIES_PER_ACCOUNT = 1500
KEYS_PER_USER = 2
GROUPS_PER_USER = 10
ATTACHED_PER_ENTITY = 10
VERSIONS_PER_POLICY = 5
TAGS = 50
ALIASES_PER_ACCOUNT = 1
INLINE_SIZE: Mapping[EntityKind, int] = {EntityKind.USER: 2048, EntityKind.GROUP: 5120, EntityKind.ROLE: 10240}
MANAGED_SIZE = 6144
TRUST_SIZE = 2048


def size_of(document: str) -> int:
    """Characters of a policy that count: all but white space."""
    return sum(not character.isspace() for character in document)


def refuse_more_entities(kind: EntityKind, present: int) -> None:
    """One more user, group or role. Raises Refused."""
    _refuse_beyond(f"{kind.noun}sPerAccount", present + 1, PER_ACCOUNT[kind])


def refuse_more_policies(present: int) -> None:
    """One more managed policy in the account. Raises Refused."""
    _refuse_beyond("PoliciesPerAccount", present + 1, POLICIES_PER_ACCOUNT)


def refuse_more_keys(present: int) -> None:
    """One more access key of a user, active or not. Raises Refused."""
    _refuse_beyond("AccessKeysPerUser", present + 1, KEYS_PER_USER)


def refuse_more_groups(present: int) -> None:
    """One more group that a user is in. Raises Refused."""
    _refuse_beyond("GroupsPerUser", present + 1, GROUPS_PER_USER)


def refuse_more_attached(kind: EntityKind, present: int) -> None:
    """One more managed policy attached to an entity. Raises Refused."""
    _refuse_beyond(f"PoliciesPer{kind.noun}", present + 1, ATTACHED_PER_ENTITY)


def refuse_more_aliases(present: int) -> None:
    """One more alias of the account. Raises Refused."""
    _refuse_beyond("AccountAliasesPerAccount", present + 1, ALIASES_PER_ACCOUNT)


def refuse_more_versions(present: int) -> None:
    """One more version of a managed policy. Raises Refused."""
    if present >= VERSIONS_PER_POLICY:
        raise limit_exceeded(
            f"A managed policy can have up to {VERSIONS_PER_POLICY} versions. Before you create a new version, "
            "you must delete an existing version."
        )


def refuse_large_managed(document: str) -> None:
    """A managed policy that is too large. Raises Refused."""
    _refuse_beyond("PolicySize", size_of(document), MANAGED_SIZE)


def refuse_large_trust(document: str) -> None:
    """A trust policy that is too large. Raises Refused."""
    _refuse_beyond("ACLSizePerRole", size_of(document), TRUST_SIZE)


def refuse_large_inline(kind: EntityKind, name: str, documents: Iterable[str]) -> None:
    """All inline policies of an entity, as they would be. Raises Refused."""
    limit = INLINE_SIZE[kind]
    if sum(size_of(document) for document in documents) > limit:
        raise limit_exceeded(f"Maximum policy size of {limit} bytes exceeded for {kind.value} {name}")


def tagged(present: Mapping[str, str], given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tags after adding some: a key is the same in another case, and takes the new case. Raises Refused.

    Source: IAM User Guide, "Tags for IAM resources": keys are not case sensitive there, at most 50, `aws:` is AWS's.
    """
    found = {key.lower(): (key, value) for key, value in present.items()}
    new: set[str] = set()
    for key, value in given:
        folded = key.lower()
        if folded.startswith("aws:"):
            raise invalid("aws: prefixed tag key names are not allowed for external use.")
        if folded in new:
            raise invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        new.add(folded)
        found[folded] = (key, value)
    if len(found) > TAGS:
        raise limit_exceeded(f"The number of tags has reached the maximum limit. (Limit: {TAGS})")
    return dict(found.values())


def untagged(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """Tags after taking some away; a key that is not there is fine."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in present.items() if key.lower() not in gone}


def _refuse_beyond(quota: str, wanted: int, limit: int) -> None:
    if wanted > limit:
        raise over_quota(quota, limit)
