"""Options and arguments that many commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

from tradewind.cli.output import Output

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where everything lies. Default: TRADEWIND_DATA_DIR, else the user's data home.",
        metavar="DIR",
    ),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="How results are printed.")]
Name = Annotated[str, typer.Argument(help="The environment's name.", metavar="NAME")]
