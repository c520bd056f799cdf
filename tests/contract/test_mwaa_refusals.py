"""What a client's own checks would stop is stopped by the service too: every constraint of the model, over the wire.

Requests are signed and sent raw, one broken constraint at a time, made from botocore's view of the model. What is
refused leaves nothing behind. Then what only this release refuses, each in words that name it.
"""

from datetime import datetime
from urllib.parse import quote

import pytest

from tests.conftest import NETWORK, ROLE
from tests.contract.conftest import names
from tests.contract.test_mwaa_environments import asked, refused
from tests.contract.test_wire_constraints import MODEL, broken

NAME = "env-1"  # what `right` calls every environment


def requests(operation):
    """(path, rules, parameters) of every constraint of an operation that can be broken over the wire."""
    shape = MODEL.operation_model(operation).input_shape
    for rules, whose, path, parameters in broken(shape, ""):
        in_path = [name for name, member in shape.members.items() if member.serialization.get("location") == "uri"]
        if all(parameters.get(name) for name in in_path) and (whose, rules) != ("RestApiPath", {"max"}):
            yield path, rules, parameters


def written(operation, parameters):
    """Method, path and body of a request, with no more checks than a serializer has."""
    model = MODEL.operation_model(operation)
    path, query, body = model.http["requestUri"], [], {}
    for name, value in parameters.items():
        member = model.input_shape.members[name]
        where = member.serialization
        match where.get("location"):
            case "uri":
                path = path.replace("{" + where["name"] + "}", quote(value, safe=""))
            case "querystring":
                values = value if isinstance(value, list) else [value]
                query += [f"{where['name']}={quote(str(one), safe='')}" for one in values]
            case _:
                body[where.get("name", name)] = plain(value)
    return model.http["method"], path + ("?" + "&".join(query) if query else ""), body


def plain(value):
    match value:
        case datetime():
            return value.timestamp()
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


CASES = [
    pytest.param(operation, path, parameters, id=f"{operation}-{path}-{'-'.join(sorted(rules))}")
    for operation in MODEL.operation_names
    for path, rules, parameters in requests(operation)
]


def test_the_cases_are_many():
    assert len(CASES) > 150
    assert {case.values[0] for case in CASES} == set(MODEL.operation_names)


@pytest.mark.parametrize(("operation", "path", "parameters"), CASES)
def test_every_constraint_of_the_model_is_kept(knock, operation, path, parameters):
    method, where, body = written(operation, parameters)
    answer = knock(method, where, body or b"")
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert set(answer.document) == {"message"}
    assert f" at '{path}' failed to satisfy constraint: " in answer.message
    if operation == "CreateEnvironment":
        assert knock("GET", f"/environments/{NAME}").status == 404


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"MaxWorkers": "5"}, "MaxWorkers"),
        ({"MaxWorkers": 5.5}, "MaxWorkers"),
        ({"MaxWorkers": True}, "MaxWorkers"),
        ({"MaxWorkers": 2**40}, "MaxWorkers"),
        ({"DagS3Path": 1}, "DagS3Path"),
        ({"DagS3Path": ["dags"]}, "DagS3Path"),
        ({"Tags": ["a"]}, "Tags"),
        ({"Tags": {"a": 1}}, "Tags.a"),
        ({"Tags": {"a": None}}, "Tags.a"),
        ({"NetworkConfiguration": "subnet-1"}, "NetworkConfiguration"),
        ({"NetworkConfiguration": {"SubnetIds": {"0": "subnet-1"}}}, "NetworkConfiguration.SubnetIds"),
        ({"LoggingConfiguration": {"TaskLogs": {"Enabled": "true", "LogLevel": "INFO"}}}, "Enabled"),
    ],
)
def test_a_value_of_another_type_is_refused(knock, body, where):
    whole = asked(NAME) | body
    whole.pop("Name")
    answer = knock("PUT", f"/environments/{NAME}", whole)
    assert (answer.status, answer.error) == (400, "SerializationException")
    assert where in answer.message
    assert knock("GET", f"/environments/{NAME}").status == 404


def test_unknown_members_are_ignored_and_null_is_absent(knock, unused):
    name = unused()
    whole = {"ExecutionRoleArn": ROLE, "SourceBucketArn": "arn:aws:s3:::is-not-there", "DagS3Path": "dags",
             "NetworkConfiguration": {**NETWORK, "Vpc": {"deep": [1]}}, "EnvironmentClass": None, "KmsKey": None,
             "Future": {"a": 1}, "name": "lower", "Name": "other"}  # fmt: skip
    assert knock("PUT", f"/environments/{name}", whole).status == 200
    found = knock("GET", f"/environments/{name}").document["Environment"]
    assert found["Name"] == name
    assert found["EnvironmentClass"] == "mw1.small"


NOT_YET = {
    "KmsKey": "arn:aws:kms:us-east-1:111111111111:key/12345678-1234-1234-1234-123456789012",
    "EndpointManagement": "CUSTOMER",
    "Teams": {"blue": {"SourceBucketArn": "arn:aws:s3:::b", "DagS3Path": "dags"}},
    "IdentityCenterConfiguration": {"StartUrl": "https://x.awsapps.com/start", "IdentityStoreId": "d-0123456789"},
}


@pytest.mark.parametrize("member", NOT_YET)
def test_what_this_release_cannot_do_is_refused_by_name(mwaa, unused, member):
    name = unused()
    response = refused(mwaa.create_environment, **asked(name, **{member: NOT_YET[member]}))
    assert response["Error"]["Code"] == "ValidationException"
    assert member in response["Error"]["Message"]
    assert "not supported by this release of Tradewind" in response["Error"]["Message"]
    assert name not in names(mwaa)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"MinWorkers": 6, "MaxWorkers": 5}, ["MinWorkers (6)", "MaxWorkers (5)"]),
        ({"MinWebservers": 4, "MaxWebservers": 3}, ["MinWebservers (4)", "MaxWebservers (3)"]),
        ({"EnvironmentClass": "mw1.huge"}, ["mw1.huge", "mw1.micro", "mw1.small"]),
        ({"EnvironmentClass": "mw1.micro", "Schedulers": 2}, ["Schedulers (2)", "mw1.micro"]),
        ({"EnvironmentClass": "mw1.micro", "MaxWorkers": 2}, ["MaxWorkers (2)", "mw1.micro"]),
        ({"Schedulers": 1}, ["Schedulers (1)", "between 2 and 5"]),
        ({"Schedulers": -3}, ["Schedulers (-3)"]),
        ({"MaxWorkers": 26}, ["MaxWorkers (26)"]),
        ({"AirflowVersion": "2.10.3"}, ["2.10.3", "3.3.1"]),
        ({"AirflowVersion": "3"}, ["Airflow version 3 ", "3.3.1"]),
        ({"AirflowConfigurationOptions": {"core.multi_team": "True"}}, ["core.multi_team"]),
        ({"AirflowConfigurationOptions": {"parallelism": "1"}}, ["parallelism", "section.key"]),
        ({"DagS3Path": ""}, ["DagS3Path"]),
        ({"DagS3Path": "../../environments"}, ["DagS3Path", "inside the bucket"]),
        ({"DagS3Path": "dags/./x"}, ["DagS3Path", "inside the bucket"]),
        ({"RequirementsS3Path": "a/../../secret"}, ["RequirementsS3Path", "inside the bucket"]),
        ({"Tags": {"aws:cloudformation": "x"}}, ["aws:cloudformation", "reserved"]),
        ({"Tags": {"AWS:x": "x"}}, ["AWS:x", "reserved"]),
    ],
    ids=str,
)
def test_rules_that_the_model_does_not_spell(mwaa, unused, members, words):
    name = unused()
    response = refused(mwaa.create_environment, **asked(name, **members))
    assert response["Error"]["Code"] == "ValidationException"
    for word in words:
        assert word in response["Error"]["Message"]
    assert name not in names(mwaa)


def test_all_that_is_wrong_is_said_at_once(mwaa, unused):
    name = unused()
    members = {"MinWorkers": 6, "MaxWorkers": 5, "KmsKey": "alias/mine", "AirflowVersion": "9.9.9"}
    message = refused(mwaa.create_environment, **asked(name, **members))["Error"]["Message"]
    for word in ("MinWorkers", "KmsKey", "9.9.9"):
        assert word in message


def test_values_that_are_secret_are_not_repeated(knock):
    body = asked(NAME, AirflowConfigurationOptions={"smtp.smtp_password": "hush-hush\n"})
    body.pop("Name")
    answer = knock("PUT", f"/environments/{NAME}", body)
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert b"hush" not in answer.body
