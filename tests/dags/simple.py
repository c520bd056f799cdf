"""Two tasks and an XCom between them: the smallest DAG that proves a whole environment."""

from airflow.sdk import dag, task


@dag(schedule=None, tags=["tests"])
def simple():
    @task
    def give() -> int:
        return 41

    @task
    def add(number: int) -> int:
        return number + 1

    add(give())


simple()
