"""Every constraint that the model has, violated alone: exactly that violation is found, under AWS's path.

A request with every member is made from a table of right values, then each constraint that botocore's view of
the model holds is broken in it, one at a time.
"""

import copy
from datetime import UTC, datetime

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tradewind.wire import load_service, validation_message

SERVICE = load_service("mwaa")
MODEL = ServiceModel(Loader().load_service_model("mwaa", "service-2"), "mwaa")

RIGHT = {
    "EnvironmentName": "env-1",
    "EnvironmentArn": "arn:aws:airflow:eu-west-1:123456789012:environment/env-1",
    "IamRoleArn": "arn:aws:iam::123456789012:role/r",
    "S3BucketArn": "arn:aws:s3:::bucket",
    "RelativePath": "dags",
    "ConfigKey": "core.parallelism",
    "ConfigValue": "32",
    "AirflowVersion": "3.3.1",
    "KmsKey": "alias/key",
    "WeeklyMaintenanceWindowStart": "MON:00:00",
    "SubnetId": "subnet-1",
    "SecurityGroupId": "sg-1",
    "TagKey": "key",
    "TagValue": "value",
    "TeamNameString": "blue",
    "IdentityCenterStartUrl": "https://x",
    "IdentityCenterIdentityStoreId": "d-0123456789",
}
ALLOW_NOTHING = {"TagKey", "TagValue"}  # patterns that an empty text matches, although the least length is 1


def right(shape):  # noqa: PLR0911
    if getattr(shape, "is_document_type", False):
        return {"any": ["thing"]}
    match shape.type_name:
        case "structure":
            return {name: right(member) for name, member in shape.members.items()}
        case "list":
            return [right(shape.member)] * max(shape.metadata.get("min", 1), 1)
        case "map":
            return {right(shape.key): right(shape.value)}
        case "string":
            return shape.enum[0] if shape.enum else RIGHT.get(shape.name, "text")
        case "integer":
            return shape.metadata.get("min", 1)
        case "double":
            return 1.5
        case "boolean":
            return True
        case "timestamp":
            return datetime(2026, 1, 1, tzinfo=UTC)
    raise AssertionError(shape)


def lower(name):
    return name[0].lower() + name[1:]


def broken_texts(shape):
    """(rules that break, a value that breaks them) of a plain text."""
    limits = shape.metadata
    value = right(shape)
    if "max" in limits:
        yield {"max"}, value + value[-1] * (limits["max"] + 1 - len(value))
    if limits.get("min"):
        also = (
            {"pattern"} if "pattern" in limits and (shape.name not in ALLOW_NOTHING) and limits["min"] == 1 else set()
        )
        yield {"min", *also}, value[: limits["min"] - 1]
    if "pattern" in limits:
        yield {"pattern"}, value[:-1] + "\n"
    if shape.enum:
        yield {"enum"}, "NOT_ONE_OF_THEM"


def broken(shape, path):
    """(rules, shape whose rules they are, path in AWS's words, a wrong value) of every constraint of a shape."""
    if getattr(shape, "is_document_type", False):
        return
    match shape.type_name:
        case "structure":
            yield from broken_structures(shape, path)
        case "string":
            yield from ((rules, shape.name, path, wrong) for rules, wrong in broken_texts(shape))
        case "integer":
            for rule, step in (("max", 1), ("min", -1)):
                if rule in shape.metadata:
                    yield {rule}, shape.name, path, shape.metadata[rule] + step
        case "list":
            yield from broken_lists(shape, path)
        case "map":
            yield from broken_maps(shape, path)


def broken_structures(shape, path):
    value = right(shape)
    for name, member in shape.members.items():
        inner = f"{path}.{lower(name)}" if path else lower(name)
        for rules, whose, where, wrong in broken(member, inner):
            yield rules, whose, where, {**value, name: wrong}
        if name in shape.required_members:
            yield {"required"}, member.name, inner, {key: item for key, item in value.items() if key != name}


def broken_lists(shape, path):
    limits, value = shape.metadata, right(shape)
    if "max" in limits:
        yield {"max"}, shape.name, path, [value[0]] * (limits["max"] + 1)
    if limits.get("min"):
        yield {"min"}, shape.name, path, [value[0]] * (limits["min"] - 1)
    inner = f"{path}.{len(value)}.member" if shape.member.type_name == "structure" else path
    for rules, whose, where, wrong in broken(shape.member, inner):
        yield rules, whose, where, [*value[:-1], wrong]


def broken_maps(shape, path):
    limits = shape.metadata
    ((key, item),) = right(shape).items()
    if "max" in limits:
        yield {"max"}, shape.name, path, {f"{key}{n}": item for n in range(limits["max"] + 1)}
    if limits.get("min"):
        yield {"min"}, shape.name, path, {}
    for rules, wrong in broken_texts(shape.key):
        yield rules, shape.key.name, path, {wrong: item}
    inner = f"{path}.{key}.member" if shape.value.type_name == "structure" else path
    for rules, whose, where, wrong in broken(shape.value, inner):
        yield rules, whose, where, {key: wrong}


def reachable(shape, seen):
    if shape.name in seen:
        return
    seen[shape.name] = shape
    for inner in getattr(shape, "members", {}).values():
        reachable(inner, seen)
    for part in ("member", "key", "value"):
        if hasattr(shape, part):
            reachable(getattr(shape, part), seen)


@pytest.mark.parametrize("name", SERVICE.operations)
def test_each_constraint_violated_alone_is_found_and_nothing_else(name):
    shape = MODEL.operation_model(name).input_shape
    assert SERVICE.check(name, right(shape)) == ()
    proven = set()
    for rules, whose, path, params in broken(shape, ""):
        before = copy.deepcopy(params)
        violations = SERVICE.check(name, params)
        assert {violation.rule for violation in violations} == rules, (path, rules)
        assert len(violations) == len(rules)
        assert {violation.shape for violation in violations} == {whose}
        assert {violation.path for violation in violations} == {path}
        assert f" at '{path}' failed to satisfy constraint: " in validation_message(violations)
        assert params == before
        proven |= {(whose, rule) for rule in rules}
    everything = {}
    reachable(shape, everything)
    for inner in everything.values():
        for rule in {"min", "max", "pattern", "enum"} & set(inner.metadata):
            if (rule, inner.metadata[rule]) != ("min", 0):
                assert (inner.name, rule) in proven


def test_sensitive_values_are_never_in_a_message():
    options = {"core.secret": "hush-hush\n", "BAD KEY hush-hush": "x"}
    shape = MODEL.operation_model("CreateEnvironment").input_shape
    for wrong in (options, {f"k{'a' * n}": "hush-hush" for n in range(70)}):
        violations = SERVICE.check("CreateEnvironment", {**right(shape), "AirflowConfigurationOptions": wrong})
        assert violations
        assert "hush-hush" not in validation_message(violations)
