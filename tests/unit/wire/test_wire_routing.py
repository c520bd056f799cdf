"""Routes are found on the raw path; no encoded text leads elsewhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.wire import SignedRequest, WireError, load_service

SERVICE = load_service("mwaa")


def route(method, path):
    return SERVICE.route(SignedRequest(method, path, "", [], b""))


@pytest.mark.parametrize(
    ("method", "path", "operation", "labels"),
    [
        ("PUT", "/environments/e1", "CreateEnvironment", {"Name": "e1"}),
        ("GET", "/environments/e1", "GetEnvironment", {"Name": "e1"}),
        ("PATCH", "/environments/e1", "UpdateEnvironment", {"Name": "e1"}),
        ("DELETE", "/environments/e1", "DeleteEnvironment", {"Name": "e1"}),
        ("GET", "/environments", "ListEnvironments", {}),
        ("POST", "/clitoken/e1", "CreateCliToken", {"Name": "e1"}),
        ("POST", "/webtoken/e1", "CreateWebLoginToken", {"Name": "e1"}),
        ("POST", "/restapi/e1", "InvokeRestApi", {"Name": "e1"}),
        ("POST", "/metrics/environments/e1", "PublishMetrics", {"EnvironmentName": "e1"}),
        ("GET", "/tags/arn%3Aaws%3Aairflow%3A%3A1%3Aenvironment%2Fe", "ListTagsForResource",
         {"ResourceArn": "arn:aws:airflow::1:environment/e"}),
        ("POST", "/tags/a", "TagResource", {"ResourceArn": "a"}),
        ("DELETE", "/tags/a", "UntagResource", {"ResourceArn": "a"}),
        ("GET", "/environments/..%2F..%2Ftags%2Fx", "GetEnvironment", {"Name": "../../tags/x"}),
        ("GET", "/environments/%2e%2e", "GetEnvironment", {"Name": ".."}),
        ("GET", "/environments/..", "GetEnvironment", {"Name": ".."}),
        ("GET", "/environments/a%252Fb", "GetEnvironment", {"Name": "a%2Fb"}),
        ("GET", "/environments/a+b%20c", "GetEnvironment", {"Name": "a+b c"}),
        ("GET", "/environments/%zz%", "GetEnvironment", {"Name": "%zz%"}),
        ("GET", "/environments/%E8%AA%9E", "GetEnvironment", {"Name": "語"}),
    ],
)  # fmt: skip
def test_a_path_finds_its_operation(method, path, operation, labels):
    routed = route(method, path)
    assert routed.operation == operation
    assert routed.labels == labels


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/nothing"),
        ("GET", "/environments/"),
        ("GET", "/environments/e1/"),
        ("GET", "//environments/e1"),
        ("GET", "/environments//e1"),
        ("GET", "/environments/a/b"),
        ("GET", "/Environments/e1"),
        ("GET", "/%65nvironments/e1"),
        ("GET", "/environments%2Fe1"),
        ("GET", "environments/e1"),
        ("POST", "/environments/e1"),
        ("get", "/environments/e1"),
        ("PUT", "/environments"),
        ("GET", "/clitoken/e1"),
        ("GET", "/tags/arn:aws/x"),
        ("GET", "/environments/../tags/x"),
        ("HEAD", "/environments"),
    ],
)
def test_any_other_path_or_method_is_an_unknown_operation(method, path):
    with pytest.raises(WireError) as raised:
        route(method, path)
    assert raised.value.code == "UnknownOperationException"
    assert SERVICE.encode_error(raised.value, "r").status == 404


@pytest.mark.parametrize("label", ["%ff", "%c3", "%ed%a0%80", "a%80b", "\ud800"])
def test_a_label_that_is_not_utf_8_is_refused(label):
    with pytest.raises(WireError) as raised:
        route("GET", f"/environments/{label}")
    assert raised.value.code == "ValidationException"


@settings(deadline=None)
@given(st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH"]), st.text())
def test_no_path_is_more_than_a_wire_error(method, path):
    for start in ("", "/", "/environments/", "/tags/"):
        try:
            route(method, start + path)
        except WireError as error:
            if error.code not in {"UnknownOperationException", "ValidationException"}:
                raise
