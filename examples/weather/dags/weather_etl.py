"""Seattle's weather from a delivered CSV file into a warehouse.

extract → settle → validate → transform (one mapped task a year) → load. `load` updates an asset, and that starts
the DAG `weather_report`.

The retry of `settle` is real, and happens once in every run. A file that appears in a landing folder may still be
growing, and a folder cannot tell; so a delivery counts as whole only when two looks, some time apart, see the
same. The first try notes what it saw in the bucket and fails; Airflow tries again after a second; the second
try compares.
"""

import datetime as dt

from airflow.sdk import Asset, dag, get_current_context, task
from weather import checks, source, storage

LANDING = "landing/seattle-weather.csv"
RAW = "raw/seattle-weather.csv"
WAREHOUSE = "warehouse.duckdb"
weather_warehouse = Asset("weather_warehouse")


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,  # the warehouse has one writer
    is_paused_upon_creation=False,
    tags=["weather", "example"],
    doc_md=__doc__,
)
def weather_etl():
    @task
    def extract() -> str:
        """Deliver the file that the package ships into the landing folder of the bucket."""
        return storage.write(LANDING, source.read_source())

    @task(retries=3, retry_delay=dt.timedelta(seconds=1))
    def settle(landing: str) -> str:
        """Accept the delivery when it is the same as at the try before; the first try of a run always fails."""
        marker = f"landing/seen/{get_current_context()['run_id']}"
        content = storage.read(landing)
        if content is None:
            raise source.NotSettled(f"{landing} is not there")
        now, before = source.fingerprint(content), storage.read(marker)
        storage.write(marker, now.encode())
        source.require_settled(now, before.decode() if before is not None else None)
        return storage.write(RAW, content)

    @task
    def validate(raw: str) -> list[int]:
        """Refuse a file with a wrong, doubtful or missing day; answers the years that are in it."""
        import json

        from airflow.sdk.exceptions import AirflowFailException

        quality = checks.check((storage.read(raw) or b"").decode())
        summary = {"rows": quality.rows, "years": quality.years, "problems": quality.problems}
        storage.write("quality.json", json.dumps(summary, indent=2).encode())
        if quality.problems:  # another try would find the same
            raise AirflowFailException(f"{len(quality.problems)} problems: " + "; ".join(quality.problems[:10]))
        print(f"{quality.rows} days of {len(quality.years)} years, no problem")
        return list(quality.years)

    @task(map_index_template="{{ task.op_kwargs['year'] }}")
    def transform(raw: str, year: int) -> str:
        """One year as a Parquet partition."""
        import tempfile
        from pathlib import Path

        from weather.transform import write_year

        with storage.local_copies(raw) as (csv_file,), tempfile.TemporaryDirectory() as folder:
            partition = Path(folder) / "days.parquet"
            print(f"{year}: {write_year(csv_file, year, partition)} days")
            return storage.write(f"years/{year}.parquet", partition.read_bytes())

    @task(outlets=[weather_warehouse])
    def load(partitions: list[str]) -> int:
        """All partitions into the warehouse, at once or not at all; answers how many days it holds."""
        from weather import warehouse

        with storage.local_copies(WAREHOUSE, *partitions) as (file, *parts):
            count = warehouse.load(file, parts)
            storage.write(WAREHOUSE, file.read_bytes())
        print(f"the warehouse holds {count} days")
        return count

    raw = settle(extract())
    load(transform.partial(raw=raw).expand(year=validate(raw)))


weather_etl()
