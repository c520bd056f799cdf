"""What `make demo` runs: from nothing to a real pipeline's result, through the MWAA API with boto3.

Brings the service up (unless it runs), creates the environment `demo` from this example's files (unless it is
there), triggers `weather_etl`, follows it and the asset-scheduled `weather_report` to their ends, and prints the
result and where to look. It can be run again and again. The service stays up; `make stop` stops it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tradewind.bootstrap.announcement import Announcement, recall
from tradewind.cli.dags import follow_run
from tradewind.cli.deploying import artefacts, deploy, put_artefacts
from tradewind.cli.failures import INTERRUPTED, UNREACHABLE, Failure, explain
from tradewind.cli.following import Watch, until_created, until_deleted
from tradewind.cli.output import Live, aligned, live
from tradewind.cli.runs import Airflow
from tradewind.cli.service import Seen, Service, of
from tradewind.cli.serving import exports
from tradewind.settings import Settings, read

HERE = Path(__file__).resolve().parent
TRADEWIND = Path(sys.executable).parent / "tradewind"
NAME, BUCKET = "demo", "tradewind-demo"
ETL, REPORT = "weather_etl", "weather_report"
AIRFLOW_SECONDS, DAGS_SECONDS, RUN_SECONDS, ASSET_SECONDS = 180.0, 120.0, 600.0, 120.0
COLUMNS = {
    "year": "YEAR", "days": "DAYS", "mean_temperature": "MEAN °C", "hottest": "HOTTEST °C", "hottest_day": "ON",
    "coldest": "COLDEST °C", "coldest_day": "ON", "rain_mm": "RAIN mm", "wet_days": "WET DAYS", "snow_days": "SNOW DAYS",
}  # fmt: skip


def main() -> int:
    settings = read(os.environ)
    say("Tradewind: a real pipeline in a real Airflow, through the MWAA API")
    try:
        started = time.monotonic()
        announcement = bring_up(settings)
        put = deploy(settings.layout.buckets, BUCKET, HERE / "dags")
        put_artefacts(settings.layout.buckets / BUCKET, artefacts(HERE / "requirements.txt", None, None))
        say(f"Deployed {put.files} DAG files to {put.folder}, and a requirements.txt")
        service = Service(of(announcement))
        with live(stderr=False) as telling:
            seen = have_environment(service, telling)
            airflow = Airflow(service, NAME, patience=60.0)
            wait_for_dags(airflow, telling)
            etl = run_etl(airflow, telling)
            run_report(airflow, etl, telling)
        show_result(settings, service.endpoint.url, seen, announcement, time.monotonic() - started)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; the service goes on (make stop stops it)", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("TRADEWIND_DEBUG"):
            raise
        failure = explain(error)
        print(f"demo: {failure.sentence}", file=sys.stderr)
        for line in failure.evidence[-20:]:
            print(f"  | {line}", file=sys.stderr)
        print(f"demo: logs: {TRADEWIND} logs {NAME}; the service's own: {settings.layout.logs}", file=sys.stderr)
        print(f"demo: what this machine lacks: {TRADEWIND} doctor", file=sys.stderr)
        return failure.status
    return 0


def bring_up(settings: Settings) -> Announcement:
    """The service that runs on the data directory, or a new one, detached."""
    running = recall(settings.layout)
    if running is not None and running.process() is not None:
        say(f"The service runs already: {running.endpoint_url}")
        return running
    say("Starting the service ...")
    started = time.monotonic()
    done = subprocess.run(
        [TRADEWIND, "up", "--detach", "--output", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    announcement = recall(settings.layout)
    if done.returncode != 0 or announcement is None:
        words = done.stderr.strip().splitlines() or ["cannot start the service: it said nothing"]
        raise Failure(words[0].removeprefix("tradewind: "), evidence=tuple(words[1:]))
    say(f"The service is up after {time.monotonic() - started:.1f} s: {announcement.endpoint_url}")
    return announcement


def have_environment(service: Service, telling: Live) -> Seen:
    """The environment, AVAILABLE: the one that is there, or a new one."""
    watch = Watch(lambda: service.find(NAME), telling)
    seen = service.find(NAME)
    if seen is not None and seen.status == "CREATE_FAILED":
        telling.say(f"The environment {NAME} could not be created earlier: {seen.failure}")
        telling.say("Deleting it, to create it anew")
        service.client.delete_environment(Name=NAME)
        seen = service.find(NAME)
    if seen is not None and seen.status == "DELETING":
        until_deleted(watch, NAME, seen.id, seen.progress)
        seen = None
    if seen is not None and seen.status == "AVAILABLE":
        telling.say(f"The environment {NAME} is there already")
        return seen
    started = time.monotonic()
    if seen is None:
        service.client.create_environment(
            Name=NAME,
            EnvironmentClass="mw1.micro",
            SourceBucketArn=f"arn:aws:s3:::{BUCKET}",
            DagS3Path="dags",
            RequirementsS3Path="requirements.txt",
            ExecutionRoleArn=f"arn:aws:iam::{service.endpoint.account_id}:role/tradewind-execution",
            NetworkConfiguration={"SubnetIds": ["subnet-demo-a", "subnet-demo-b"], "SecurityGroupIds": ["sg-demo"]},
            WebserverAccessMode="PUBLIC_ONLY",
        )
    telling.say(f"Creating the environment {NAME} (Airflow {service.get(NAME).environment['AirflowVersion']}, mw1.micro):")
    seen = until_created(watch, NAME)
    telling.say(f"Created in {time.monotonic() - started:.1f} s")
    return seen


def wait_for_dags(airflow: Airflow, telling: Live) -> None:
    """Return when Airflow answers and knows both DAGs. After a restart of the service its processes are only starting."""
    telling.show("waiting for Airflow")
    impatient = Airflow(airflow.service, airflow.name)
    wait_until(lambda: answers(impatient), AIRFLOW_SECONDS, "Airflow's web server does not answer")
    telling.show("waiting for the DAGs")
    wait_until(
        lambda: {ETL, REPORT} <= {dag["dag_id"] for dag in airflow.dags()},
        DAGS_SECONDS,
        "Airflow does not know the DAGs",
        lambda: "; ".join(f"{one['filename']}: {one['stack_trace'].strip()}" for one in airflow.import_errors()),
    )
    for dag in (ETL, REPORT):
        airflow.pause(dag, paused=False)


def answers(airflow: Airflow) -> bool:
    """Whether Airflow answers; its web server says 503 while it is starting."""
    try:
        airflow.import_errors()
    except Exception as error:
        if explain(error).status != UNREACHABLE:
            raise
        return False
    return True


def run_etl(airflow: Airflow, telling: Live) -> str:
    """Trigger the pipeline and follow it. Answers the run's id."""
    run = str(airflow.trigger(ETL, {})["dag_run_id"])
    telling.say(f"Running {ETL} ({run}):")
    follow(airflow, ETL, run, telling)
    return run


def run_report(airflow: Airflow, etl: str, telling: Live) -> None:
    """Follow the run that the pipeline's asset brings about."""
    telling.show(f"waiting for {REPORT}, which the asset starts")
    found: list[Any] = []

    def caused() -> bool:
        found[:] = filter(None, [airflow.run_after_asset(REPORT, etl)])
        return bool(found)

    wait_until(caused, ASSET_SECONDS, f"the asset has started no run of {REPORT}")
    run = str(found[0]["dag_run_id"])
    telling.say(f"Running {REPORT}, which the asset started ({run}):")
    follow(airflow, REPORT, run, telling)


def follow(airflow: Airflow, dag: str, run: str, telling: Live) -> None:
    started = time.monotonic()
    ended = follow_run(airflow, dag, run, telling, limit=RUN_SECONDS)
    if ended["state"] != "success":
        broken = [task.task for task in airflow.tasks(dag, run) if task.state == "failed"]
        look = f"; see tradewind logs {NAME} {dag} {broken[0]}" if broken else ""
        raise Failure(f"cannot show a result: the run {run} of {dag} is {ended['state']}{look}")
    telling.say(f"{dag} succeeded in {time.monotonic() - started:.1f} s")


def wait_until(
    look: Callable[[], bool], seconds: float, problem: str, evidence: Callable[[], str] = lambda: ""
) -> None:
    """Look twice a second. Raises Failure when it does not come true in that many seconds."""
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            words = evidence()
            raise Failure(f"cannot go on: {problem} after {seconds:.0f} s" + (f": {words}" if words else ""))
        time.sleep(0.5)


def show_result(settings: Settings, endpoint: str, seen: Seen, announcement: Announcement, seconds: float) -> None:
    report = settings.layout.buckets / BUCKET / "weather" / "report"
    try:
        rows = json.loads((report / "table.json").read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"cannot show the result: {report / 'table.json'}: {error}") from error
    say("")
    for line in aligned(list(COLUMNS.values()), [[row[key] for key in COLUMNS] for row in rows]):
        say(f"  {line}")
    where = "" if "TRADEWIND_DATA_DIR" not in os.environ else f" --data-dir {settings.data_dir}"
    command = TRADEWIND if not TRADEWIND.is_relative_to(Path.cwd()) else TRADEWIND.relative_to(Path.cwd())
    say("")
    say(f"Done in {seconds:.1f} s.")
    say("")
    say(f"  the picture      {report / 'seattle-weather.png'}")
    say(f"  Airflow          {seen.url}")
    say(f"  sign in          {command} open {NAME}{where}")
    say(f"  its DAGs         {command} dags {NAME}{where}")
    say(f"  a task's log     {command} logs {NAME} {ETL} transform{where}")
    say(f"  the MWAA API     {endpoint}, for the AWS CLI and boto3 with:")
    say("")
    for name, value in exports(announcement).items():
        say(f"    export {name}={value}")
    say("")
    say(f"  stop everything  {'TRADEWIND_DATA_DIR=' + str(settings.data_dir) + ' ' if where else ''}make stop")



def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
