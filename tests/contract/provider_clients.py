"""Run by an environment's own Python, outside of Airflow: the amazon provider's MWAA clients with exported variables.

Arguments: the environment's name, a DAG and a new run's id. Writes one JSON object to the file named last.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook
from airflow.providers.amazon.aws.operators.mwaa import MwaaTriggerDagRunOperator
from airflow.providers.amazon.aws.sensors.mwaa import MwaaDagRunSensor
from botocore.exceptions import ClientError


def main(name: str, dag: str, run: str, answer: str) -> None:
    hook = MwaaHook()
    found = {"plain": hook.invoke_rest_api(env_name=name, path="/version", method="GET")}
    found["local"] = hook.invoke_rest_api(
        env_name=name, path="/dags", method="GET", query_params={"limit": 1}, generate_local_token=True,
        airflow_version=3,
    )  # fmt: skip
    try:
        hook.invoke_rest_api(env_name=name, path="/dags/nobody-wrote-this", method="GET")
    except ClientError as error:
        found["error"] = {"code": error.response["Error"]["Code"], "status": error.response["RestApiStatusCode"]}
    trigger = MwaaTriggerDagRunOperator(
        task_id="trigger",
        env_name=name,
        trigger_dag_id=dag,
        trigger_run_id=run,
        conf={"from": "outside"},
        note="by us",
        logical_date=datetime.now(UTC).isoformat(),
        wait_for_completion=True,
        waiter_delay=1,
        waiter_max_attempts=90,
    )
    found["triggered"] = trigger.execute({})
    sensor = MwaaDagRunSensor(
        task_id="wait", external_env_name=name, external_dag_id=dag, external_dag_run_id=run, poke_interval=1
    )
    sensor.execute({})
    found["run"] = hook.invoke_rest_api(env_name=name, path=f"/dags/{dag}/dagRuns/{run}", method="GET")
    Path(answer).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
