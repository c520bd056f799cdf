"""What this service does not have of IAM: asked for, it says truly that there is none.

Terraform and the AWS CLI ask for these before they delete a user or a role. There are no passwords, MFA devices, SSH
keys, certificates, service-specific credentials, instance profiles or identity providers here. Making one is not
implemented, and the service says so.
"""

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.serving import IamOperation, IamServices
from tradewind.iam.entities import EntityKind
from tradewind.iam.refusals import no_such
from tradewind.wire import WireError


def none_of_user(member: str) -> IamOperation:
    """An empty list of something that a user, the named one or the caller, could have. Raises Refused."""

    def answer(services: IamServices, call: Call) -> Answer:
        if call.get("UserName") is not None:
            services.identities.entities.get(EntityKind.USER, call["UserName"])
        return Answer({member: [], "IsTruncated": False})

    return answer


def none_of_account(member: str, *, is_paged: bool = True) -> IamOperation:
    """An empty list of something that the account could have."""

    def answer(_services: IamServices, _call: Call) -> Answer:
        return Answer({member: [], **({"IsTruncated": False} if is_paged else {})})

    return answer


def list_instance_profiles_for_role(services: IamServices, call: Call) -> Answer:
    """None: instances are EC2's."""
    services.identities.entities.get(EntityKind.ROLE, call["RoleName"])
    return Answer({"InstanceProfiles": [], "IsTruncated": False})


def list_service_specific_credentials(services: IamServices, call: Call) -> Answer:
    """None; its answer has pages in newer models only."""
    if call.get("UserName") is not None:
        services.identities.entities.get(EntityKind.USER, call["UserName"])
    return Answer({"ServiceSpecificCredentials": []})


def get_login_profile(services: IamServices, call: Call) -> Answer:
    """No user has a password: people sign in with what an access key gives them."""
    name = call.get("UserName") or call.principal.user_name or "root"
    if call.get("UserName") is not None:
        services.identities.entities.get(EntityKind.USER, name)
    raise no_such(f"Login Profile for User {name} cannot be found.")


def get_account_password_policy(services: IamServices, _call: Call) -> Answer:
    """There are no passwords to have a policy for."""
    account = services.identities.home.account
    raise no_such(f"The Password Policy with domain name {account} cannot be found.")


def create_service_linked_role(_services: IamServices, call: Call) -> Answer:
    """Refused by name: MWAA's own role is the service's, and no other service is here."""
    raise WireError(
        "NotImplementedException",
        f"CreateServiceLinkedRole is not supported here: {call['AWSServiceName']} needs no such role.",
    )
