"""What holds for every policy: deny wins, parsing and deciding always end, variables never widen."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.iam.making import deny, holding, policy, session, text_of, user
from tradewind.iam import (
    Allowed,
    Context,
    Denied,
    DocumentKind,
    Holding,
    MalformedDocument,
    Policy,
    Request,
    authorise,
    may_assume,
    parse_document,
)
from tradewind.iam.conditions import _FAMILIES

WORDS = st.sampled_from(["alice", "a", "b", "*", "?", "blue", "", "10", "true", "10.0.0.1", "2026-01-01", "QQ=="])
KEYS = st.sampled_from(["aws:username", "aws:PrincipalTag/team", "airflow:k", "aws:TagKeys", "aws:SourceIp"])
ACTIONS = st.sampled_from(["airflow:GetEnvironment", "airflow:*", "*", "iam:Get*", "airflow:?et*", "airflow:List*"])
PIECES = st.sampled_from(["a", "b", "*", "?", ":", "${aws:username}", "${aws:PrincipalTag/team, 'a'}", "${*}", "alice"])
TAILS = st.lists(PIECES, max_size=4).map("".join)
RESOURCES = st.one_of(st.just("*"), TAILS.map("arn:aws:airflow:r:1:".__add__), TAILS.map("arn:aws:airflow:".__add__))
QUANTIFIERS = st.sampled_from(["", "ForAnyValue:", "ForAllValues:"])
VALUES = {
    "Numeric": st.sampled_from(["10", "1.5", "-3"]),
    "Date": st.sampled_from(["2026-01-01", "1700000000"]),
    "Bool": st.sampled_from(["true", "false"]),
    "Binary": st.sampled_from(["QQ==", "QUI="]),
    "Ip": st.sampled_from(["10.0.0.0/8", "::/0"]),
    "NotIp": st.sampled_from(["10.0.0.0/8", "::/0"]),
}


def values_of(family):
    kind = next((kind for kind in VALUES if family.startswith(kind)), None)
    return VALUES[kind] if kind else st.one_of(WORDS, TAILS)


@st.composite
def conditions(draw):
    family = draw(st.sampled_from(sorted(_FAMILIES)))
    operator = draw(QUANTIFIERS) + family + draw(st.sampled_from(["", "IfExists"]))
    return {operator: {draw(KEYS): draw(st.lists(values_of(family), max_size=3))}}


@st.composite
def statements(draw, effects=("Allow", "Deny")):
    return {
        "Effect": draw(st.sampled_from(effects)),
        draw(st.sampled_from(["Action", "NotAction"])): draw(st.lists(ACTIONS, min_size=1, max_size=3)),
        draw(st.sampled_from(["Resource", "NotResource"])): draw(st.lists(RESOURCES, min_size=1, max_size=3)),
        "Condition": draw(st.one_of(st.just({}), conditions())),
    }


LISTS = st.lists(statements(), min_size=1, max_size=4)
CALLERS = st.sampled_from([user(), user(tags={"team": "*"}), user("b", tags={"team": "a"}), session()])
REQUESTS = st.builds(
    lambda action, tail, keys: Request(action, tail, Context.of(keys)),
    st.sampled_from(["airflow:GetEnvironment", "airflow:ListEnvironments", "iam:GetUser"]),
    st.one_of(st.just("*"), st.text("ab*:", max_size=5).map("arn:aws:airflow:r:1:".__add__)),
    st.dictionaries(KEYS, st.lists(WORDS, max_size=3), max_size=3),
)
MAYBE = st.one_of(st.none(), LISTS)


def held(identity, boundary, session_policy):
    return holding(*identity, boundary=boundary, session=session_policy)


@given(CALLERS, LISTS, MAYBE, MAYBE, REQUESTS)
def test_every_request_is_decided(who, identity, boundary, session_policy, request):
    assert isinstance(authorise(who, held(identity, boundary, session_policy), request), Allowed | Denied)


@given(CALLERS, LISTS, MAYBE, REQUESTS, statements(effects=("Deny",)))
def test_one_more_deny_never_allows(who, identity, boundary, request, denial):
    before = authorise(who, held(identity, boundary, None), request)
    after = authorise(who, held([*identity, denial], boundary, None), request)
    assert bool(after) <= bool(before)


@given(CALLERS, LISTS, REQUESTS, statements(effects=("Allow",)))
def test_one_more_allow_never_takes_away(who, identity, request, allowance):
    assert bool(authorise(who, held(identity, None, None), request)) <= bool(
        authorise(who, held([*identity, allowance], None, None), request)
    )


@given(CALLERS, LISTS, MAYBE, MAYBE, REQUESTS)
def test_a_deny_of_everything_wins(who, identity, boundary, session_policy, request):
    decision = authorise(who, held([*identity, deny()], boundary, session_policy), request)
    assert isinstance(decision, Denied)
    assert decision.is_explicit


@given(CALLERS, LISTS, MAYBE, MAYBE, REQUESTS)
def test_boundary_and_session_policy_only_take_away(who, identity, boundary, session_policy, request):
    narrowed = authorise(who, held(identity, boundary, session_policy), request)
    assert bool(narrowed) <= bool(authorise(who, held(identity, None, None), request))


@given(CALLERS, st.permutations(range(4)), st.lists(statements(), min_size=4, max_size=4), REQUESTS)
def test_the_order_of_statements_says_nothing(who, order, listed, request):
    shuffled = held([listed[place] for place in order], None, None)
    assert authorise(who, held(listed, None, None), request) == authorise(who, shuffled, request)


@given(CALLERS, LISTS, REQUESTS)
def test_one_document_of_many_is_many_of_one(who, listed, request):
    many = Holding(tuple(policy(statement) for statement in listed))
    assert bool(authorise(who, many, request)) is bool(authorise(who, held(listed, None, None), request))


@given(st.text(max_size=12), st.text(max_size=12), st.sampled_from(["${aws:username}", "x${aws:username}y"]))
@example("*", "anything", "${aws:username}")
@example("", "", "x${aws:username}y")
def test_a_variable_matches_no_more_than_its_text(name, other, templated):
    statement = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:airflow:r:1:" + templated}
    resource = "arn:aws:airflow:r:1:" + templated.replace("${aws:username}", other)
    allowed = bool(authorise(user(name), holding(statement), Request("a:B", resource)))
    assert allowed is (name == other)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.text(max_size=4),
                st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Principal"]),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(DocumentKind)


def parsed(text, kind):
    try:
        return parse_document(text, kind)
    except MalformedDocument:
        return None


@given(st.text(max_size=200), KINDS)
def test_no_text_breaks_the_parser(text, kind):
    parsed(text, kind)


@given(JSON, KINDS)
def test_no_json_breaks_the_parser(value, kind):
    parsed(json.dumps(value), kind)


@st.composite
def mutilated(draw):
    """A good policy with one part of it replaced by anything."""
    document = json.loads(text_of(*draw(LISTS)))
    place = draw(st.sampled_from(document["Statement"]))
    place[draw(st.one_of(st.sampled_from(sorted(place)), st.text(max_size=5)))] = draw(JSON)
    return json.dumps(document)


@given(mutilated(), KINDS, CALLERS, REQUESTS)
def test_what_the_parser_takes_can_be_asked(text, kind, who, request):
    document = parsed(text, kind)
    if document is None:
        return
    document.keys()
    if kind is DocumentKind.TRUST:
        assert isinstance(may_assume(document, who, request), Allowed | Denied)
    else:
        asked = Holding((Policy("any", document, "any policy"),))
        assert isinstance(authorise(who, asked, request), Allowed | Denied)


@given(mutilated(), st.integers(0, 400), st.characters())
def test_one_wrong_character_breaks_nothing(text, place, character):
    parsed(text[:place] + character + text[place + 1 :], DocumentKind.IDENTITY)
