"""Which of Airflow's default roles IAM gives somebody in one environment.

As MWAA does (User Guide, "access-policies"): each role is a resource of its own,
`arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/Admin` and the like, and whoever may use the action on it has the
role. The environment's own ARN does not count. Custom roles are Airflow's affair: an admin gives them inside.
"""

from tradewind.domain.arns import Place
from tradewind.iam import Context, Holding, Principal, Request, authorise

ROLES = ("Admin", "Op", "User", "Viewer", "Public")
WEB_LOGIN = "airflow:CreateWebLoginToken"


def airflow_roles(
    principal: Principal,
    holding: Holding,
    environment_name: str,
    place: Place,
    context: Context,
    *,
    action: str = WEB_LOGIN,
) -> tuple[str, ...]:
    """Every default role that the caller may use, in the order of `ROLES`; none is an empty tuple.

    `action` is `airflow:CreateWebLoginToken` or, for calls of Airflow's REST API, `airflow:InvokeRestApi`.
    """
    return tuple(
        role
        for role in ROLES
        if authorise(principal, holding, Request(action, place.airflow_role(environment_name, role), context))
    )
