"""Airflow's own MWAA clients, unmodified, from inside an environment to the service that it belongs to.

They reach it through the connection `mwaa` (endpoint, keys, certificates), as the amazon provider documents it.
"""

import os

from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook
from airflow.providers.amazon.aws.operators.mwaa import MwaaTriggerDagRunOperator
from airflow.providers.amazon.aws.sensors.mwaa import MwaaDagRunSensor, MwaaTaskSensor
from airflow.sdk import dag, task

NAME = os.environ.get("AIRFLOW_ENV_NAME", "")
RUN = "{{ ti.xcom_pull(task_ids='trigger')['RestApiResponse']['dag_run_id'] }}"


@dag(schedule=None, tags=["tests"])
def mwaa_clients():
    @task
    def ask() -> dict:
        hook = MwaaHook(aws_conn_id="mwaa")
        plain = hook.invoke_rest_api(env_name=NAME, path="/dags/simple", method="GET")
        os.environ["REQUESTS_CA_BUNDLE"] = hook.conn_config.verify
        local = hook.invoke_rest_api(
            env_name=NAME, path="/dags/simple", method="GET", generate_local_token=True, airflow_version=3
        )
        return {"plain": plain["RestApiResponse"]["dag_id"], "local": local["RestApiResponse"]["dag_id"]}

    of_run = {"aws_conn_id": "mwaa", "external_env_name": NAME, "external_dag_id": "simple", "poke_interval": 2}
    trigger = MwaaTriggerDagRunOperator(
        task_id="trigger", aws_conn_id="mwaa", env_name=NAME, trigger_dag_id="simple", wait_for_completion=True,
        logical_date="{{ dag_run.run_after.isoformat() }}", waiter_delay=2, waiter_max_attempts=60,
    )  # fmt: skip
    run = MwaaDagRunSensor(task_id="run", external_dag_run_id=RUN, **of_run)
    one = MwaaTaskSensor(task_id="one", external_dag_run_id=RUN, external_task_id="add", **of_run)
    ask() >> trigger >> [run, one]


mwaa_clients()
