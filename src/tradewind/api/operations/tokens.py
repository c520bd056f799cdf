"""CreateCliToken and CreateWebLoginToken: signed tokens of 60 seconds, bound to one environment.

How often an identity may ask is limited for each environment (docs/sign-in.md): a token is a way in that is
written down nowhere until it is used.
"""

from tradewind.access.identities import airflow_identity
from tradewind.access.roles import airflow_roles
from tradewind.access.tokens import Grant, mint_cli_token, mint_web_token
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.operations.environments import existing
from tradewind.api.services import Services
from tradewind.domain.environments import Environment
from tradewind.wire import FrontDoorError

_ADMIN = "Admin"


def create_cli_token(services: Services, call: Call) -> Answer:
    """A token for `/aws_mwaa/cli`. Its commands have the database: whoever may ask for one is an administrator."""
    environment = ready(services, call["Name"])
    grant = _grant(call, environment, (_ADMIN,))
    _throttle(services, call, environment)
    token = mint_cli_token(grant, services.account.token_key, services.now())
    return Answer({"CliToken": token, "WebServerHostname": services.host(environment)})


def create_web_login_token(services: Services, call: Call) -> Answer:
    """A token for the login endpoints."""
    environment = ready(services, call["Name"])
    grant = grant_of(services, call, environment)
    _throttle(services, call, environment)
    return Answer(
        {
            "WebToken": mint_web_token(grant, services.account.token_key, services.now()),
            "WebServerHostname": services.host(environment),
            "IamIdentity": grant.iam_identity,
            "AirflowIdentity": grant.airflow_identity,
        }
    )


def grant_of(services: Services, call: Call, environment: Environment) -> Grant:
    """Who this is for Airflow: a user name that follows from the IAM identity, and the roles that IAM grants now."""
    caller = call.caller
    roles = airflow_roles(
        caller.principal,
        caller.holding,
        environment.name,
        services.place,
        caller.context(),
        action=f"airflow:{call.operation}",
    )
    return _grant(call, environment, roles)


def _throttle(services: Services, call: Call, environment: Environment) -> None:
    name = f"{call.principal.identity} {environment.id}"
    if services.token_calls.wait(name):
        raise FrontDoorError("ThrottlingException", "Rate exceeded")
    services.token_calls.take(name)


def _grant(call: Call, environment: Environment, roles: tuple[str, ...]) -> Grant:
    identity = call.principal.identity
    return Grant(environment.id, environment.name, identity, airflow_identity(identity).user_name, roles)


def ready(services: Services, name: str) -> Environment:
    """The environment, when its web server can be used. A deletion under way counts as not."""
    environment = existing(services, name)
    if not environment.is_up:
        raise validation(f"Environment {name} is not available: its status is {environment.status.value}.")
    return environment
