"""AWS's SDKs put `api.`, `env.` or `ops.` before the endpoint's host unless told not to, and sign that name.

Where `api.localhost` does not resolve, only the resolver of this process is taught it: the connection, the name in
the TLS handshake, the Host that is signed and the certificate that is verified are all real.
"""

import socket
from datetime import UTC, datetime

import pytest
from botocore.config import Config

from tests.contract.conftest import names
from tests.contract.test_mwaa_environments import refused

PREFIXED = {"api.localhost", "env.localhost", "ops.localhost"}


@pytest.fixture
def asked_for(monkeypatch):
    """Names that were resolved, in order."""
    resolve = socket.getaddrinfo
    found = []

    def resolving(host, *arguments, **how):
        found.append(host)
        return resolve("127.0.0.1" if host in PREFIXED else host, *arguments, **how)

    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    return found


@pytest.fixture
def client(service, asked_for):
    """boto3's client as it is without any settings: prefixes on."""
    return service.client(config=Config(inject_host_prefix=True, retries={"max_attempts": 0}))


def test_the_control_operations_come_by_api(client, environment, asked_for):
    arn = client.get_environment(Name=environment)["Environment"]["Arn"]
    assert environment in names(client)
    client.list_tags_for_resource(ResourceArn=arn)
    assert set(asked_for) == {"api.localhost"}


def test_the_operations_of_environments_come_by_env(client, environment, asked_for):
    client.create_cli_token(Name=environment)
    client.create_web_login_token(Name=environment)
    answer = client.invoke_rest_api(Name=environment, Path="/version", Method="GET")
    assert answer["RestApiResponse"]["version"] == "3.3.1"
    assert set(asked_for) == {"env.localhost"}


def test_metrics_come_by_ops(client, environment, asked_for):
    metric = {"MetricName": "m", "Timestamp": datetime.now(UTC), "Value": 1.0}
    client.publish_metrics(EnvironmentName=environment, MetricData=[metric])
    assert set(asked_for) == {"ops.localhost"}


def test_a_wrong_secret_is_wrong_by_every_name(service, environment, asked_for):
    client = service.client(
        config=Config(inject_host_prefix=True, retries={"max_attempts": 0}), aws_secret_access_key="wrong"
    )
    for response in (
        refused(client.list_environments),
        refused(client.create_cli_token, Name=environment),
        refused(client.publish_metrics, EnvironmentName=environment, MetricData=[]),
    ):
        assert response["Error"]["Code"] == "InvalidSignatureException"
    assert set(asked_for) == PREFIXED


@pytest.mark.parametrize("host", ["elsewhere.example", "api.elsewhere.example:9", "127.0.0.1", "localhost"])
def test_any_host_will_do_as_long_as_it_is_the_one_that_was_signed(knock, host):
    assert knock("GET", "/environments", host=host).status == 200


@pytest.mark.parametrize("name", ["localhost", *sorted(PREFIXED)])
def test_the_certificate_names_it(knock, name):
    assert knock.send(knock.sign("GET", "/environments"), server_name=name).status == 200
