"""May this principal do this action on this resource? The order of AWS's evaluation logic, first rung only.

Root of the account is allowed everything in its account; nobody else exists yet.
"""

from tradewind.iam.decisions import Allowed, Decision, Denied
from tradewind.iam.principals import Principal


def authorise(principal: Principal, action: str, resource: str) -> Decision:
    """Decide one action (`airflow:GetEnvironment`) on one resource ARN or `*`."""
    if principal.is_root:
        return Allowed(f"{principal.arn} is the account's root")
    return Denied(
        f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} "
        "because no identity-based policy allows the action"
    )
