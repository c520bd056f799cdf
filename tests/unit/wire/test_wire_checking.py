"""Violations and their wording; that every constraint of the model is checked is in tests/contract/."""

import time

import pytest

from tradewind.wire import Bounds, Violation, load_service, validation_message
from tradewind.wire.checking import check_parameters
from tradewind.wire.shapes import model_from_json

SERVICE = load_service("mwaa")
GOOD = {
    "Name": "e1",
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r",
    "SourceBucketArn": "arn:aws:s3:::b",
    "DagS3Path": "dags",
    "NetworkConfiguration": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
}


def message(**members):
    return validation_message(SERVICE.check("CreateEnvironment", {**GOOD, **members}))


def test_a_right_request_has_no_violations():
    assert SERVICE.check("CreateEnvironment", GOOD) == ()


LENGTH = "Member must have length less than or equal to {}, Member must have length greater than or equal to 1"
PATTERN = "Member must satisfy regular expression pattern"
TAG = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (
            {"Name": "9x"},
            ["Value '9x' at 'name'", "Member must satisfy regular expression pattern: [a-zA-Z][0-9a-zA-Z-_]*"],
        ),
        ({"Name": "a" * 81}, [f"Value '{'a' * 81}' at 'name'", "Member must have length less than or equal to 80"]),
        ({"DagS3Path": None}, ["Value null at 'dagS3Path'", "Member must not be null"]),
        ({"MinWorkers": 0}, ["Value '0' at 'minWorkers'", "Member must have value greater than or equal to 1"]),
        ({"Schedulers": 6}, ["Value '6' at 'schedulers'", "Member must have value less than or equal to 5"]),
        (
            {"EndpointManagement": "ME"},
            ["Value 'ME' at 'endpointManagement'", "Member must satisfy enum value set: [CUSTOMER, SERVICE]"],
        ),
        (
            {"LoggingConfiguration": {"TaskLogs": {"Enabled": True, "LogLevel": "LOUD"}}},
            [
                "Value 'LOUD' at 'loggingConfiguration.taskLogs.logLevel'",
                "Member must satisfy enum value set: [CRITICAL, ERROR, WARNING, INFO, DEBUG]",
            ],
        ),
        (
            {"NetworkConfiguration": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
            [
                "Value '[subnet-1]' at 'networkConfiguration.subnetIds'",
                "Member must have length greater than or equal to 2",
            ],
        ),
        (
            {"NetworkConfiguration": {"SubnetIds": ["x", "y"], "SecurityGroupIds": ["sg-1"]}},
            [
                "Value '[x, y]' at 'networkConfiguration.subnetIds'",
                f"Member must satisfy constraint: [{LENGTH.format(1024)}, {PATTERN}: subnet-[a-zA-Z0-9\\-._]+]",
            ],
        ),
        (
            {"Tags": {"": "v", "k": "!"}},
            [
                "Value '{=v, k=!}' at 'tags'",
                f"Map keys must satisfy constraint: [{LENGTH.format(128)}, {PATTERN}: {TAG}]",
                "Value '{=v, k=!}' at 'tags'",
                f"Map value must satisfy constraint: [{LENGTH.format(256)}, {PATTERN}: {TAG}]",
            ],
        ),
        (
            {"Teams": {"blue": {"DagS3Path": "d"}}},
            ["Value null at 'teams.blue.member.sourceBucketArn'", "Member must not be null"],
        ),
        (
            {"AirflowConfigurationOptions": {"core.x": "sécret"}},
            [
                "Value at 'airflowConfigurationOptions'",
                f"Map value must satisfy constraint: [{LENGTH.format(65536)}, {PATTERN}: [ -~]+]",
            ],
        ),
        (
            {"Name": ""},
            [
                "Value '' at 'name'",
                "Member must have length greater than or equal to 1",
                "Value '' at 'name'",
                "Member must satisfy regular expression pattern: [a-zA-Z][0-9a-zA-Z-_]*",
            ],
        ),
    ],
)
def test_the_message_is_in_the_words_of_aws(members, told):
    pairs = list(zip(told[::2], told[1::2], strict=True))
    sentences = "; ".join(" failed to satisfy constraint: ".join(pair) for pair in pairs)
    errors = "1 validation error" if len(pairs) == 1 else f"{len(pairs)} validation errors"
    assert message(**members) == f"{errors} detected: {sentences}"


def test_paths_of_elements_that_are_structures():
    violations = SERVICE.check("PublishMetrics", {"EnvironmentName": "e", "MetricData": [{}, {"MetricName": "m"}]})
    assert [violation.path for violation in violations] == [
        "metricData.1.member.metricName",
        "metricData.1.member.timestamp",
        "metricData.2.member.timestamp",
    ]


def test_all_violations_are_collected_in_the_order_of_the_model():
    violations = SERVICE.check("CreateEnvironment", {"Name": "9", "MaxWorkers": 0, "Tags": {}})
    assert [(violation.path, violation.rule) for violation in violations] == [
        ("name", "pattern"),
        ("executionRoleArn", "required"),
        ("sourceBucketArn", "required"),
        ("dagS3Path", "required"),
        ("networkConfiguration", "required"),
        ("maxWorkers", "min"),
        ("tags", "min"),
    ]
    assert validation_message(violations).startswith("7 validation errors detected: Value '9' at 'name'")


def test_what_an_element_breaks_twice_is_told_once():
    subnets = {"SubnetIds": ["x", ""], "SecurityGroupIds": ["sg-1"]}
    violations = SERVICE.check("CreateEnvironment", {**GOOD, "NetworkConfiguration": subnets})
    assert [violation.rule for violation in violations] == ["min", "pattern"]
    assert validation_message(violations).startswith("1 validation error detected")


def test_bounds_of_one_shape_can_be_replaced_and_nothing_else_changes():
    request = {"Name": "e", "Path": "/" + "x" * 2047, "Method": "GET"}
    assert [violation.rule for violation in SERVICE.check("InvokeRestApi", request)] == ["max"]
    wider = {"RestApiPath": Bounds(1, 2048)}
    assert SERVICE.check("InvokeRestApi", request, overrides=wider) == ()
    longer = SERVICE.check("InvokeRestApi", {**request, "Path": "/" + "x" * 2048}, overrides=wider)
    assert longer[0].constraint == "Member must have length less than or equal to 2048"
    assert [
        violation.rule for violation in SERVICE.check("InvokeRestApi", {**request, "Path": ""}, overrides=wider)
    ] == ["min"]
    assert SERVICE.check("GetEnvironment", {"Name": "a" * 81}, overrides=wider) != ()


def test_a_value_that_is_too_long_is_not_matched_against_its_pattern():
    violations = SERVICE.check("CreateEnvironment", {**GOOD, "Name": "\n" * 81})
    assert [violation.rule for violation in violations] == ["max"]


def test_a_hostile_request_is_checked_quickly():
    long = "a" * 65_536
    request = {
        **GOOD,
        "KmsKey": long,
        "AirflowConfigurationOptions": {long + str(n): long for n in range(20)},
        "NetworkConfiguration": {"SubnetIds": [long] * 1000, "SecurityGroupIds": [long] * 1000},
        "Tags": {f"{long}{n}": long for n in range(20)},
    }
    started = time.process_time()
    text = validation_message(SERVICE.check("CreateEnvironment", request))
    assert time.process_time() - started < 10
    assert len(text) < 50_000


def test_a_thousand_violations_are_counted_and_the_first_are_told():
    text = validation_message(SERVICE.check("PublishMetrics", {"EnvironmentName": "e", "MetricData": [{}] * 1000}))
    assert text.startswith("2000 validation errors detected: Value null at 'metricData.1.member.metricName'")
    assert len(text) < 20_000


def test_recursive_shapes_are_checked():
    model = model_from_json(
        "r",
        {
            "metadata": {"protocol": "rest-json", "endpointPrefix": "r"},
            "operations": {"Do": {"http": {"method": "GET", "requestUri": "/"}, "input": {"shape": "Tree"}}},
            "shapes": {
                "Tree": {"type": "structure", "members": {"Leaf": {"shape": "Leaf"}, "Inner": {"shape": "Trees"}}},
                "Trees": {"type": "list", "member": {"shape": "Tree"}, "max": 1},
                "Leaf": {"type": "string", "enum": ["a"]},
            },
        },
    )
    found = check_parameters(model, "Do", {"Inner": [{"Leaf": "a"}, {"Leaf": "b"}]})
    assert [violation.path for violation in found] == ["inner", "inner.2.member.leaf"]


def test_booleans_and_nested_values_are_shown_as_java_does():
    violation = Violation("a", "A", "enum", "value", "C", {"k": [True, None, 1.5]}, sensitive=False)
    assert "'{k=[true, null, 1.5]}'" in validation_message([violation])


@pytest.mark.parametrize("operation", SERVICE.operations)
def test_required_members_are_named_when_nothing_is_given(operation):
    for violation in SERVICE.check(operation, {}):
        assert violation.rule == "required"


def test_members_of_a_request_are_listed_with_dots():
    members = SERVICE.input_members("CreateEnvironment")
    assert {"Name", "NetworkConfiguration.SubnetIds", "LoggingConfiguration.TaskLogs.LogLevel"} <= set(members)
    assert {"Tags", "Teams.*.DagS3Path"} <= set(members)
    assert "MetricData.*.StatisticValues.Sum" in SERVICE.input_members("PublishMetrics")
    assert len(members) == len(set(members))
