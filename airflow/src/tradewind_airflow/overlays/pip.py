"""`pip` inside a start-up script: its words, said to uv, which installs into the overlay of that kind of component.

The runtime is shared and cannot be written, and has no pip. `bin/pip` and the package `pip` in the script's folders
lead here (`recipe/startup.py`). What the runtime has counts as installed (`making`), and its lock constrains
everything, as MWAA's constraints do. Options that mean nothing here are left out, others are called as uv calls them,
and what neither knows uv refuses.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tradewind_airflow import overlays
from tradewind_airflow.overlays import making

_COMMANDS = ("install", "uninstall", "list", "show", "freeze", "check")
_PUBLIC_CONSTRAINTS = re.compile(
    r"https?://\S*/apache/airflow/(?:refs/(?:heads|tags)/)?constraints-([0-9][0-9a-z.]*)/\S*"
)
_PIP_ITSELF = re.compile(r"pip\s*(?:[=<>!~].*)?")
_WITHOUT_MEANING = frozenset({
    "--all", "--compile", "--disable-pip-version-check", "--isolated", "--local", "--no-clean", "--no-compile",
    "--no-input", "--no-python-version-warning", "--no-warn-conflicts", "--no-warn-script-location",
    "--prefer-binary", "--require-virtualenv", "--use-pep517", "--user", "--yes", "-l", "-y",
    "--break-system-packages",
})  # fmt: skip
_WITHOUT_MEANING_VALUED = frozenset({
    "--exists-action", "--log", "--progress-bar", "--root-user-action", "--upgrade-strategy",
})  # fmt: skip
_CALLED_OTHERWISE = {
    "--force-reinstall": "--reinstall", "--ignore-installed": "--reinstall", "-I": "--reinstall",
    "--no-cache-dir": "--no-cache", "--trusted-host": "--allow-insecure-host",
}  # fmt: skip
_AS_VARIABLES = {"--proxy": "ALL_PROXY", "--timeout": "UV_HTTP_TIMEOUT", "--retries": "UV_HTTP_RETRIES"}
_VALUED = frozenset({
    "--allow-insecure-host", "--cache-dir", "--cert", "--config-settings", "--constraint", "--extra-index-url",
    "--find-links", "--index-url", "--no-binary", "--only-binary", "--requirement", "-C", "-c", "-f", "-i", "-r",
})  # fmt: skip
_ELSEWHERE = ("--prefix", "--target", "-t")
# The installer reads its own variables; scripts for MWAA set pip's.
_VARIABLES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CONSTRAINT": "UV_CONSTRAINT", "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
}  # fmt: skip


class Refused(Exception):
    """pip here does not do that, and why."""


def main() -> int:
    """Do what the command line says, and answer the exit status."""
    overlay = Path(os.environ[overlays.VARIABLE])
    try:
        command = _command(sys.argv[1:])
        if command == "--version":
            sys.stdout.write(f"{_version(overlay)}\n")
            return 0
        name, *given = command
        told, variables = translated(name, given, airflow=os.environ.get("AIRFLOW_VERSION", ""))
        making.seed(overlay)
        if name == "uninstall":
            _refuse_the_runtimes(told, overlay)
    except Refused as reason:
        sys.stderr.write(f"pip: {reason}\n")
        return 2
    if name == "install" and not told:
        return 0
    place = [] if any(word.partition("=")[0] in _ELSEWHERE for word in told) else ["--target", str(overlay)]
    lock = ["--constraint", os.environ["TRADEWIND_CONSTRAINTS"]] if name == "install" else []
    words = [os.environ["TRADEWIND_UV"], "pip", name, "--python", sys.executable, *place, *lock, *told]
    return subprocess.run(words, env=_environment(variables), check=False).returncode


def translated(name: str, words: Iterable[str], *, airflow: str) -> tuple[list[str], dict[str, str]]:
    """A command's arguments as uv takes them, and variables in place of options. Raises Refused.

    Nothing is left where an installation was of pip alone, which is the service's own here.
    """
    told: list[str] = []
    variables: dict[str, str] = {}
    asked = False
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = _CALLED_OTHERWISE.get(option, option)
        if option in _WITHOUT_MEANING:
            continue
        if option in {"-e", "--editable"}:
            raise Refused("cannot install a folder as editable: nothing that the script leaves behind is looked at")
        if option in _WITHOUT_MEANING_VALUED or option in _AS_VARIABLES or option in _VALUED:
            value = value if equals else next(rest, "")
            if option in _AS_VARIABLES:
                variables[_AS_VARIABLES[option]] = value
            elif option in _VALUED and not (option in {"-c", "--constraint"} and _is_our_lock(value, airflow)):
                told += [option, value]
                asked = asked or option in {"-r", "--requirement"}
        elif word.startswith("-"):
            told.append(f"{option}{equals}{value}")
        elif name != "install" or not _PIP_ITSELF.fullmatch(word):
            told.append(word)
            asked = True
    return (told if asked or name != "install" else []), variables


def _command(words: list[str]) -> list[str] | str:
    """The command and its arguments; options that stand before it mean nothing, but for the version."""
    for at, word in enumerate(words):
        if word in {"--version", "-V"}:
            return "--version"
        if not word.startswith("-"):
            if word in _COMMANDS:
                return [word, *words[at + 1 :]]
            raise Refused(f"cannot {word}: in a start-up script it knows {', '.join(_COMMANDS)}")
    raise Refused(f"name a command: {', '.join(_COMMANDS)}")


def _is_our_lock(constraints: str, airflow: str) -> bool:
    """Whether they are Airflow's public ones, which our lock, that constrains everything, stands for."""
    public = _PUBLIC_CONSTRAINTS.fullmatch(constraints)
    if public and public[1] != airflow:
        raise Refused(f"cannot use the constraints of Airflow {public[1]}: this environment runs Airflow {airflow}")
    return public is not None


def _refuse_the_runtimes(told: list[str], overlay: Path) -> None:
    there = {_plain(found.name.partition("-")[0]): found.name for found in making.seeds(overlay)}
    for word in told:
        if _plain(word) in there:
            raise Refused(f"cannot uninstall {word}: it is the runtime's, which requirements.txt makes")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _environment(variables: dict[str, str]) -> dict[str, str]:
    given = dict(os.environ)
    for name in ("PYTHONPATH", overlays.VARIABLE):  # what it builds with has packages of its own
        given.pop(name, None)
    for pips, uvs in _VARIABLES.items():
        if given.get(pips):
            given[uvs] = given[pips]
    return given | variables


def _version(overlay: Path) -> str:
    uv = subprocess.run([os.environ["TRADEWIND_UV"], "--version"], capture_output=True, text=True, check=True)
    name, version, *_ = uv.stdout.split()
    return f"pip {name}-{version} from {overlay} (python {sys.version_info.major}.{sys.version_info.minor})"


if __name__ == "__main__":
    sys.exit(main())
