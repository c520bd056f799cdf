"""Which IAM action and resource each operation stands for.

Source: service authorization reference for `airflow`. Web login and InvokeRestApi are authorised on the
Airflow role's ARN alone, ListEnvironments on `*` (MWAA User Guide, "access-policies").
"""

from collections.abc import Mapping
from typing import Any

from tradewind.domain.arns import Place

_ON_ROLE = {"CreateWebLoginToken", "InvokeRestApi"}
_ON_ARN = {"TagResource", "UntagResource", "ListTagsForResource"}


def action(operation: str, service: str = "mwaa") -> str:
    """`airflow:` and the operation's own name, for all twelve of MWAA; `tradewind:` for ours."""
    return f"{'tradewind' if service == 'tradewind' else 'airflow'}:{operation}"


def resource(operation: str, parameters: Mapping[str, Any], place: Place) -> str:
    """The ARN that the decision is about. Parameters are not checked yet: anything may be missing."""
    if operation == "ListEnvironments":
        return "*"
    if operation in _ON_ARN:
        return str(parameters.get("ResourceArn", "*"))
    if "SnapshotId" in parameters:
        return place.snapshot(str(parameters["SnapshotId"]))
    if operation == "ListSnapshots":
        return "*"
    name = str(parameters.get("Name") or parameters.get("EnvironmentName") or "*")
    return place.airflow_role(name, "Admin") if operation in _ON_ROLE else place.environment(name)
