"""From a user's requirements.txt and our lock to what the resolver is asked: pure text work.

As MWAA does (its guide, "Installing Python dependencies", and the image's code): without a constraint
line of the user's own, the whole lock constrains the resolution; with one, only the essential packages
stay pinned. A line that names Airflow's public constraints file is answered from our lock, so that the
usual first line of an MWAA requirements file works offline. Pinning another Airflow is refused here, in
plainer words than a resolver has.

Wheels may come in plugins.zip, which MWAA's users name by the folder that it lands in there; the resolver finds
them in `WHEELS`, beside the file. `--no-index` means to them that no network is needed; what we add ourselves comes
from the installer's cache then.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tradewind.domain.errors import CannotProvide

# What the service itself stands on inside an environment (MWAA forces a like list).
ESSENTIAL = frozenset({
    "apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk", "apache-airflow-providers-amazon",
    "apache-airflow-providers-celery", "apache-airflow-providers-fab", "apache-airflow-providers-postgres",
    "apache-airflow-providers-standard", "celery", "kombu", "redis", "sqlalchemy", "flask-appbuilder",
    "psycopg2-binary", "asyncpg",
})  # fmt: skip

MWAA_PLUGINS = "/usr/local/airflow/plugins"
WHEELS = "plugins"
_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
_NO_INDEX = re.compile(r"\s*--no-index\s*(?:#.*)?")

_PUBLIC_CONSTRAINTS = re.compile(
    r"https?://\S*/apache/airflow/(?:refs/(?:heads|tags)/)?constraints-(?P<version>[0-9][0-9a-z.]*)/constraints[\w.-]*\.txt"
)
_CONSTRAINT_LINE = re.compile(r"^\s*(?:-c|--constraint)(?:\s+|=)(?P<target>\S+)")
_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$"
)
_AIRFLOW = re.compile(
    r"^\s*apache[-_.]airflow(?:[-_.]core)?\s*(?:\[[^\]]*\])?\s*(?P<specifier>(?:[=<>!~]=?=?\s*[^\s;,#]+\s*,?\s*)+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Resolution:
    """What to hand to the resolver: requirement lines, constraint lines, and whether it may use the network."""

    requirements: str
    constraints: str
    offline: bool = False


def pins(lock: str) -> dict[str, str]:
    """Package to version of a lock made by `uv pip compile`, markers left out; the first mention wins."""
    found: dict[str, str] = {}
    for line in lock.splitlines():
        match = _PIN.match(line)
        if match:
            found.setdefault(match["name"].lower(), match["version"])
    return found


def constraints(lock: str, only: Iterable[str] | None = None) -> str:
    """The lock as constraint lines, hashes left out."""
    wanted = None if only is None else frozenset(only)
    lines = []
    for line in lock.splitlines():
        match = _PIN.match(line)
        if match and (wanted is None or match["name"].lower() in wanted):
            marker = f" ; {match['marker'].strip()}" if match["marker"] else ""
            lines.append(f"{match['name']}=={match['version']}{marker}")
    return "\n".join(lines) + "\n"


def is_distribution(name: str) -> bool:
    """Whether a file of plugins.zip may be a package for the installer."""
    return name.endswith(_DISTRIBUTIONS)


def asks_for_nothing(requirements: str) -> bool:
    """Whether a file holds only blank lines and comments: then the lock itself is the answer."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in requirements.splitlines())


def resolution(requirements: str, *, version: str, lock: str) -> Resolution:
    """What to ask the resolver for a user's file. Raises CannotProvide when it pins another Airflow."""
    kept: list[str] = []
    own_constraints = offline = False
    for written in requirements.splitlines():
        line = written.replace(MWAA_PLUGINS, f"./{WHEELS}")
        if _NO_INDEX.fullmatch(line):
            offline = True
            continue
        _refuse_other_airflow(line, version)
        constraint = _CONSTRAINT_LINE.match(line)
        if constraint is None:
            kept.append(line)
            continue
        public = _PUBLIC_CONSTRAINTS.fullmatch(constraint["target"].strip("\"'"))
        if public is None:
            own_constraints = True
            kept.append(line)
        elif public["version"] != version:
            raise CannotProvide(
                f"cannot use requirements.txt: it names the constraints of Airflow {public['version']}, "
                f"and this environment runs Airflow {version}",
                "INCORRECT_CONFIGURATION",
            )
    essential = [f"{name}=={found}" for name, found in pins(lock).items() if name in ESSENTIAL]
    return Resolution(
        requirements="\n".join([*kept, *essential]) + "\n",
        constraints=constraints(lock, ESSENTIAL if own_constraints else None),
        offline=offline,
    )


def _refuse_other_airflow(line: str, version: str) -> None:
    match = _AIRFLOW.match(line)
    if match is None:
        return
    for specifier in match["specifier"].split(","):
        exact = re.fullmatch(r"\s*(?:===?)\s*([0-9][0-9a-z.]*)\s*", specifier)
        if exact and exact[1] != version:
            raise CannotProvide(
                f"cannot use requirements.txt: the line {line.strip()!r} asks for Airflow {exact[1]}, "
                f"and this environment runs Airflow {version}",
                "INCORRECT_CONFIGURATION",
            )
