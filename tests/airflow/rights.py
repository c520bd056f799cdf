"""What tests of roles have in common: a DAG with all that rights are for, and an admin who gives roles."""

import httpx

DAG_FILE = """
from airflow.sdk import Asset, dag, task

@dag(dag_id="{dag}", schedule=None, tags=["{dag}"], is_paused_upon_creation=False, access_control={access})
def of():
    @task(outlets=[Asset("{dag}", uri="file:///{dag}")])
    def only():
        print("said by {dag}")
        return "{dag}"
    only()

of()
"""


def give(admin: httpx.Client, user: str, *names: str) -> None:
    """Set all the roles of a person, as the page of users does."""
    body = {"roles": [{"name": name} for name in names]}
    admin.patch(f"/auth/fab/v1/users/{user}", params={"update_mask": "roles"}, json=body).raise_for_status()
