"""The commands of snapshots and copies, and their options (see `app`)."""

# ruff: noqa: PLC0415  (imports inside functions: see app)

from typing import Annotated, Literal

import typer

from tradewind.cli.options import DataDir, Format, Name
from tradewind.cli.output import Output

snapshots = typer.Typer(
    help="Save an environment's database, settings and artefacts, and bring them back.", no_args_is_help=True
)
Id = Annotated[str, typer.Argument(help="The snapshot's id.", metavar="SNAPSHOT")]


Connections = Literal["keep", "mask", "remove"]
Rule = Annotated[
    Connections,
    typer.Option("--connections", help="What the copy gets of connections. mask: no passwords and extras."),
]


@snapshots.command()
def create(
    name: Name,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Return when it has been taken.")] = True,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """Take a snapshot of an environment, which goes on working."""
    from tradewind.cli.snapshots import take

    take(name, data_dir, output, wait=wait)


@snapshots.command(name="list")
def list_(
    name: Annotated[str | None, typer.Argument(help="Of this environment only.", metavar="NAME")] = None,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """List snapshots, the latest first."""
    from tradewind.cli.snapshots import show_all

    show_all(name, data_dir, output)


@snapshots.command()
def restore(
    *,
    snapshot: Id,
    new: Annotated[str | None, typer.Option("--as", help="Make a new environment of it.", metavar="NAME")] = None,
    connections: Annotated[
        Connections | None, typer.Option("--connections", help="With --as: what it gets of connections. Default: mask.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """Bring an environment back to a snapshot, or make a new one of it. DAGs stay what the bucket holds."""
    from tradewind.cli.snapshots import bring_back

    bring_back(snapshot, new, connections, data_dir, output, wait=wait)


@snapshots.command()
def delete(snapshot: Id, data_dir: DataDir = None, output: Format = Output.TEXT) -> None:
    """Remove a snapshot."""
    from tradewind.cli.snapshots import remove

    remove(snapshot, data_dir, output)


def fork(
    *,
    name: Name,
    new: Annotated[str, typer.Argument(help="The copy's name.", metavar="NEW")],
    connections: Rule = "mask",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """Copy an environment as it is now. The copy's schedules are paused, its connections masked."""
    from tradewind.cli.snapshots import copy

    copy(name, new, connections, data_dir, output, wait=wait)
