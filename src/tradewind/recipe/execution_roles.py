"""How an environment's tasks get credentials of its execution role, and where AWS's clients in it find this service.

As on MWAA every process of an environment may use the execution role, by AWS's own protocol for containers: a server
of the environment's own on loopback, `AWS_CONTAINER_CREDENTIALS_FULL_URI` and a token. Both keys below follow from the
environment's assertion secret, so there is nothing more to keep; neither can be turned back into it or into the other.

What a start-up script exports wins, as it does on MWAA for every variable that is not reserved: the last word is had
where the settings are put together. An endpoint for all services that it exports would be second to one of a single
service by the SDKs' rules, so ours are left out then.
"""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from tradewind.domain.environments import Ports, Secrets

PATH = "/aws_mwaa/execution-role"  # on the environment's host: the proxy leads it to the control plane
SERVICES = ("IAM", "MWAA", "STS")  # as SDKs name them in AWS_ENDPOINT_URL_<SERVICE>
_OF_THE_USER = frozenset({"AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"})


def signing_key(secrets: Secrets) -> str:
    """With it the environment proves itself to the control plane. 64 hexadecimal digits, used as text."""
    return _derived(secrets, "tradewind: requests for credentials of the execution role")


def endpoint_token(secrets: Secrets) -> str:
    """What tasks show to the environment's endpoint. They know it, so it opens nothing else."""
    return _derived(secrets, "tradewind: token of the endpoint of credentials")


def _derived(secrets: Secrets, label: str) -> str:
    return hmac.new(secrets.assertion_secret.encode(), label.encode(), hashlib.sha256).hexdigest()


def role_variables(
    ports: Ports, secrets: Secrets, *, api_url: str, bundle: Path, exported: Mapping[str, str]
) -> dict[str, str]:
    """Variables of every process that may run the user's code.

    `api_url` is where this service answers, `exported` what the start-up script chose.
    """
    variables = {
        "AWS_CA_BUNDLE": str(bundle),  # it holds the public roots too
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": endpoint_token(secrets),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{ports.credentials}/v1/credentials",
    }
    if not _OF_THE_USER & exported.keys():
        variables |= {f"AWS_ENDPOINT_URL_{service}": api_url for service in SERVICES}
    return variables
