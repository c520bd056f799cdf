"""A table and a picture from the warehouse. Runs whenever `weather_etl` has updated the asset `weather_warehouse`.

It leaves `weather/report/table.json`, `report.md` and `seattle-weather.png` in the bucket.
"""

from airflow.sdk import Asset, dag, task
from weather import storage

WAREHOUSE = "warehouse.duckdb"


@dag(
    schedule=[Asset("weather_warehouse")],
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=["weather", "example"],
    doc_md=__doc__,
)
def weather_report():
    @task
    def table() -> list[dict]:
        """One row a year, as JSON and as Markdown."""
        import json

        from weather import report, warehouse

        with storage.local_copies(WAREHOUSE) as (file,):
            years = warehouse.years(file)
        storage.write("report/table.json", json.dumps(years, indent=2).encode())
        storage.write("report/report.md", report.markdown(years).encode())
        return years

    @task
    def picture() -> str:
        """The PNG."""
        from weather import report, warehouse

        with storage.local_copies(WAREHOUSE) as (file,):
            image = report.picture(warehouse.days(file), warehouse.months(file))
        return storage.write("report/seattle-weather.png", image)

    @task
    def publish(years: list[dict], image: str) -> str:
        """Say what there is, in the log and as the run's result."""
        from weather import report

        print(report.markdown(years))
        return f"{len(years)} years and {image} in {storage.bucket()}"

    publish(table(), picture())


weather_report()
