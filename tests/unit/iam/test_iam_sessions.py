"""Rules of temporary credentials: durations, tags that go on, policies, sizes."""

import json

import pytest

from tests.unit.iam.making import allow, policy, session, text_of, trust, user
from tradewind.iam import Context, Holding, Request, authorise, root_principal
from tradewind.iam import sessions as rules
from tradewind.iam.assuming import decide_assumption
from tradewind.iam.refusals import Refused

ROOT = root_principal("123456789012")
CHAINED = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def refusal(ask, *arguments, **more):
    with pytest.raises(Refused) as refused:
        ask(*arguments, **more)
    return refused.value.code, refused.value.sentence


@pytest.mark.parametrize(
    ("asked", "longest", "who", "seconds"),
    [
        (None, 3600, user(), 3600),
        (None, 43_200, user(), 3600),
        (900, 3600, user(), 900),
        (43_200, 43_200, user(), 43_200),
        (3600, 43_200, session(), 3600),
        (None, 43_200, session(), 3600),
    ],
)
def test_a_roles_session_lasts(asked, longest, who, seconds):
    assert rules.role_seconds(asked, longest, who) == seconds


def test_a_role_is_not_assumed_for_longer_than_it_says_nor_chained_for_more_than_an_hour():
    assert refusal(rules.role_seconds, 3601, 3600, user()) == ("ValidationException", TOO_LONG)
    assert refusal(rules.role_seconds, 3601, 43_200, session()) == ("ValidationException", CHAINED)


@pytest.mark.parametrize(
    ("asked", "who", "seconds"),
    [(None, user(), 43_200), (129_600, user(), 129_600), (None, ROOT, 3600), (900, ROOT, 900), (129_600, ROOT, 3600)],
)
def test_a_users_session_lasts(asked, who, seconds):
    assert rules.user_seconds(asked, who) == seconds


WITHOUT_MFA = [
    ("airflow:CreateEnvironment", True),
    ("iam:PassRole", True),
    ("sts:AssumeRole", True),
    ("sts:TagSession", True),
    ("sts:SetSourceIdentity", True),
    ("iam:GetUser", False),
    ("iam:CreateAccessKey", False),
    ("sts:GetSessionToken", False),
    ("sts:GetFederationToken", False),
    ("sts:GetAccessKeyInfo", False),
    ("sts:DecodeAuthorizationMessage", False),
]


@pytest.mark.parametrize("who", [user(), ROOT], ids=["a user", "root"])
@pytest.mark.parametrize(("action", "is_allowed"), WITHOUT_MFA)
def test_a_users_session_asks_iam_nothing_and_sts_two_things(who, action, is_allowed):
    held = Holding((policy(allow()),), None, rules.limits_without_mfa())
    assert bool(authorise(who, held, Request(action, "*", Context()))) is is_allowed


def test_a_users_session_assumes_a_role_that_trusts_the_user():
    arn = "arn:aws:iam::123456789012:role/Deploy"
    named = trust({"Effect": "Allow", "Principal": {"AWS": user().arn}, "Action": "sts:AssumeRole"})
    assert decide_assumption(user(), Holding((), None, rules.limits_without_mfa()), named, arn, Context())


def chained(tags, transitive):
    return session(tags=tags, session_context={rules.TRANSITIVE: transitive})


def test_tags_that_are_transitive_go_on():
    passed = rules.session_tags([("Stage", "test")], ["stage"], chained({"team": "blue", "own": "x"}, ("team",)))
    assert passed.tags == {"team": "blue", "Stage": "test"}
    assert passed.transitive == ("team", "Stage")


def test_a_transitive_tag_goes_on_however_its_key_was_written():
    first = rules.session_tags([("Team", "blue")], ["TEAM"], session())
    assert first.transitive == ("Team",)
    assert rules.session_tags([], ["tEAM"], chained(first.tags, first.transitive)) == first


@pytest.mark.parametrize(
    ("given", "transitive", "sentence"),
    [
        ([("a", "1"), ("A", "2")], [], "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
        ([("aws:a", "1")], [], "System tags cannot be added/updated/deleted by requester."),
        ([("a", "1")], ["b"], "The specified transitive tag key must be included in the requested tags."),
        ([("TEAM", "red")], [], "One of the specified transitive tag keys can't be set because it conflicts"),
        ([(f"k{n}", "") for n in range(50)], [], "A session can have at most 50 tags."),
    ],
)
def test_tags_that_are_refused(given, transitive, sentence):
    code, said = refusal(rules.session_tags, given, transitive, chained({"team": "blue"}, ("team",)))
    assert code == "ValidationException"
    assert said.startswith(sentence)


def test_a_source_identity_stays():
    known = session(session_context={"aws:sourceidentity": ("alice",)})
    assert rules.source_identity("alice", user()) == "alice"
    assert rules.source_identity(None, user()) is None
    assert rules.source_identity(None, known) == "alice"
    assert rules.source_identity("alice", known) == "alice"
    assert refusal(rules.source_identity, "bob", known)[0] == "AccessDeniedException"
    assert refusal(rules.source_identity, "AWS:x", user())[0] == "ValidationException"


def test_session_policies():
    inline, managed = text_of(allow("airflow:*")), policy(allow("iam:*"), name="managed")
    assert rules.session_policies(None, [], is_given=False) is None
    both = rules.session_policies(inline, [managed], is_given=True)
    assert [each.name for each in both] == ["SessionPolicy", "managed"]
    assert refusal(rules.session_policies, "{", [], is_given=True) == (
        "MalformedPolicyDocumentException",
        "Syntax errors in policy.",
    )
    assert refusal(rules.session_policies, inline + " " * 2048, [], is_given=True)[0] == "PackedPolicyTooLargeException"
    assert refusal(rules.refuse_many, ["arn"] * 11)[0] == "ValidationException"


def test_policies_and_tags_have_room_together():
    small = rules.packed_percent([text_of(allow())], {"team": "blue"})
    assert 0 < small < 10
    random = {f"{n:03}": json.dumps([hash((n, k)) for k in range(12)])[:256] for n in range(50)}
    assert refusal(rules.packed_percent, [], random)[0] == "PackedPolicyTooLargeException"


def test_a_sessions_tags_cover_the_roles_without_regard_to_case():
    assert rules.effective_tags({"Team": "blue", "stage": "x"}, {"team": "red"}) == {"stage": "x", "team": "red"}


def test_only_temporary_credentials_have_a_time_of_issue():
    assert not rules.is_temporary(user())
    assert rules.is_temporary(user(session_context={"aws:tokenissuetime": ("2026-01-01T00:00:00Z",)}))
