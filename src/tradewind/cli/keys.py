"""The commands of keys, and their options (see `app`)."""

# ruff: noqa: PLC0415  (imports inside functions: see app)

from typing import Annotated

import typer

from tradewind.cli.options import DataDir, Format
from tradewind.cli.output import Output

keys = typer.Typer(help="Show what secrets are encrypted with, and replace keys.", no_args_is_help=True)


@keys.command()
def show(data_dir: DataDir = None, output: Format = Output.TEXT) -> None:
    """Show master keys by their ids, where they come from, and how many secrets each has sealed. No key is shown."""
    from tradewind.cli.rotating import show_all

    show_all(data_dir, output)


@keys.command()
def rotate(
    *,
    master: Annotated[bool, typer.Option("--master", help="A new master key; all secrets are sealed anew.")] = False,
    fernet: Annotated[
        list[str] | None,
        typer.Option("--fernet", help="A new Fernet key for this environment. May be repeated.", metavar="NAME"),
    ] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="New Fernet keys for all environments.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow Fernet keys to their end.")] = True,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """Replace keys while the service works. With a new Fernet key an environment's connections and variables follow."""
    from tradewind.cli.rotating import Wanted, rotate_keys

    if not (master or fernet or everywhere):
        raise typer.BadParameter("say what: --master, --fernet NAME or --all", param_hint="rotate")
    if fernet and everywhere:
        raise typer.BadParameter("--fernet names environments, and --all means every one: give one of them")
    rotate_keys(Wanted(master=master, names=tuple(fernet or ()), everywhere=everywhere), data_dir, output, wait=wait)
