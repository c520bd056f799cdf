"""The commands and their options: what `--help` shows. Each hands over to a module that does the work.

Those modules are imported when their command runs: boto3 and the server's parts take seconds to load on a slow
disk, and help, completion and a mistyped option need none of it.
"""

# ruff: noqa: PLC0415  (imports inside functions: see above)

from pathlib import Path
from typing import Annotated

import typer

from tradewind.cli import copies, keys, records
from tradewind.cli.options import DataDir, Format, Name
from tradewind.cli.output import Output

app = typer.Typer(
    name="tradewind",
    help="A managed Apache Airflow service that you run yourself, with the Amazon MWAA API.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.add_typer(copies.snapshots, name="snapshot")
app.add_typer(keys.keys, name="keys")
app.command()(copies.fork)
app.add_typer(records.audit, name="audit")
Text = Output.TEXT

DAGS_FORMS = """\b
tradewind dags NAME                              list them, and files that cannot be loaded
tradewind dags NAME trigger DAG [--conf JSON] [--wait]
tradewind dags NAME state DAG [RUN]              the run and its tasks
tradewind dags NAME pause DAG
tradewind dags NAME unpause DAG
"""
LOGS_FORMS = """\b
tradewind logs NAME                              the end of every component's log
tradewind logs NAME scheduler                    one component, or all of its kind
tradewind logs NAME DAG TASK                     the newest try of a task
"""


def _print_version(asked: bool) -> None:
    if asked:
        from tradewind import __version__

        print(f"tradewind {__version__}")
        raise typer.Exit


@app.callback()
def everything(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """A managed Apache Airflow service that you run yourself, with the Amazon MWAA API."""


@app.command()
def up(
    data_dir: DataDir = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="Port of the API. Default: 8443, or the next free one.", min=1, max=65535),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when the API answers; the service goes on.")
    ] = False,
    output: Format = Text,
) -> None:
    """Start the service, and every environment that was there."""
    from tradewind.cli.serving import bring_up

    bring_up(data_dir, port, detach=detach, output=output)


@app.command()
def down(data_dir: DataDir = None, output: Format = Text) -> None:
    """Stop the service and everything that it started."""
    from tradewind.cli.serving import bring_down

    bring_down(data_dir, output)


@app.command()
def status(data_dir: DataDir = None, output: Format = Text) -> None:
    """Show the service and its environments."""
    from tradewind.cli.standing import show_status

    raise typer.Exit(show_status(data_dir, output))


@app.command()
def doctor(
    data_dir: DataDir = None,
    port: Annotated[int | None, typer.Option("--port", help="The port you mean to name.", min=1, max=65535)] = None,
    output: Format = Text,
) -> None:
    """Find and name what is wrong on this machine. Changes nothing."""
    from tradewind.cli.examining import examine_machine

    raise typer.Exit(examine_machine(data_dir, port, output))


@app.command()
def create(
    *,
    name: Name,
    dags: Annotated[Path, typer.Option("--dags", help="A folder of DAGs, or one DAG file.", metavar="PATH")],
    requirements: Annotated[
        Path | None, typer.Option("--requirements", help="A requirements.txt.", metavar="FILE")
    ] = None,
    plugins: Annotated[Path | None, typer.Option("--plugins", help="A plugins.zip.", metavar="FILE")] = None,
    startup_script: Annotated[
        Path | None, typer.Option("--startup-script", help="A startup.sh.", metavar="FILE")
    ] = None,
    environment_class: Annotated[
        str, typer.Option("--class", help="Environment class.", metavar="CLASS")
    ] = "mw1.micro",
    airflow_version: Annotated[str | None, typer.Option("--airflow-version", metavar="VERSION")] = None,
    min_workers: Annotated[int | None, typer.Option("--min-workers", metavar="N")] = None,
    max_workers: Annotated[int | None, typer.Option("--max-workers", metavar="N")] = None,
    schedulers: Annotated[int | None, typer.Option("--schedulers", metavar="N")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="An Airflow setting; may be repeated.", metavar="SECTION.KEY=VALUE"),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.", metavar="KEY=VALUE")] = None,
    bucket: Annotated[
        str | None, typer.Option("--bucket", help="Bucket for the files. Default: from the name.", metavar="BUCKET")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the creation to its end.")] = True,
    data_dir: DataDir = None,
    output: Format = Text,
) -> None:
    """Put DAGs into a bucket and create an environment from it."""
    from tradewind.cli.creating import Wishes, create_environment
    from tradewind.cli.deploying import artefacts

    wishes = Wishes(
        name=name,
        dags=dags,
        artefacts=artefacts(requirements, plugins, startup_script),
        environment_class=environment_class,
        airflow_version=airflow_version,
        min_workers=min_workers,
        max_workers=max_workers,
        schedulers=schedulers,
        options=tuple(option or ()),
        tags=tuple(tag or ()),
        bucket=bucket,
    )
    create_environment(wishes, data_dir, output, wait=wait)


@app.command()
def update(
    *,
    name: Name,
    requirements: Annotated[
        Path | None, typer.Option("--requirements", help="Another requirements.txt.", metavar="FILE")
    ] = None,
    plugins: Annotated[Path | None, typer.Option("--plugins", help="Another plugins.zip.", metavar="FILE")] = None,
    startup_script: Annotated[
        Path | None, typer.Option("--startup-script", help="Another startup.sh.", metavar="FILE")
    ] = None,
    environment_class: Annotated[
        str | None, typer.Option("--class", help="Another environment class.", metavar="CLASS")
    ] = None,
    airflow_version: Annotated[
        str | None, typer.Option("--airflow-version", help="Another version of Airflow, newer or older.")
    ] = None,
    min_workers: Annotated[int | None, typer.Option("--min-workers", metavar="N")] = None,
    max_workers: Annotated[int | None, typer.Option("--max-workers", metavar="N")] = None,
    schedulers: Annotated[int | None, typer.Option("--schedulers", metavar="N")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="An Airflow setting; may be repeated.", metavar="SECTION.KEY=VALUE"),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="An Airflow setting to take away; may be repeated.", metavar="SECTION.KEY"),
    ] = None,
    graceful: Annotated[
        bool, typer.Option("--graceful/--forced", help="Let replaced workers finish what they run.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Prepare and rehearse it, say what it would do, and leave it at that.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the update to its end.")] = True,
    data_dir: DataDir = None,
    output: Format = Text,
) -> None:
    """Change an environment. What is not named stays; what does not work is taken back."""
    from tradewind.cli.deploying import artefacts
    from tradewind.cli.updating import Changes, update_environment

    changes = Changes(
        name=name,
        artefacts=artefacts(requirements, plugins, startup_script),
        environment_class=environment_class,
        airflow_version=airflow_version,
        min_workers=min_workers,
        max_workers=max_workers,
        schedulers=schedulers,
        options=tuple(option or ()),
        without=tuple(without or ()),
        is_graceful=graceful,
        is_dry_run=dry_run,
    )
    update_environment(changes, data_dir, output, wait=wait)


@app.command(name="list")
def list_(data_dir: DataDir = None, output: Format = Text) -> None:
    """List the environments."""
    from tradewind.cli.showing import list_environments

    list_environments(data_dir, output)


@app.command()
def show(name: Name, data_dir: DataDir = None, output: Format = Text) -> None:
    """Show all of one environment."""
    from tradewind.cli.showing import show_environment

    show_environment(name, data_dir, output)


@app.command()
def delete(
    name: Name,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Return when nothing is left of it.")] = False,
    data_dir: DataDir = None,
    output: Format = Text,
) -> None:
    """Delete an environment. Its bucket stays."""
    from tradewind.cli.deleting import delete_environment

    delete_environment(name, data_dir, output, wait=wait)


@app.command(epilog=DAGS_FORMS)
def dags(
    *,
    name: Name,
    action: Annotated[str, typer.Argument(help="list, trigger, state, pause or unpause.", metavar="ACTION")] = "list",
    dag: Annotated[str | None, typer.Argument(help="The DAG.", metavar="DAG")] = None,
    run: Annotated[
        str | None, typer.Argument(help="With state: one run of it. Default: the latest.", metavar="RUN")
    ] = None,
    conf: Annotated[
        str | None,
        typer.Option("--conf", help="With trigger: the run's configuration, a JSON object.", metavar="JSON"),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="With trigger: follow the run to its end.")] = False,
    data_dir: DataDir = None,
    output: Format = Text,
) -> None:
    """List an environment's DAGs, trigger one, see how it does."""
    from tradewind.cli.dags import dags_command

    raise typer.Exit(dags_command(name, action, dag, run, conf=conf, wait=wait, data_dir=data_dir, output=output))


@app.command(epilog=LOGS_FORMS)
def logs(
    *,
    name: Name,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="A component (scheduler, worker-1, api-server, ...), or a DAG and its task.",
            metavar="COMPONENT|DAG TASK",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it is written, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0, metavar="N")] = 50,
    run: Annotated[
        str | None, typer.Option("--run", help="Of a task: this run. Default: what was written last.", metavar="RUN")
    ] = None,
    attempt: Annotated[int | None, typer.Option("--try", help="Of a task: this try.", metavar="N")] = None,
    map_index: Annotated[
        int | None, typer.Option("--map-index", help="Of a mapped task: this one.", metavar="N")
    ] = None,
    data_dir: DataDir = None,
    output: Format = Text,
) -> None:
    """Show what an environment's components or tasks wrote. Works after a failed creation too."""
    from tradewind.cli.logs import Wanted, show_logs

    wanted = Wanted(tuple(words or ()), follow=follow, lines=lines, run=run, attempt=attempt, map_index=map_index)
    show_logs(name, wanted, data_dir, output)


@app.command(name="open")
def open_(
    name: Name,
    only_print: Annotated[bool, typer.Option("--print", help="Only print the URL.")] = False,
    data_dir: DataDir = None,
    output: Format = Text,
) -> None:
    """Sign in to an environment's Airflow with a browser."""
    from tradewind.cli.signing_in import open_environment

    open_environment(name, data_dir, output, only_print=only_print)
