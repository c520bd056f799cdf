"""botocore serializes random valid requests, we read the same parameters back and find no fault in them.

The values are drawn from botocore's own view of the model, not from ours, with a table of alphabets for the
shapes that have patterns.
"""

from datetime import UTC, datetime

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.in_process import serialized
from tradewind.wire import load_service

SERVICE = load_service("mwaa")
MODEL = ServiceModel(Loader().load_service_model("mwaa", "service-2"), "mwaa")
SERIALIZER = create_serializer("rest-json", include_validation=True)

ARN = "arn:aws:iam::123456789012:role/service-role/Some+Role=,.@-_"
FORMS = {
    "EnvironmentName": r"[a-zA-Z][0-9a-zA-Z_-]{0,79}",
    "EnvironmentArn": r"arn:aws(-cn)?:airflow:[a-z0-9-]{1,9}:[0-9]{12}:environment/[a-zA-Z0-9_][ -~]{0,40}",
    "IamRoleArn": r"arn:aws(-us-gov){0}:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@_/-]{1,40}",
    "S3BucketArn": r"arn:aws(-cn)?:s3:::[a-z0-9.-]{1,40}",
    "RelativePath": r"[^\n\r\x85\u2028\u2029\ud800-\udfff]{0,40}",
    "ConfigKey": r"[a-z]{1,9}([a-z0-9._]{0,9}[a-z0-9_]{1,9})?",
    "ConfigValue": r"[ -~]{1,60}",
    "AirflowVersion": r"[0-9a-z.]{1,32}",
    "KmsKey": r"(arn:aws:kms:eu-west-1:[0-9]{5}:)?(key/[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}|alias/[!-~]{1,20})",
    "WeeklyMaintenanceWindowStart": r"(MON|TUE|SUN):([01][0-9]|2[0-3]):(00|30)",
    "SubnetId": r"subnet-[a-zA-Z0-9._-]{1,20}",
    "SecurityGroupId": r"sg-[a-zA-Z0-9._-]{1,20}",
    "TagKey": r"[a-zéß語Ⅷ٣ \u00a0\u2003_.:/=+@-]{1,40}",
    "TagValue": r"[a-zéß語Ⅷ٣ \u00a0\u2003_.:/=+@-]{1,40}",
    "TeamNameString": r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,49}",
    "IdentityCenterStartUrl": r"https://[!-~]{1,40}",
    "IdentityCenterIdentityStoreId": r"d-[0-9a-f]{10}",
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
MOMENTS = st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def valid(shape):  # noqa: C901, PLR0911
    """Values that the shape allows."""
    limits = shape.metadata
    if getattr(shape, "is_document_type", False):
        return JSON.filter(lambda value: value is not None)
    match shape.type_name:
        case "structure":
            members = {name: valid(member) for name, member in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            return st.fixed_dictionaries(required, optional=members)
        case "list":
            return st.lists(valid(shape.member), min_size=limits.get("min", 0), max_size=min(limits.get("max", 3), 5))
        case "map":
            return st.dictionaries(valid(shape.key), valid(shape.value), min_size=limits.get("min", 0), max_size=4)
        case "string" if shape.enum:
            return st.sampled_from(shape.enum)
        case "string" if "pattern" in limits:
            return st.from_regex(FORMS[shape.name], fullmatch=True)
        case "string":
            return st.text(
                st.characters(codec="utf-8"), min_size=limits.get("min", 0), max_size=min(limits.get("max", 60), 60)
            )
        case "integer":
            return st.integers(limits.get("min", -(2**31)), limits.get("max", 2**31 - 1))
        case "double":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return MOMENTS
    raise AssertionError(shape)


@pytest.mark.parametrize("name", SERVICE.operations)
def test_what_botocore_sends_is_read_back_and_valid(name):
    operation = MODEL.operation_model(name)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(valid(operation.input_shape))
    def round_trip(params):
        sent = serialized(SERIALIZER, operation, params)
        routed = SERVICE.route(sent)
        assert routed.operation == name
        found = SERVICE.decode(name, routed.labels, sent.raw_query, sent.headers, sent.body)
        # A query cannot tell an empty list from none at all.
        assert found == {key: value for key, value in params.items() if not (key == "tagKeys" and value == [])}
        if params.get("tagKeys") != []:
            assert SERVICE.check(name, found) == ()

    round_trip()


def test_every_operation_of_the_model_is_there():
    assert set(SERVICE.operations) == set(MODEL.operation_names)
    assert MODEL.signing_name == SERVICE.signing_name
