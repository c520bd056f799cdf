"""One year of the CSV file as a Parquet partition, by DuckDB: typed days with their rolling means."""

from pathlib import Path


def write_year(csv_file: Path, year: int, parquet_file: Path) -> int:
    """Write the days of one year; answers how many. The 7 day means reach back into the year before."""
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute(
            """
            CREATE TEMP TABLE days AS
            SELECT strptime(date, '%Y/%m/%d')::DATE AS day,
                   precipitation, temp_max, temp_min, wind, weather,
                   avg(temp_max) OVER week AS week_max,
                   avg(temp_min) OVER week AS week_min
            FROM read_csv(?, header = true, columns = {
                'date': 'VARCHAR', 'precipitation': 'DOUBLE', 'temp_max': 'DOUBLE',
                'temp_min': 'DOUBLE', 'wind': 'DOUBLE', 'weather': 'VARCHAR'})
            WINDOW week AS (ORDER BY date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
            """,
            [str(csv_file)],
        )
        connection.execute("CREATE TEMP TABLE chosen AS SELECT * FROM days WHERE year(day) = ? ORDER BY day", [year])
        connection.table("chosen").write_parquet(str(parquet_file))
        ((count,),) = connection.execute("SELECT count(*) FROM chosen").fetchall()
    return count
