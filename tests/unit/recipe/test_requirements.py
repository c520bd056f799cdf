"""What is asked of the resolver for a user's requirements.txt."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.errors import CannotProvide
from tradewind.recipe.requirements import (
    ESSENTIAL,
    asks_for_nothing,
    constraints,
    is_distribution,
    pins,
    resolution,
)
from tradewind.recipe.versions import versions

LOCK = """\
apache-airflow==3.3.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
celery==5.6.2 \\
    --hash=sha256:cccc
Pandas==2.3.0 ; python_full_version < '3.12' \\
    --hash=sha256:dddd
pandas==3.0.1 ; python_full_version >= '3.12' \\
    --hash=sha256:eeee
tzdata==2026.1 ; sys_platform == 'win32'
"""
PUBLIC = "https://raw.githubusercontent.com/apache/airflow/constraints-3.3.1/constraints-3.11.txt"


def ask(text, version="3.3.1"):
    return resolution(text, version=version, lock=LOCK)


def lines(text):
    return text.splitlines()


# -- reading a lock ------------------------------------------------------------------------------------------


def test_pins_are_names_and_versions_of_the_first_mention():
    assert pins(LOCK) == {"apache-airflow": "3.3.1", "celery": "5.6.2", "pandas": "2.3.0", "tzdata": "2026.1"}


def test_constraints_keep_markers_and_leave_hashes_out():
    assert lines(constraints(LOCK)) == [
        "apache-airflow==3.3.1",
        "celery==5.6.2",
        "Pandas==2.3.0 ; python_full_version < '3.12'",
        "pandas==3.0.1 ; python_full_version >= '3.12'",
        "tzdata==2026.1 ; sys_platform == 'win32'",
    ]
    assert lines(constraints(LOCK, ["celery"])) == ["celery==5.6.2"]


def test_our_real_lock_is_read_whole():
    """As many pins as there are packages with hashes, and every essential package among them."""
    lock = versions()["3.3.1"].lock
    heads = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines(constraints(lock))) == len(heads) > 150
    found = pins(lock)
    assert set(found) >= ESSENTIAL
    assert found["apache-airflow"] == found["apache-airflow-core"] == "3.3.1"
    assert not any(character in version for version in found.values() for character in " ;\\")


# -- files that ask for nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n\n", "# only words\n   # and more\n\t\n", "\r\n#x\r\n"])
def test_blank_files_ask_for_nothing(text):
    assert asks_for_nothing(text)


@pytest.mark.parametrize("text", ["duckdb", "# words\nduckdb\n", f"-c {PUBLIC}", "--no-index"])
def test_any_line_asks_for_something(text):
    assert not asks_for_nothing(text)


# -- constraints ---------------------------------------------------------------------------------------------


def test_without_a_constraint_line_the_whole_lock_constrains():
    asked = ask("duckdb\npandas")
    assert lines(asked.requirements) == ["duckdb", "pandas", "apache-airflow==3.3.1", "celery==5.6.2"]
    assert asked.constraints == constraints(LOCK)


@pytest.mark.parametrize(
    "line",
    [
        f"--constraint {PUBLIC}",
        f'--constraint "{PUBLIC}"',
        f"--constraint='{PUBLIC}'",
        f"-c {PUBLIC}",
        f"  -c   {PUBLIC}   # the usual first line",
        f"-c {PUBLIC.replace('3.11', '3.12')}",
        f"-c {PUBLIC.replace('/constraints-3.11', '/constraints-no-providers-3.11')}",
        f"-c {PUBLIC.replace('/constraints-3.11', '/constraints-source-providers-3.13')}",
        "-c https://raw.githubusercontent.com/apache/airflow/refs/heads/constraints-3.3.1/constraints-3.11.txt",
        "-c https://raw.githubusercontent.com/apache/airflow/refs/tags/constraints-3.3.1/constraints-3.11.txt",
        "-c https://mirror.example.org/raw/apache/airflow/constraints-3.3.1/constraints.txt",
    ],
)
def test_airflows_public_constraints_are_answered_from_our_lock(line):
    asked = ask(f"{line}\nduckdb")
    assert "http" not in asked.requirements
    assert lines(asked.requirements)[0] == "duckdb"
    assert asked.constraints == constraints(LOCK)


def test_public_constraints_of_another_airflow_are_refused():
    with pytest.raises(CannotProvide) as refused:
        ask(f"-c {PUBLIC.replace('3.3.1', '2.9.2')}\nduckdb")
    assert refused.value.sentence == (
        "cannot use requirements.txt: it names the constraints of Airflow 2.9.2, "
        "and this environment runs Airflow 3.3.1"
    )
    assert refused.value.code == "INCORRECT_CONFIGURATION"


@pytest.mark.parametrize(
    "line",
    [
        "-c /usr/local/airflow/dags/constraints.txt",
        "--constraint https://example.org/my-constraints.txt",
        "-c https://raw.githubusercontent.com/apache/airflow/constraints-main/constraints-3.11.txt",
    ],
)
def test_the_users_own_constraints_leave_only_the_essential_pinned(line):
    asked = ask(f"{line}\npandas")
    assert lines(asked.requirements)[:2] == [line, "pandas"]
    assert lines(asked.constraints) == ["apache-airflow==3.3.1", "celery==5.6.2"]


# -- wheels in plugins.zip ---------------------------------------------------------------------------------------


def test_the_folder_of_plugins_is_named_as_it_is_called_here():
    asked = ask("--find-links /usr/local/airflow/plugins\n/usr/local/airflow/plugins/mine-1.0-py3-none-any.whl\n")
    assert lines(asked.requirements)[:2] == ["--find-links ./plugins", "./plugins/mine-1.0-py3-none-any.whl"]
    assert not asked.offline


@pytest.mark.parametrize("line", ["--no-index", "  --no-index  # all in plugins.zip"])
def test_without_an_index_nothing_goes_over_the_network(line):
    asked = ask(f"{line}\nmine==1.0\n")
    assert asked.offline
    assert lines(asked.requirements)[0] == "mine==1.0"


def test_packages_among_plugins_are_known_by_their_names():
    assert [name for name in ("a.whl", "a-1.tar.gz", "a-1.zip", "a.py", "whl") if is_distribution(name)] == [
        "a.whl", "a-1.tar.gz", "a-1.zip",
    ]  # fmt: skip


# -- another Airflow --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "apache-airflow==2.9.0",
        "apache_airflow==2.9.0",
        "Apache.Airflow == 2.9.0",
        "apache-airflow===2.9.0",
        "apache-airflow[celery]==2.9.0",
        "apache-airflow[celery, amazon]==2.9.0  # pinned long ago",
        "  apache-airflow==2.9.0 ; python_version < '3.13'",
        "apache-airflow>=2.8,==2.9.0",
        "apache-airflow==2.9.0 --hash=sha256:0000",
        "apache-airflow-core==3.2.1",
        "apache-airflow==3.3.10",
    ],
)
def test_a_pin_of_another_airflow_is_refused_with_its_line(line):
    with pytest.raises(CannotProvide) as refused:
        ask(f"duckdb\n{line}\n")
    assert repr(line.strip()) in refused.value.sentence
    assert "this environment runs Airflow 3.3.1" in refused.value.sentence


@pytest.mark.parametrize(
    "line",
    [
        "apache-airflow==3.3.1",
        "apache-airflow[celery]==3.3.1",
        "apache_airflow >= 3",
        "apache-airflow<2.9.0",
        "apache-airflow!=2.9.0",
        "apache-airflow~=3.3.0",
        "apache-airflow",
        "# apache-airflow==2.9.0",
        "apache-airflow-providers-amazon==9.0.0",
        "apache-airflow-client==2.9.0",
        "my-apache-airflow==2.9.0",
        "duckdb # like apache-airflow==2.9.0",
    ],
)
def test_what_only_resolving_can_tell_is_left_to_the_resolver(line):
    assert lines(ask(line).requirements)[0] == line


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text_is_asked_or_refused(parts):
    """No file breaks this room: it is asked of the resolver line by line, or refused in a sentence."""
    with contextlib.suppress(CannotProvide):
        assert lines(ask("\n".join(parts)).requirements)[-2:] == ["apache-airflow==3.3.1", "celery==5.6.2"]
