"""CreateCliToken and CreateWebLoginToken: signed tokens of 60 seconds, bound to one environment."""

from tradewind.access.identities import airflow_identity
from tradewind.access.tokens import Grant, mint_cli_token, mint_web_token
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.operations.environments import existing
from tradewind.api.services import Services
from tradewind.domain.environments import Environment
from tradewind.iam import Principal

_ROLES = ("Admin",)  # root may use every role; with IAM the roles follow from the caller's policies


def create_cli_token(services: Services, call: Call) -> Answer:
    """A token for `/aws_mwaa/cli`."""
    environment = ready(services, call["Name"])
    token = mint_cli_token(grant_of(call.principal, environment), services.account.token_key, services.now())
    return Answer({"CliToken": token, "WebServerHostname": services.host(environment)})


def create_web_login_token(services: Services, call: Call) -> Answer:
    """A token for the login endpoints."""
    environment = ready(services, call["Name"])
    grant = grant_of(call.principal, environment)
    return Answer(
        {
            "WebToken": mint_web_token(grant, services.account.token_key, services.now()),
            "WebServerHostname": services.host(environment),
            "IamIdentity": grant.iam_identity,
            "AirflowIdentity": grant.airflow_identity,
        }
    )


def grant_of(principal: Principal, environment: Environment) -> Grant:
    """Who this is for Airflow: a user name that follows from the IAM identity, and the roles IAM grants."""
    return Grant(
        environment_id=environment.id,
        environment_name=environment.name,
        iam_identity=principal.identity,
        airflow_identity=airflow_identity(principal.identity).user_name,
        roles=_ROLES,
    )


def ready(services: Services, name: str) -> Environment:
    """The environment, when its web server can be used. A deletion under way counts as not."""
    environment = existing(services, name)
    if not environment.is_up:
        raise validation(f"Environment {name} is not available: its status is {environment.status.value}.")
    return environment
