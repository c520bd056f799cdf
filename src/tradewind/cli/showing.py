"""`list` and `show`: environments as the API answers them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tradewind.cli.failures import Failure
from tradewind.cli.output import Output, aligned, document, line, paint, table
from tradewind.cli.places import hint, service_of
from tradewind.cli.service import Seen, Service

COLUMNS = ("NAME", "STATUS", "AIRFLOW", "CLASS", "URL")


def list_environments(data_dir: Path | None, output: Output) -> None:
    """One line an environment."""
    found = seen_all(service_of(data_dir))
    if output is Output.JSON:
        document([one.environment for one in found])
    elif found:
        table(COLUMNS, [row(one) for one in found])
    else:
        line(f"There are no environments. Create one with: tradewind create NAME --dags FOLDER{hint(data_dir)}")


def seen_all(service: Service) -> list[Seen]:
    """Every environment; one that is deleted meanwhile is left out."""
    return [seen for name in service.names() if (seen := service.find(name)) is not None]


def row(seen: Seen) -> tuple[str, ...]:
    """Its line in a table."""
    environment = seen.environment
    return (
        environment["Name"], seen.status, environment["AirflowVersion"], environment["EnvironmentClass"], seen.url,
    )  # fmt: skip


def show_environment(name: str, data_dir: Path | None, output: Output) -> None:
    """All members, and the error of a change that failed."""
    service = service_of(data_dir)
    seen = existing(service, name)
    if output is Output.JSON:
        document(seen.environment)
        return
    line(f"{name} is {paint(seen.status)}")
    if seen.failure:
        line(f"  because: {seen.failure}")
    line()
    members = [(key, value) for key, value in sorted(seen.environment.items()) if key not in {"Name", "Status"}]
    for text in list(aligned(("", ""), list(_flat(members))))[1:]:
        line(f"  {text}")


def existing(service: Service, name: str) -> Seen:
    """The environment of that name. Raises Failure."""
    seen = service.find(name)
    if seen is None:
        raise Failure(f"cannot find the environment {name}: there is none of that name")
    return seen


def _flat(members: list[tuple[str, Any]], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in members:
        if isinstance(value, Mapping) and value:
            yield from _flat(list(value.items()), f"{above}{key}.")
        elif isinstance(value, list):
            yield f"{above}{key}", ", ".join(map(str, value))
        elif not isinstance(value, Mapping):
            yield f"{above}{key}", value
