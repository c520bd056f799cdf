"""A command of Airflow's command line as the audit log may hold it.

`variables set` and `connections add` carry secrets, `--conf` of a run may, and argparse takes an option's value in many
spellings (`--conf=x`, `-cx`, `--con x`). So it is the other way round: shown are the group, the subcommand, the words
before the first option, and the names of options; of the two commands that are about secrets only the first
word (the variable's or the connection's name). Everything else is hidden.
"""

from collections.abc import Sequence

HIDDEN = "HIDDEN"
_OF_SECRETS = frozenset({("variables", "set"), ("connections", "add")})
_WITHOUT_VALUE = frozenset({"--help", "-h", "--verbose", "-v", "--yes", "-y"})
_GREATEST_WORDS = 50
_COMMAND_WORDS = 2


def redact_command(arguments: Sequence[str]) -> list[str]:
    """The words to record: as many as there are (up to fifty), some of them hidden."""
    command, rest = list(arguments[:_COMMAND_WORDS]), list(arguments[_COMMAND_WORDS:])
    if any(word.startswith("-") for word in command):  # an option where a command belongs: it is refused
        command, rest = [], list(arguments)
    shown = 1 if tuple(command) in _OF_SECRETS else len(rest)
    if tuple(command) in _OF_SECRETS and len(rest) == 1:
        shown = 0  # one word alone: nobody can say whether it is the name
    words, is_open = list(command), True
    for number, word in enumerate(rest[: _GREATEST_WORDS - len(words)]):
        if word.startswith("-"):
            words.append(_name_of(word))
            is_open = is_open and word in _WITHOUT_VALUE
        else:
            words.append(word if is_open and number < shown else HIDDEN)
    left = len(arguments) - len(words)
    return words if left <= 0 else [*words, f"... ({left} more)"]


def _name_of(option: str) -> str:
    """An option without the value that may be glued to it."""
    if option.startswith("--"):
        name, equals, _ = option.partition("=")
        return f"{name}={HIDDEN}" if equals else name
    return option if len(option) <= len("-x") else f"{option[:2]}{HIDDEN}"
