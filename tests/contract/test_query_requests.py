"""botocore serializes random requests of IAM and STS, and we read the same parameters back, for every operation."""

import pytest
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings

from tests.contract.in_process import serialized
from tests.contract.query_shapes import MODELS, OPERATIONS, seen, values
from tradewind.wire import load_service

SERVICES = {name: load_service(name) for name in MODELS}
SERIALIZER = create_serializer("query", include_validation=False)


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_what_botocore_sends_is_read_back(service, name):
    operation = MODELS[service].operation_model(name)
    asked = SERVICES[service]

    def read_back(params):
        request = serialized(SERIALIZER, operation, params)
        routed = asked.route(request)
        assert routed.operation == name
        found = asked.decode(name, routed.labels, request.raw_query, request.headers, request.body)
        assert found == seen(params)
        by_get = asked.decode(name, routed.labels, request.body.decode(), request.headers, b"")
        assert by_get == found
        asked.check(name, found)

    if operation.input_shape is None:
        read_back({})
        return

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(operation.input_shape))
    def round_trip(params):
        read_back(params)

    round_trip()


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_every_required_member_is_asked_for_by_name(service, name):
    shape = MODELS[service].operation_model(name).input_shape
    required = [] if shape is None else [each for each in shape.members if each in shape.required_members]
    found = SERVICES[service].check(name, {})
    assert [(each.path, each.rule) for each in found] == [(each[0].lower() + each[1:], "required") for each in required]


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_text_is_held_to_its_length(service, name):
    shape = MODELS[service].operation_model(name).input_shape
    for member, inner in ({} if shape is None else shape.members).items():
        if inner.type_name == "string" and "max" in inner.metadata:
            found = SERVICES[service].check(name, {member: "a" * (inner.metadata["max"] + 1)})
            broken = [each.constraint for each in found if each.rule != "required"]
            assert f"Member must have length less than or equal to {inner.metadata['max']}" in broken


@pytest.mark.parametrize("name", MODELS)
def test_every_operation_of_the_model_is_there(name):
    assert set(SERVICES[name].operations) == set(MODELS[name].operation_names)
    assert SERVICES[name].signing_name == MODELS[name].signing_name
    assert SERVICES[name].input_members("GetCallerIdentity" if name == "sts" else "GetAccountSummary") == ()
