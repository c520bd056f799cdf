"""Nothing that AWS calls sensitive, and no session token, is in what the audit log gets.

The models' own JSON is the judge: a value is made for each operation's whole input and output, with a mark in every
place that the JSON calls sensitive.
"""

import json

import pytest
from botocore.loaders import Loader

from tradewind.wire import load_service
from tradewind.wire.redaction import HIDDEN, redact_members
from tradewind.wire.shapes import read_model

LEAK = "S3CR3T"
SERVICES = ("mwaa", "iam", "sts")
RAW = {name: Loader().load_service_model(name, "service-2") for name in SERVICES}
MODELS = {name: read_model(name) for name in SERVICES}
# secret, and not marked in AWS's models
UNMARKED = {
    "SessionToken", "TokenCode", "AuthenticationCode1", "AuthenticationCode2", "WebIdentityToken", "SAMLAssertion",
    "Password", "NewPassword", "OldPassword", "SecretAccessKey", "PrivateKey",
}  # fmt: skip


def filled(service, name, *, secret=False, above=()):  # noqa: PLR0911
    """A value of a shape, every text in it a mark: secret or plain."""
    shape = RAW[service]["shapes"][name]
    secret = secret or bool(shape.get("sensitive"))
    if name in above:
        return None
    above = (*above, name)
    match shape["type"]:
        case "structure" if shape.get("document"):
            return {"any": [LEAK if secret else "plain"]}
        case "structure":
            members = shape["members"].items()
            return {
                key: filled(service, member["shape"], secret=secret or key in UNMARKED, above=above)
                for key, member in members
            }
        case "list":
            return [filled(service, shape["member"]["shape"], secret=secret, above=above)]
        case "map":
            return {LEAK if secret else "key": filled(service, shape["value"]["shape"], secret=secret, above=above)}
        case "string":
            return LEAK if secret else "plain"
        case "blob":
            return LEAK.encode() if secret else b"plain"
        case _:
            return 1


CASES = [
    (service, operation, side)
    for service in SERVICES
    for operation, raw in RAW[service]["operations"].items()
    for side in ("input", "output")
    if side in raw
]


@pytest.mark.parametrize(("service", "operation", "side"), CASES)
def test_no_sensitive_member_of_any_operation_is_left(service, operation, side):
    shape = RAW[service]["operations"][operation][side]["shape"]
    value = filled(service, shape)
    found = redact_members(MODELS[service], shape, value)
    assert LEAK not in json.dumps(found, default=str)
    given = {key for key, inner in value.items() if inner is not None}
    assert {key.lower() for key in found} == {key.lower() for key in given}


def test_the_models_have_sensitive_members_at_all():
    """Otherwise the test above proves nothing."""
    marked = {s: {name for name, raw in RAW[s]["shapes"].items() if raw.get("sensitive")} for s in SERVICES}
    assert {"Token", "AirflowConfigurationOptions", "RestApiRequestBody"} <= marked["mwaa"]
    assert {"passwordType", "accessKeySecretType", "privateKeyType"} <= marked["iam"]
    assert {"webIdentityTokenType", "SAMLAssertionType"} <= marked["sts"]


def test_what_is_not_sensitive_stays():
    service = load_service("mwaa")
    asked = {"Name": "e", "MaxWorkers": 3, "AirflowConfigurationOptions": {"core.x": LEAK}, "Tags": {"a": "b"}}
    assert service.redact("CreateEnvironment", asked) == asked | {"AirflowConfigurationOptions": HIDDEN}
    answered = {"CliToken": LEAK, "WebServerHostname": "host"}
    assert service.redact_result("CreateCliToken", answered) == answered | {"CliToken": HIDDEN}


def test_airflows_own_words_are_hidden_both_ways():
    service = load_service("mwaa")
    asked = {"Name": "e", "Path": "/connections", "Method": "POST", "Body": {"password": LEAK}}
    assert service.redact("InvokeRestApi", asked) == asked | {"Body": HIDDEN}
    answered = {"RestApiStatusCode": 200, "RestApiResponse": {"password": LEAK}}
    assert service.redact_result("InvokeRestApi", answered)["RestApiResponse"] == HIDDEN


def test_the_query_protocols_names_begin_small():
    asked = {"UserName": "alice", "Tags": [{"Key": "a", "Value": "b"}]}
    found = redact_members(MODELS["iam"], "CreateUserRequest", asked)
    assert found == {"userName": "alice", "tags": [{"key": "a", "value": "b"}]}


def test_a_session_token_is_hidden_though_its_model_does_not_say_so():
    answered = {"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": LEAK, "SessionToken": LEAK}}
    found = redact_members(MODELS["sts"], "AssumeRoleResponse", answered)
    assert found == {"credentials": {"accessKeyId": "ASIA", "secretAccessKey": HIDDEN, "sessionToken": HIDDEN}}


def test_a_marker_of_pages_is_no_token_and_lengths_of_passwords_are_no_passwords():
    assert load_service("mwaa").redact("ListEnvironments", {"NextToken": "after-e"}) == {"NextToken": "after-e"}
    found = redact_members(MODELS["iam"], "UpdateAccountPasswordPolicyRequest", {"MinimumPasswordLength": 12})
    assert found == {"minimumPasswordLength": 12}


@pytest.mark.parametrize("value", [LEAK, [LEAK], {"a": {"b": LEAK}}, 5])
def test_values_that_are_not_of_their_shape_are_hidden(value):
    """A denied call's parameters have not been checked."""
    found = load_service("mwaa").redact("CreateEnvironment", {"AirflowConfigurationOptions": value, "Tags": value})
    assert LEAK not in json.dumps(found) or found["Tags"] == value
    assert found["AirflowConfigurationOptions"] == HIDDEN


def test_members_that_nobody_knows_are_left_out():
    assert load_service("mwaa").redact("GetEnvironment", {"Name": "e", "Other": LEAK}) == {"Name": "e"}
