"""The Airflow commands that a CLI token may run: MWAA's list for Airflow 3, and nothing beside it.

A body is the command's words without the leading `airflow`, in a shell's quoting but with no shell behind
it: `parse` splits it, `check` decides, and what is allowed is run as a list of arguments. The group must be
the first word and the subcommand the second, so no option, `--` or abbreviation can stand before them;
argparse takes subcommands only as they are written and hands everything after them to the subcommand.

Some options of allowed commands are refused (MWAA says nothing of them): those that write a file of the
caller's choice, load one as Python, open a debugger on a server, or set the process's environment variables,
with which a file that merely lies on the machine becomes a program. `dags test` and `tasks test` run the
environment's own DAGs, as on MWAA. argparse accepts any unambiguous beginning of a long option, values
glued to short ones and clusters of short flags; all of these spellings are refused alike. A word that only
looks like such an option is refused too: safe, and no DAG is named so.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tradewind.domain.errors import TradewindError

# One argument of a process may hold 131,072 bytes with its end on Linux.
LONGEST_BODY = 131_071
_HELP = frozenset({"-h", "--help"})


class CommandUnreadable(TradewindError):
    """A body that is no command line."""

    def __init__(self, reason: str) -> None:
        """Name the reason."""
        super().__init__(f"cannot read the command: {reason}", code="COMMAND_UNREADABLE")


@dataclass(frozen=True)
class Allowed:
    """The command may run."""

    argv: tuple[str, ...]

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True)
class Refused:
    """The command may not run; the sentence is for the caller."""

    sentence: str

    def __bool__(self) -> Literal[False]:
        return False


Verdict = Allowed | Refused

# Groups and their subcommands; a command without subcommands has an empty set. `providers triggerer` is how
# MWAA's list calls it, `triggers` how Airflow 3 does.
_AIRFLOW_3: Mapping[str, frozenset[str]] = {
    "assets": frozenset({"details", "list", "materialize"}),
    "backfill": frozenset({"create"}),
    "cheat-sheet": frozenset(),
    "connections": frozenset({"add", "delete"}),
    "dags": frozenset({
        "delete", "list", "list-import-errors", "list-jobs", "list-runs", "next-execution", "pause", "report",
        "reserialize", "show", "state", "test", "trigger", "unpause",
    }),
    "db": frozenset({"clean"}),
    "providers": frozenset({
        "behaviours", "get", "hooks", "links", "list", "notifications", "secrets", "triggerer", "triggers", "widgets",
    }),
    "roles": frozenset({"add-perms", "create", "del-perms", "list"}),
    "tasks": frozenset({"clear", "failed-deps", "list", "render", "state", "states-for-dag-run", "test"}),
    "variables": frozenset({"delete", "get", "list", "set"}),
    "version": frozenset(),
}  # fmt: skip
COMMANDS: Mapping[int, Mapping[str, frozenset[str]]] = {3: _AIRFLOW_3}


@dataclass(frozen=True)
class _Forbidden:
    """Options that an allowed command may not have. `flags` are the command's short options without a value."""

    long: tuple[str, ...]
    short: str = ""
    flags: str = "hv"


_FORBIDDEN: Mapping[tuple[str, str], _Forbidden] = {
    ("dags", "show"): _Forbidden(("--save", "--imgcat"), "s"),
    ("dags", "test"): _Forbidden(("--dagfile-path", "--save-dagrun", "--imgcat-dagrun"), "f"),
    ("tasks", "test"): _Forbidden(("--post-mortem", "--env-vars"), "m"),
}


def parse(body: bytes | str) -> tuple[str, ...]:
    """Split a request's body into arguments. Raises CommandUnreadable."""
    text = _text(body)
    if "\0" in text:
        raise CommandUnreadable("it holds a NUL character")
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise CommandUnreadable("a quotation mark is not closed, or a backslash ends it") from error
    if not argv:
        raise CommandUnreadable("it is empty")
    return argv


def _text(body: bytes | str) -> str:
    try:
        raw = body.encode() if isinstance(body, str) else body
        if len(raw) > LONGEST_BODY:
            raise CommandUnreadable(f"it has {len(raw)} bytes, and at most {LONGEST_BODY} are taken")
        return raw.decode()
    except UnicodeError as error:
        raise CommandUnreadable("it is not UTF-8") from error


def check(argv: Sequence[str], version: str) -> Verdict:
    """Decide on a command for an environment of that Airflow version ("3.3.1")."""
    problem = _problem(tuple(argv), version)
    return Refused(problem) if problem else Allowed(tuple(argv))


def _problem(argv: tuple[str, ...], version: str) -> str | None:
    commands = COMMANDS.get(_major(version))
    if commands is None:
        return f"Airflow {version} has no list of commands that may be run here."
    if not argv:
        return "There is no command."
    group, rest = argv[0], argv[1:]
    if group == "airflow":
        return "Leave out the leading 'airflow'."
    if group in commands:
        return _problem_below(group, rest, commands[group])
    if group in _HELP and not rest:
        return None
    return f"The command {_quoted(group)} is not supported. Supported are: {', '.join(sorted(commands))}."


def _problem_below(group: str, rest: tuple[str, ...], subcommands: frozenset[str]) -> str | None:
    if not subcommands or (len(rest) == 1 and rest[0] in _HELP):
        return None
    choices = f"Supported are: {', '.join(sorted(subcommands))}."
    if not rest:
        return f"The command {group!r} needs a subcommand. {choices}"
    if rest[0] not in subcommands:
        return f"The command {_quoted(f'{group} {rest[0]}')} is not supported. {choices}"
    forbidden = _FORBIDDEN.get((group, rest[0]))
    if forbidden is None:
        return None
    word = next((word for word in rest[1:] if _is_spelling(word, forbidden)), None)
    if word is None:
        return None
    option = word.partition("=")[0]  # its value may be a secret, and the sentence goes into the audit log
    return f"The option {_quoted(option)} of '{group} {rest[0]}' is not supported."


def _is_spelling(word: str, forbidden: _Forbidden) -> bool:
    """Whether argparse could take the word for one of the forbidden options."""
    if word.startswith("--"):
        name = word.partition("=")[0]
        return name != "--" and any(option.startswith(name) for option in forbidden.long)
    if not word.startswith("-"):
        return False
    for letter in word[1:]:
        if letter in forbidden.short:
            return True
        if letter not in forbidden.flags:
            return False  # an option whose value the rest is, or none that the command has
    return False


def _major(version: str) -> int:
    major = version.partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() else 0


def _quoted(word: str) -> str:
    """A caller's word in a sentence: printable, and short."""
    return ascii(word if len(word) <= 64 else f"{word[:64]}...")  # noqa: PLR2004
