"""IAM's default quotas, in AWS's words; tags; sizes without white space."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.iam import quotas
from tradewind.iam.entities import EntityKind
from tradewind.iam.refusals import Refused


@pytest.mark.parametrize(
    ("refuse", "last_allowed", "sentence"),
    [
        (quotas.refuse_more_keys, 1, "Cannot exceed quota for AccessKeysPerUser: 2"),
        (quotas.refuse_more_groups, 9, "Cannot exceed quota for GroupsPerUser: 10"),
        (quotas.refuse_more_aliases, 0, "Cannot exceed quota for AccountAliasesPerAccount: 1"),
        (quotas.refuse_more_policies, 1499, "Cannot exceed quota for PoliciesPerAccount: 1500"),
        (
            lambda n: quotas.refuse_more_entities(EntityKind.USER, n),
            4999,
            "Cannot exceed quota for UsersPerAccount: 5000",
        ),
        (
            lambda n: quotas.refuse_more_entities(EntityKind.ROLE, n),
            999,
            "Cannot exceed quota for RolesPerAccount: 1000",
        ),
        (lambda n: quotas.refuse_more_attached(EntityKind.GROUP, n), 9, "Cannot exceed quota for PoliciesPerGroup: 10"),
    ],
)
def test_one_more_than_the_quota(refuse, last_allowed, sentence):
    refuse(last_allowed)
    with pytest.raises(Refused) as refused:
        refuse(last_allowed + 1)
    assert (refused.value.code, refused.value.sentence) == ("LimitExceededException", sentence)


@pytest.mark.parametrize(("kind", "limit"), [("user", 2048), ("group", 5120), ("role", 10240)])
def test_inline_policies_count_together(kind, limit):
    kind = EntityKind(kind)
    quotas.refuse_large_inline(kind, "it", ["a" * (limit - 1), "\n b \t"])
    with pytest.raises(Refused, match=f"Maximum policy size of {limit} bytes exceeded for {kind.value} it"):
        quotas.refuse_large_inline(kind, "it", ["a" * limit, "b"])


@given(st.text(alphabet=' \t\r\n{}:,"ab'))
def test_white_space_never_counts(document):
    assert quotas.size_of(document) == len("".join(document.split()))


def test_tags_are_the_same_in_any_case():
    assert quotas.tagged({"Team": "a", "x": "1"}, [("TEAM", "b")]) == {"TEAM": "b", "x": "1"}
    assert quotas.untagged({"Team": "a", "x": "1"}, ["tEAM", "nothing"]) == {"x": "1"}


@pytest.mark.parametrize(
    ("given_tags", "code"),
    [
        ([("a", "1"), ("A", "2")], "InvalidInputException"),
        ([("aws:x", "1")], "InvalidInputException"),
        ([("AWS:x", "1")], "InvalidInputException"),
        ([(str(number), "") for number in range(51)], "LimitExceededException"),
    ],
)
def test_tags_that_are_refused(given_tags, code):
    with pytest.raises(Refused) as refused:
        quotas.tagged({}, given_tags)
    assert refused.value.code == code


@given(st.dictionaries(st.text(alphabet="abC", min_size=1), st.text(), max_size=20))
def test_taking_away_what_was_added_leaves_what_was_there(tags):
    unique = {key.lower(): (key, value) for key, value in tags.items()}.values()
    added = quotas.tagged({"kept": "k"}, unique)
    assert quotas.untagged(added, [key for key, _ in unique]) == {"kept": "k"}
