"""Which processes may ask for the execution role's credentials, and what they are told of it."""

import dataclasses
import json

import pytest

from tests.unit.recipe.test_settings import INPUTS, SECRETS
from tradewind.domain.environments import Ports
from tradewind.domain.manifests import Process
from tradewind.recipe.execution_roles import endpoint_token, signing_key
from tradewind.recipe.processes import environment_processes
from tradewind.recipe.settings import COMPONENTS, Component, RecipeInputs, trusted_settings, worker_settings

GIVING = dataclasses.replace(
    INPUTS,
    ports=Ports(api=8081, broker=6380, credentials=8082),
    api_url="https://localhost:9443",
    ca_bundle=INPUTS.layout.root / "bundle.pem",
)
ENDPOINTS = {f"AWS_ENDPOINT_URL_{service}" for service in ("IAM", "MWAA", "STS")}


def settings(inputs: RecipeInputs) -> list[dict[str, str]]:
    return [worker_settings(inputs), *(trusted_settings(inputs, component) for component in Component)]


def process(inputs: RecipeInputs) -> Process | None:
    return next((each for each in environment_processes(inputs) if each.name == "credentials"), None)


@pytest.mark.parametrize("lacking", [{"api_url": ""}, {"ports": Ports(8081, 6380)}], ids=["an API", "a port"])
def test_without_what_it_needs_there_is_no_process_and_no_word_of_it(lacking):
    inputs = dataclasses.replace(GIVING, **lacking)
    assert process(inputs) is None
    assert not [name for found in settings(inputs) for name in found if "CONTAINER" in name or "ENDPOINT" in name]


def test_every_process_of_the_users_code_is_told_the_endpoint_and_its_token():
    for found in settings(GIVING):
        assert found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == "http://127.0.0.1:8082/v1/credentials"
        assert found["AWS_CONTAINER_AUTHORIZATION_TOKEN"] == endpoint_token(SECRETS)
        assert found["AIRFLOW_CONN_AWS_DEFAULT"] == "aws://"
        assert found["AWS_CA_BUNDLE"].endswith("/bundle.pem")
        assert {found[name] for name in ENDPOINTS} == {"https://localhost:9443"}


def test_the_process_gets_two_derived_keys_and_no_secret_of_the_environment():
    found = process(GIVING)
    assert found is not None
    text = json.dumps(dict(found.environment))
    assert not [secret for secret in dataclasses.astuple(SECRETS) if secret in text]
    assert found.environment["TRADEWIND_CREDENTIALS_KEY"] == signing_key(SECRETS)
    assert found.environment["TRADEWIND_CREDENTIALS_ROLE"] == GIVING.spec.execution_role_arn
    url = "https://abcdefghjkmn.eu-west-1.example.org/aws_mwaa/execution-role"
    assert found.environment["TRADEWIND_CREDENTIALS_URL"] == url
    assert found.environment["TRADEWIND_CLOSED"] == "1"
    assert not any(signing_key(SECRETS) in word or endpoint_token(SECRETS) in word for word in found.command)


def test_the_key_is_in_no_other_process():
    for each in environment_processes(GIVING):
        is_told = any(signing_key(SECRETS) in value for value in each.environment.values())
        assert is_told == (each.name == "credentials"), each.name


def test_another_role_is_another_process_and_touches_no_other():
    spec = dataclasses.replace(GIVING.spec, execution_role_arn="arn:aws:iam::123456789012:role/other")
    other = {each.name: each.digest() for each in environment_processes(dataclasses.replace(GIVING, spec=spec))}
    changed = {each.name for each in environment_processes(GIVING) if other[each.name] != each.digest()}
    assert changed == {"credentials"}


def exporting(**variables: str) -> RecipeInputs:
    return dataclasses.replace(GIVING, startup=dict.fromkeys(COMPONENTS, variables))


def test_what_a_startup_script_exports_wins():
    for found in settings(exporting(AWS_CA_BUNDLE="/mine", AWS_ENDPOINT_URL_STS="https://sts.example")):
        assert found["AWS_CA_BUNDLE"] == "/mine"
        assert found["AWS_ENDPOINT_URL_STS"] == "https://sts.example"
        assert found["AWS_ENDPOINT_URL_IAM"] == "https://localhost:9443"


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])
def test_an_endpoint_for_all_services_is_not_overruled_by_ours(name):
    for found in settings(exporting(**{name: "true"})):
        assert not ENDPOINTS & found.keys()
        assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in found
