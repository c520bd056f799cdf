"""The commands that a CLI token may run, seen by somebody who wants more.

argparse is the judge of spellings: parsers with Airflow 3.3.1's own options say what a word would have done.
"""

import argparse
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.access.commands import COMMANDS, LONGEST_BODY, Allowed, CommandUnreadable, Refused, check, parse

VERSION = "3.3.1"
FROM_MWAAS_LIST = (
    """
assets details;assets list;assets materialize;backfill create;cheat-sheet;connections add;connections delete
dags delete;dags list;dags list-jobs;dags list-import-errors;dags list-runs;dags next-execution;dags pause
dags report;dags reserialize;dags show;dags state;dags test;dags trigger;dags unpause;db clean
providers behaviours;providers get;providers hooks;providers links;providers list;providers notifications
providers secrets;providers triggerer;providers widgets;roles add-perms;roles del-perms;roles create;roles list
tasks clear;tasks failed-deps;tasks list;tasks render;tasks state;tasks states-for-dag-run;tasks test
variables delete;variables get;variables set;variables list;version
""".strip()
    .replace("\n", ";")
    .split(";")
)
REFUSED = (
    """
users list;users create -u a;config get-value core fernet_key;db migrate;db reset -y;db shell;db export-archived
connections list;connections get aws_default;connections export -;connections import f;connections test a
variables import f;variables export -;pools list;pools import f;roles import f;roles export f;roles delete a
celery worker;celery flower;scheduler;api-server;triggerer;dag-processor;standalone;kerberos;info;plugins
rotate-fernet-key;sync-perm;permissions-cleanup;fab-db migrate;db-manager reset x;state-store clean;jobs check
dags backfill d;dags show-dependencies;tasks run a b c;teams list;providers auth-managers
""".strip()
    .replace("\n", ";")
    .split(";")
)


@pytest.mark.parametrize("command", FROM_MWAAS_LIST)
def test_everything_on_mwaas_list_is_allowed(command):
    assert check(parse(command), VERSION) == Allowed(tuple(command.split()))


def test_nothing_else_is_on_ours():
    ours = {f"{group} {name}" for group, names in COMMANDS[3].items() for name in names}
    ours |= {group for group, names in COMMANDS[3].items() if not names}
    assert ours - set(FROM_MWAAS_LIST) == {"providers triggers"}  # Airflow 3's name of what MWAA's list calls triggerer


@pytest.mark.parametrize("command", REFUSED)
def test_everything_else_is_refused(command):
    verdict = check(parse(command), VERSION)
    assert isinstance(verdict, Refused)
    assert not verdict
    assert "is not supported" in verdict.sentence


@pytest.mark.parametrize(
    "command", ["-h", "--help", "dags -h", "connections --help", "dags list -h", "tasks test --help"]
)
def test_help_is_allowed(command):
    assert check(parse(command), VERSION)


@pytest.mark.parametrize(
    "command",
    [
        "-v dags list",
        "-- dags list",
        "dags -- list",
        "dags -v list",
        "dags",
        "dags LIST",
        "DAGS list",
        "dags lis",
        "dag list",
        "dags ' list'",
        "'dags list'",
        "'' dags list",
        "dags ''",
        "-h users create",
        "dags -h list",
        "--he",
        "users -h",
        "'dags\nlist'",
        "--version",
        "/bin/sh -c id",
        "dags; id",
        "$(id) list",
    ],
)
def test_nothing_stands_before_the_group_and_the_subcommand(command):
    assert not check(parse(command), VERSION)


def test_a_leading_airflow_is_named():
    assert check(parse("airflow dags list"), VERSION) == Refused("Leave out the leading 'airflow'.")


def test_no_command_is_none():
    assert not check((), VERSION)


@pytest.mark.parametrize("version", ["2.11.0", "4.0.0", "", "x.y", "³.1"])
def test_versions_without_a_list_have_no_commands(version):
    assert not check(("version",), version)
    assert check(("version",), "3.0.6")


@pytest.mark.parametrize(
    "command",
    [
        "dags show d --save /etc/cron.d/x",
        "dags show d --save=/x",
        "dags show d --sa /x",
        "dags show d -s /x",
        "dags show d -s/x.png",
        "dags show d -vs /x",
        "dags show d --imgcat",
        "dags show --im d",
        "dags test d -f /tmp/x.py",
        "dags test d -f/tmp/x.py",
        "dags test d -vf/tmp/x.py",
        "dags test d --dagfile-path /x",
        "dags test d --dag=/x",
        "dags test d --save-dagrun f",
        "dags test d --imgcat-dagrun",
        "dags test --d /x d",
        "tasks test d t -m",
        "tasks test d t -vm",
        "tasks test d t --post-mortem",
        "tasks test d t --po",
        'tasks test d t --env-vars \'{"BASH_ENV": "/x"}\'',
        "tasks test d t --e={}",
    ],
)
def test_options_that_escape_are_refused_in_every_spelling(command):
    verdict = check(parse(command), VERSION)
    assert isinstance(verdict, Refused)
    assert verdict.sentence.startswith("The option '-")


@pytest.mark.parametrize(
    "command",
    [
        "dags show d -v",
        "dags test d 2026-01-01 -c '{\"a\": 1}' --show-dagrun -B x -v",
        "dags test d -cf",
        "dags test d --mark-success-pattern s.*",
        "dags list -o json --columns dag_id -l",
        'dags trigger d --conf \'{"save": "--save"}\' -r run -e',
        "tasks test d t 2026-01-01 -t '{\"m\": 1}' --map-index 3",
        "tasks clear d -s 2026-01-01 -f -y -m",
        "connections add c --conn-uri 'postgresql://u:p@h/d'",
        "variables set k '--post-mortem $(id) ; `id`'",
    ],
)
def test_other_options_are_airflows_matter(command):
    assert check(parse(command), VERSION) == Allowed(parse(command))


class _Error(Exception):
    pass


class _Quiet(argparse.ArgumentParser):
    def error(self, message):
        raise _Error(message)

    def exit(self, status=0, message=None):
        raise _Error(message)

    def print_help(self, file=None):
        pass


def _airflow() -> argparse.ArgumentParser:
    """A parser with the options of Airflow 3.3.1's commands that have forbidden ones; `escapes` marks those."""
    top = _Quiet(prog="airflow")
    groups = {}
    for group in ("dags", "tasks"):
        parser = top.add_subparsers(dest="g") if not groups else groups["top"]
        groups["top"] = parser
        groups[group] = parser.add_parser(group).add_subparsers(dest="s")

    def command(group, name, positionals):
        parser = groups[group].add_parser(name)
        for positional, nargs in positionals:
            parser.add_argument(positional, nargs=nargs)
        parser.add_argument("-v", "--verbose", action="store_true")
        return parser

    show = command("dags", "show", [("dag_id", None)])
    show.add_argument("-s", "--save", dest="escape_1")
    show.add_argument("--imgcat", dest="escape_2", action="store_true")
    test = command("dags", "test", [("dag_id", None), ("logical_date", "?")])
    test.add_argument("-B", "--bundle-name", action="append")
    test.add_argument("-f", "--dagfile-path", dest="escape_1")
    test.add_argument("-c", "--conf")
    test.add_argument("--show-dagrun", action="store_true")
    test.add_argument("--imgcat-dagrun", dest="escape_2", action="store_true")
    test.add_argument("--save-dagrun", dest="escape_3")
    test.add_argument("--use-executor", action="store_true")
    test.add_argument("--mark-success-pattern")
    task = command("tasks", "test", [("dag_id", None), ("task_id", None), ("logical_date", "?")])
    task.add_argument("-B", "--bundle-name", action="append")
    task.add_argument("-t", "--task-params")
    task.add_argument("-m", "--post-mortem", dest="escape_1", action="store_true")
    task.add_argument("--env-vars", dest="escape_2")
    task.add_argument("--map-index", type=int, default=-1)
    return top


_PARSER = _airflow()
_LONG = ["save", "imgcat", "dagfile-path", "save-dagrun", "imgcat-dagrun", "post-mortem", "env-vars", "conf", "verbose",
         "show-dagrun", "map-index", "task-params", "bundle-name", "use-executor", "mark-success-pattern"]  # fmt: skip
_LONG_WORDS = st.builds(
    lambda name, cut, value: f"--{name[:cut]}{value}",
    st.sampled_from(_LONG),
    st.integers(0, 20),
    st.sampled_from(["", "", "=x", "=", "=--save"]),
)
_SHORT_WORDS = st.builds(
    "-{}{}".format, st.text("vsfmcBt", min_size=1, max_size=3), st.sampled_from(["", "", "=x", "/x"])
)
_WORDS = st.one_of(
    _LONG_WORDS, _SHORT_WORDS, st.sampled_from(["--", "-", "d", "t", "x", "", "dags", "show", "test", "tasks"])
)
_STARTS = st.sampled_from([("dags", "show"), ("dags", "test"), ("tasks", "test")])


@settings(max_examples=800)
@given(_STARTS, st.sampled_from([("d",), ("d", "t")]), st.lists(_WORDS, min_size=1, max_size=3))
def test_argparse_never_sets_an_escaping_option_of_an_allowed_command(start, positionals, words):
    argv = (*start, *positionals, *words)
    with contextlib.suppress(_Error):
        parsed = vars(_PARSER.parse_args(list(argv)))
        if any(value for name, value in parsed.items() if name.startswith("escape")):
            assert not check(argv, VERSION)


@settings(max_examples=200)
@given(st.lists(_WORDS, max_size=8))
def test_argparse_finds_the_group_and_subcommand_that_were_checked(argv):
    if check(argv, VERSION):
        with contextlib.suppress(_Error):
            parsed = _PARSER.parse_args(list(argv))
            assert (parsed.g, parsed.s) == tuple(argv[:2])


@pytest.mark.parametrize(
    ("body", "argv"),
    [
        (b"dags list", ("dags", "list")),
        ("  dags\tlist \r\n", ("dags", "list")),
        (b"""dags trigger d --conf '{"a": "b c"}'""", ("dags", "trigger", "d", "--conf", '{"a": "b c"}')),
        ('variables set k "a\\"b" # no comment', ("variables", "set", "k", 'a"b', "#", "no", "comment")),
        ("variables set k ''", ("variables", "set", "k", "")),
        ("variables set k 'é€😀'", ("variables", "set", "k", "é€😀")),
        ("a$(id)`id`;|&>*~", ("a$(id)`id`;|&>*~",)),
    ],
)
def test_bodies_are_split_as_a_shell_quotes(body, argv):
    assert parse(body) == argv


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is empty"),
        (b" \n\t ", "it is empty"),
        (b"dags trigger d --conf '{", "not closed"),
        (b'variables set k "', "not closed"),
        (b"dags list \\", "backslash"),
        (b"dags list\0", "NUL"),
        (b"dags list \xff\xfe", "not UTF-8"),
        ("dags list \ud800", "not UTF-8"),
        (b"a" * (LONGEST_BODY + 1), "131072 bytes"),
        ("é" * LONGEST_BODY, "262142 bytes"),
    ],
)
def test_bodies_that_are_no_command_are_said_so(body, words):
    with pytest.raises(CommandUnreadable, match=words) as unreadable:
        parse(body)
    assert str(unreadable.value).startswith("cannot read the command: ")


@given(st.one_of(st.binary(max_size=300), st.text(st.characters(), max_size=300)))
def test_any_body_is_read_or_refused(body):
    with contextlib.suppress(CommandUnreadable):
        argv = parse(body)
        assert argv
        assert all("\0" not in word and len(word.encode()) <= LONGEST_BODY for word in argv)
        verdict = check(argv, VERSION)
        if isinstance(verdict, Refused):
            assert verdict.sentence.isprintable()
            assert len(verdict.sentence) < 2000


def test_a_refused_option_is_named_without_its_value():
    """The sentence goes into the audit log, and the value may be a secret."""
    verdict = check(("tasks", "test", "dag", "task", "--env-vars={'KEY':'HUSH'}"), "3.3.1")
    assert verdict.sentence == "The option '--env-vars' of 'tasks test' is not supported."
