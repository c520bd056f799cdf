"""A command of Airflow's command line as the audit log may hold it.

`variables set` and `connections add` carry secrets, `--conf` of a run may, and argparse takes an option's value in many
spellings (`--conf=x`, `-cx`, `--con x`). So it is the other way round: shown are the group, the subcommand, the words
before the first option where they are names (of DAGs, of tasks), and the names of options; of the two commands that
are about secrets only the first word (the variable's or the connection's name). Everything else is hidden. What is
refused is recorded too, so a command need not be one: `airflow variables set …` is a mistake that people make.
"""

from collections.abc import Sequence

HIDDEN = "HIDDEN"
_OF_SECRETS = frozenset({("variables", "set"), ("connections", "add")})
_OF_NAMES = frozenset({(group, each) for group in ("connections", "variables") for each in ("delete", "get", "list")})
# Groups whose words are names of something, and groups that are known by name only.
_GROUPS_OF_NAMES = frozenset(
    {"assets", "backfill", "cheat-sheet", "dags", "db", "jobs", "pools", "providers", "roles", "tasks", "version"}
)
_GROUPS = _GROUPS_OF_NAMES | {"airflow", "config", "connections", "info", "plugins", "users", "variables"}
_WITHOUT_VALUE = frozenset({"--help", "-h", "--verbose", "-v", "--yes", "-y"})
_GREATEST_WORDS = 50
_COMMAND_WORDS = 2


def redact_command(arguments: Sequence[str]) -> list[str]:
    """The words to record: as many as there are (up to fifty), some of them hidden."""
    length = _COMMAND_WORDS if arguments and arguments[0] in _GROUPS else 1
    command = list(arguments[:length])
    at = next((number for number, word in enumerate(command) if word.startswith("-")), None)
    if at is not None:  # an option where a command belongs: it is refused
        command = command[:at]
    words, rest = list(command), list(arguments[len(command) :])
    shown, is_open = _shown(tuple(command), len(rest)) if at is None else 0, True
    for number, word in enumerate(rest[: _GREATEST_WORDS - len(words)]):
        if word.startswith("-"):
            words.append(_name_of(word))
            is_open = is_open and word in _WITHOUT_VALUE
        else:
            words.append(word if is_open and number < shown else HIDDEN)
    left = len(arguments) - len(words)
    return words if left <= 0 else [*words, f"... ({left} more)"]


def _shown(command: tuple[str, ...], words: int) -> int:
    """How many of the words behind a command are names."""
    if command in _OF_SECRETS:
        return 1 if words > 1 else 0  # one word alone: nobody can say whether it is the name
    return words if command in _OF_NAMES or (command[:1] and command[0] in _GROUPS_OF_NAMES) else 0


def _name_of(option: str) -> str:
    """An option without the value that may be glued to it."""
    if option.startswith("--"):
        name, equals, _ = option.partition("=")
        return f"{name}={HIDDEN}" if equals else name
    return option if len(option) <= len("-x") else f"{option[:2]}{HIDDEN}"
