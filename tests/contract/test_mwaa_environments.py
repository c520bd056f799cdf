"""boto3 creates, reads, lists and deletes environments: shapes and Python types of every answer."""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from tests.conftest import NETWORK, ROLE
from tests.contract.conftest import names

ALWAYS = {
    "Name": str, "Status": str, "Arn": str, "CreatedAt": datetime, "ExecutionRoleArn": str, "ServiceRoleArn": str,
    "AirflowVersion": str, "SourceBucketArn": str, "DagS3Path": str, "AirflowConfigurationOptions": dict,
    "EnvironmentClass": str, "MinWorkers": int, "MaxWorkers": int, "Schedulers": int, "MinWebservers": int,
    "MaxWebservers": int, "NetworkConfiguration": dict, "LoggingConfiguration": dict, "LastUpdate": dict, "Tags": dict,
    "WeeklyMaintenanceWindowStart": str, "WebserverAccessMode": str, "EndpointManagement": str,
}  # fmt: skip
MODULES = {"DagProcessingLogs", "SchedulerLogs", "WebserverLogs", "WorkerLogs", "TaskLogs"}


def refused(call, **parameters):
    """The error that boto3 shows for a call."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response


def asked(name, **members):
    return {
        "Name": name, "ExecutionRoleArn": ROLE, "SourceBucketArn": "arn:aws:s3:::is-not-there", "DagS3Path": "dags",
        "NetworkConfiguration": NETWORK, **members,
    }  # fmt: skip


def test_an_available_environment_has_every_member_in_its_type(service, mwaa, environment):
    found = mwaa.get_environment(Name=environment)["Environment"]
    for member, kind in ALWAYS.items():
        assert isinstance(found[member], kind), member
    assert found["Status"] == "AVAILABLE"
    assert found["Arn"] == f"arn:aws:airflow:{service.region}:{service.account_id}:environment/{environment}"
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert isinstance(found["LastUpdate"]["CreatedAt"], datetime)
    assert found["CreatedAt"] <= found["LastUpdate"]["CreatedAt"] <= datetime.now(UTC)
    assert found["WebserverUrl"] == mwaa.create_web_login_token(Name=environment)["WebServerHostname"]
    assert set(found["LoggingConfiguration"]) == MODULES
    assert found["NetworkConfiguration"] == NETWORK
    group = found["LoggingConfiguration"]["TaskLogs"]["CloudWatchLogGroupArn"]
    assert group == f"arn:aws:logs:{service.region}:{service.account_id}:log-group:airflow-{environment}-Task"


def test_times_are_epoch_numbers_on_the_wire(knock, environment):
    found = json.loads(knock("GET", f"/environments/{environment}").body)["Environment"]
    for moment in (found["CreatedAt"], found["LastUpdate"]["CreatedAt"]):
        assert isinstance(moment, int | float)
        assert datetime.fromtimestamp(moment, UTC).year >= 2026


def test_an_answer_has_a_request_id(knock):
    answers = [knock("GET", "/environments"), knock("GET", "/environments/none")]
    ids = {answer.headers["x-amzn-requestid"] for answer in answers}
    assert len(ids) == 2
    assert all(answer.headers["content-type"] == "application/json" for answer in answers)


def test_last_update_is_there_from_the_first_moment(service, mwaa, unused):
    name = unused()
    arn = mwaa.create_environment(**asked(name))["Arn"]
    assert arn == f"arn:aws:airflow:{service.region}:{service.account_id}:environment/{name}"
    first = mwaa.get_environment(Name=name)["Environment"]
    assert first["Status"] in {"CREATING", "CREATE_FAILED"}
    assert first["LastUpdate"]["Status"] in {"PENDING", "FAILED"}
    assert isinstance(first["LastUpdate"]["CreatedAt"], datetime)
    assert "WebserverUrl" not in first


def test_what_was_asked_for_is_echoed(mwaa, unused):
    name = unused()
    members = {
        "AirflowConfigurationOptions": {"core.default_timezone": "utc", "a.b": "!~ $"},
        "AirflowVersion": "3.3.1",
        "EnvironmentClass": "mw1.small",
        "MinWorkers": 2,
        "MaxWorkers": 5,
        "Schedulers": 3,
        "MinWebservers": 2,
        "MaxWebservers": 4,
        "LoggingConfiguration": {"SchedulerLogs": {"Enabled": True, "LogLevel": "DEBUG"}},
        "WeeklyMaintenanceWindowStart": "SUN:23:30",
        "WebserverAccessMode": "PUBLIC_ONLY",
        "EndpointManagement": "SERVICE",
        "RequirementsS3Path": "requirements.txt",
        "RequirementsS3ObjectVersion": "r1",
        "PluginsS3Path": "plugins.zip",
        "PluginsS3ObjectVersion": "p1",
        "StartupScriptS3Path": "",
        "Tags": {"team": "søø 1", "a:b/c": "x=y@z+"},
    }
    mwaa.create_environment(**asked(name, **members))
    found = mwaa.get_environment(Name=name)["Environment"]
    logging = members.pop("LoggingConfiguration")
    shown = found["LoggingConfiguration"]["SchedulerLogs"]
    assert shown.items() >= logging["SchedulerLogs"].items()
    assert shown["CloudWatchLogGroupArn"].endswith(f":log-group:airflow-{name}-Scheduler")
    members.pop("StartupScriptS3Path")
    assert not found.get("StartupScriptS3Path")
    assert found.items() >= members.items()


def test_defaults_are_those_of_the_class(mwaa, unused):
    name = unused()
    mwaa.create_environment(**asked(name))
    found = mwaa.get_environment(Name=name)["Environment"]
    assert found["EnvironmentClass"] == "mw1.small"
    assert (found["MinWorkers"], found["MaxWorkers"], found["Schedulers"]) == (1, 10, 2)
    assert (found["MinWebservers"], found["MaxWebservers"]) == (2, 2)
    assert found["WebserverAccessMode"] == "PRIVATE_ONLY"
    assert found["EndpointManagement"] == "SERVICE"
    assert found["AirflowConfigurationOptions"] == {}
    assert found["Tags"] == {}


def test_a_list_is_complete_and_sorted_page_by_page(mwaa, environment, failed):
    made = {failed()["Name"] for _ in range(3)}
    paginator = mwaa.get_paginator("list_environments")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 1}))
    listed = [name for page in pages for name in page["Environments"]]
    assert all(len(page["Environments"]) == 1 for page in pages)
    assert made | {environment} <= set(listed)
    assert listed == sorted(listed)
    assert listed == mwaa.list_environments(MaxResults=25)["Environments"]
    assert "NextToken" not in pages[-1]


def test_a_page_goes_on_where_the_last_one_ended_though_its_last_name_is_gone(service, mwaa, failed):
    first, second, third = sorted(failed()["Name"] for _ in range(3))
    before = names(mwaa).index(first)
    token = None
    for _ in range(before + 2):
        page = mwaa.list_environments(MaxResults=1, **({"NextToken": token} if token else {}))
        token = page["NextToken"]
    assert page["Environments"] == [second]
    mwaa.delete_environment(Name=second)
    service.wait_gone(second)
    assert mwaa.list_environments(MaxResults=1, NextToken=token)["Environments"] == [third]


@pytest.mark.parametrize(
    "token", ["garbage", "e30=", "W10=", "eyJhZnRlciI6MX0=", "é", "x" * 2048, "eyJhZnRlciI6ICJcdTAwMDAifQ=="]
)
def test_a_token_that_was_not_given_is_refused(mwaa, token):
    response = refused(mwaa.list_environments, NextToken=token)
    assert response["Error"]["Code"] == "ValidationException"
    assert response["Error"]["Message"] == "The NextToken is not valid."


@pytest.mark.parametrize("number", [0, 26, -1, 2**31 - 1])
def test_a_page_size_out_of_bounds_is_refused(knock, number):
    answer = knock("GET", f"/environments?MaxResults={number}")
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert "'maxResults'" in answer.message


def test_a_name_is_taken_once(mwaa, dead):
    name = dead
    response = refused(mwaa.create_environment, **asked(name))
    assert response["Error"]["Code"] == "ValidationException"
    assert response["Error"]["Message"] == f"An environment with the name {name} already exists."
    assert names(mwaa).count(name) == 1


def test_names_that_differ_in_case_only_are_two_environments(service, mwaa, unused):
    lower = unused()
    upper = lower.upper()
    try:
        mwaa.create_environment(**asked(lower))
        mwaa.create_environment(**asked(upper))
        assert {lower, upper} <= set(names(mwaa))
        found = [mwaa.get_environment(Name=name)["Environment"] for name in (lower, upper)]
        assert [one["Name"] for one in found] == [lower, upper]
        assert found[0]["Arn"] != found[1]["Arn"]
    finally:
        mwaa.delete_environment(Name=upper)
        service.wait_gone(upper)
    assert lower in names(mwaa)


def test_a_name_of_80_characters_is_taken_and_one_of_81_is_not(service, mwaa):
    name = "Aa0-_" * 16
    try:
        mwaa.create_environment(**asked(name))
        assert mwaa.get_environment(Name=name)["Environment"]["Name"] == name
    finally:
        mwaa.delete_environment(Name=name)
        service.wait_gone(name)
    response = refused(mwaa.create_environment, **asked(f"{name}x"))
    assert "length less than or equal to 80" in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("get_environment", {}),
        ("delete_environment", {}),
        ("update_environment", {}),
        ("create_cli_token", {}),
        ("create_web_login_token", {}),
        ("invoke_rest_api", {"Path": "/dags", "Method": "GET"}),
    ],
)
def test_an_environment_that_is_not_there(mwaa, call, parameters):
    with pytest.raises(mwaa.exceptions.ResourceNotFoundException) as raised:
        getattr(mwaa, call)(Name="nobody-made-this", **parameters)
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert "nobody-made-this" in response["Error"]["Message"]


def test_metrics_for_an_environment_that_is_not_there_are_refused_as_the_model_allows(mwaa):
    metric = {"MetricName": "m", "Timestamp": datetime.now(UTC), "Value": 1.0}
    response = refused(mwaa.publish_metrics, EnvironmentName="nobody-made-this", MetricData=[metric])
    assert response["Error"]["Code"] == "ValidationException"


def test_metrics_are_accepted(mwaa, environment):
    metric = {
        "MetricName": "m", "Timestamp": datetime.now(UTC), "Value": 1.5, "Unit": "Count/Second",
        "Dimensions": [{"Name": "n", "Value": "v"}],
        "StatisticValues": {"SampleCount": 1, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0},
    }  # fmt: skip
    answer = mwaa.publish_metrics(EnvironmentName=environment, MetricData=[metric])
    assert set(answer) == {"ResponseMetadata"}


@pytest.mark.parametrize("call", ["create_cli_token", "create_web_login_token", "invoke_rest_api"])
def test_an_environment_that_is_not_available_gives_no_token(mwaa, dead, call):
    name = dead
    more = {"Path": "/dags", "Method": "GET"} if call == "invoke_rest_api" else {}
    response = refused(getattr(mwaa, call), Name=name, **more)
    assert response["Error"]["Code"] == "ValidationException"
    assert f"{name} is not available: its status is CREATE_FAILED" in response["Error"]["Message"]


def test_an_update_that_cannot_be_is_refused_in_words(mwaa, environment):
    before = mwaa.get_environment(Name=environment)["Environment"]
    response = refused(mwaa.update_environment, Name=environment, AirflowVersion="2.10.3")
    assert response["Error"]["Code"] == "ValidationException"
    assert "Airflow version 2.10.3 is not supported" in response["Error"]["Message"]
    assert mwaa.get_environment(Name=environment)["Environment"] == before


def test_an_environment_may_be_deleted_while_it_is_made_and_twice(service, mwaa, unused):
    name = unused()
    service.bucket("contract-deleted")
    service.create(name, "contract-deleted")
    assert set(mwaa.delete_environment(Name=name)) == {"ResponseMetadata"}
    try:
        assert mwaa.get_environment(Name=name)["Environment"]["Status"] == "DELETING"
        mwaa.delete_environment(Name=name)  # the model marks it idempotent
    except mwaa.exceptions.ResourceNotFoundException:
        pass  # it was that quick
    try:
        mwaa.create_environment(**asked(name))
    except mwaa.exceptions.ValidationException:
        pass  # it is there still, and has its name
    else:  # it was that quick, and there is no second one of this name
        assert names(mwaa).count(name) == 1
        mwaa.delete_environment(Name=name)
    service.wait_gone(name)
    with pytest.raises(mwaa.exceptions.ResourceNotFoundException):
        mwaa.delete_environment(Name=name)
    assert name not in names(mwaa)


def test_a_name_may_be_used_again(service, mwaa, failed, unused):
    name = failed()["Name"]
    before = mwaa.get_environment(Name=name)
    mwaa.delete_environment(Name=name)
    service.wait_gone(name)
    service.create(name, "is-not-there")
    after = mwaa.get_environment(Name=name)
    header = "x-tradewind-environment-id"
    ids = [answer["ResponseMetadata"]["HTTPHeaders"][header] for answer in (before, after)]
    assert ids[0] != ids[1]
