"""What the log shows of a command: never a value that could be a secret."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.audit import redact_command


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("version", "version"),
        ("dags list --output json", "dags list --output HIDDEN"),
        ("dags trigger d", "dags trigger d"),
        ('dags trigger d --conf \'{"p": "SECRET"}\'', "dags trigger d --conf HIDDEN"),
        ("dags trigger --conf={SECRET} d", "dags trigger --conf=HIDDEN HIDDEN"),
        ("dags trigger -cSECRET d", "dags trigger -cHIDDEN HIDDEN"),
        ("dags delete -y d", "dags delete -y d"),
        ("tasks test d t 2026-01-01", "tasks test d t 2026-01-01"),
        ("variables set key SECRET", "variables set key HIDDEN"),
        ("variables set --json key SECRET", "variables set --json HIDDEN HIDDEN"),
        ("variables set -j SECRET SECRET", "variables set -j HIDDEN HIDDEN"),
        ("variables set key --description SECRET SECRET", "variables set key --description HIDDEN HIDDEN"),
        ("variables set key SECRET SECRET", "variables set key HIDDEN HIDDEN"),
        ("variables set SECRET", "variables set HIDDEN"),
        ("variables get key", "variables get key"),
        ("connections add db --conn-uri postgres://u:SECRET@h/d", "connections add db --conn-uri HIDDEN"),
        ("connections add db --conn-pass=SECRET", "connections add db --conn-pass=HIDDEN"),
        ("connections add --conn-json SECRET db", "connections add --conn-json HIDDEN HIDDEN"),
        ("--password SECRET", "--password HIDDEN"),
        ("variables --x SECRET", "variables --x HIDDEN"),
        ("users create -pSECRET", "users create -pHIDDEN"),
        # what is refused is recorded too
        ("airflow variables set key SECRET", "airflow variables HIDDEN HIDDEN HIDDEN"),
        ("variables -v set key SECRET", "variables -v HIDDEN HIDDEN HIDDEN"),
        ("--verbose variables set key SECRET", "--verbose HIDDEN HIDDEN HIDDEN HIDDEN"),
        ("variables sett key SECRET", "variables sett HIDDEN HIDDEN"),
        ("Variables set key SECRET", "Variables HIDDEN HIDDEN HIDDEN"),
        ("connections create db SECRET", "connections create HIDDEN HIDDEN"),
        ("key SECRET", "key HIDDEN"),
    ],
)
def test_commands(line, shown):
    assert redact_command(shlex.split(line)) == shown.split(" ")


def test_many_words_are_bounded():
    found = redact_command(["dags", "list", *["x"] * 1000])
    assert len(found) == 51
    assert found[-1] == "... (952 more)"


@given(st.lists(st.sampled_from(["airflow", "variables", "connections", "set", "add", "-v", "k", "users"]), max_size=5))
def test_a_command_that_is_none_shows_no_value(words):
    """Only `variables delete`, `get` and the like show what follows, as a name."""
    assert "S3CR3T" not in " ".join(redact_command([*words, "k", "x", "S3CR3T"]))


WORDS = st.sampled_from(["-v", "--json", "-j", "name", "--", "-", "--description=x", "-yv", "--conf"])


@given(st.sampled_from([("variables", "set"), ("connections", "add")]), st.lists(WORDS, max_size=5), st.booleans())
def test_the_value_of_a_variable_is_never_shown(command, words, is_glued):
    """Wherever options stand, whatever comes last is the value."""
    last = "--conn-password=S3CR3T" if is_glued else "S3CR3T"
    assert "S3CR3T" not in " ".join(redact_command([*command, "name", *words, last]))
