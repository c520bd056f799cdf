"""Who a task is to AWS's API, by nothing but what its environment gives it."""

from airflow.sdk import dag, task


@dag(schedule=None, tags=["tests"])
def whoami():
    @task
    def ask() -> dict:
        import boto3

        session = boto3.session.Session()
        found = session.client("sts").get_caller_identity()
        return {
            "Arn": found["Arn"],
            "Account": found["Account"],
            "method": session.get_credentials().method,
        }

    ask()


whoami()
