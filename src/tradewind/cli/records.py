"""The commands of the audit log, and their options (see `app`)."""

# ruff: noqa: PLC0415  (imports inside functions: see app)

from typing import Annotated

import typer

from tradewind.cli.options import DataDir, Format
from tradewind.cli.output import Output

audit = typer.Typer(help="Read and verify the log of every call, sign-in and command.", no_args_is_help=True)


@audit.command(name="list")
def list_(
    *,
    user: Annotated[
        str | None,
        typer.Option("--user", help="A user's, role's or session's name, an ARN, an access key id.", metavar="WHO"),
    ] = None,
    event: Annotated[
        str | None, typer.Option("--event", help="One kind of event: CreateEnvironment, ...", metavar="NAME")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="No older ones: 90m, 2h, 7d, or a moment.", metavar="TIME")
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only what was refused or failed.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="How many of the latest.", min=1, metavar="N")] = 50,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """List records, the latest last. With JSON: CloudTrail's {"Records": [...]}."""
    from datetime import UTC, datetime

    from tradewind.audit import Query
    from tradewind.cli.auditing import list_records, since_of

    moment = None if since is None else since_of(since, datetime.now(UTC))
    list_records(Query(user, event, moment, only_errors=errors, limit=limit), data_dir, output)


@audit.command()
def verify(
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="What an earlier verify printed: still part of the log?", metavar="COUNT:HASH"),
    ] = None,
    data_dir: DataDir = None,
    output: Format = Output.TEXT,
) -> None:
    """Check that no record was changed, removed, put in or cut off. Ends with 1 when one was."""
    from tradewind.cli.auditing import verify_log

    raise typer.Exit(verify_log(noted, data_dir, output))
