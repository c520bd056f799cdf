"""From a policy to what somebody can do inside Airflow: users, roles and their sessions, at a real environment."""

import itertools
import json
import os

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import NETWORK, patient_rest

_numbers = itertools.count(1)
VARIABLE = {"Path": "/variables", "Method": "POST"}


def client(service, name, credentials=None):
    given = credentials or {"AccessKeyId": service.access_key_id, "SecretAccessKey": service.secret_access_key}
    return boto3.client(
        name, endpoint_url=service.endpoint_url, region_name=service.region, verify=service.ca_bundle,
        aws_access_key_id=given["AccessKeyId"], aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given.get("SessionToken"), config=Config(inject_host_prefix=False, read_timeout=60),
    )  # fmt: skip


def statement(action, resource, effect="Allow", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role_arn(service, environment, role):
    return f"arn:aws:airflow:{service.region}:{service.account_id}:role/{environment}/{role}"


@pytest.fixture
def iam(service):
    return client(service, "iam")


@pytest.fixture
def somebody(service, iam):
    """A user with one inline policy that tests write, and its key."""
    name = f"who-{os.getpid()}-{next(_numbers)}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    class Somebody:
        user = name
        credentials = key

        def may(self, *statements):
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=text(*statements))

        def ask(self, api="mwaa"):
            return client(service, api, key)

    yield Somebody()
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def refused(call, **members):
    with pytest.raises(ClientError) as error:
        call(**members)
    return error.value.response


def test_rest_calls_have_exactly_the_airflow_roles_that_iam_gives_at_that_moment(service, environment, somebody):
    rest = somebody.ask().invoke_rest_api
    asked = {"Name": environment, "Path": "/dags", "Method": "GET"}
    denied = refused(rest, **asked)
    assert denied["Error"]["Code"] == "AccessDeniedException"
    assert f"airflow:InvokeRestApi on resource: {role_arn(service, environment, 'Admin')}" in denied["Error"]["Message"]

    somebody.may(statement("airflow:InvokeRestApi", role_arn(service, environment, "Viewer")))
    assert patient_rest(somebody.ask(), **asked)["RestApiStatusCode"] == 200
    body = {"key": "who_may", "value": "x"}
    inside = refused(rest, Name=environment, Body=body, **VARIABLE)
    assert (inside["Error"]["Code"], inside["RestApiStatusCode"]) == ("RestApiClientException", 403)

    somebody.may(statement("airflow:InvokeRestApi", role_arn(service, environment, "*")))
    assert rest(Name=environment, Body=body, **VARIABLE)["RestApiStatusCode"] == 201
    assert rest(Name=environment, Path="/variables/who_may", Method="DELETE")["RestApiStatusCode"] == 204

    somebody.may(
        statement("airflow:InvokeRestApi", role_arn(service, environment, "*")),
        statement("airflow:InvokeRestApi", role_arn(service, environment, "A*"), "Deny"),
        statement("airflow:InvokeRestApi", role_arn(service, environment, "Op"), "Deny"),
    )
    again = refused(rest, Name=environment, Body=body, **VARIABLE)
    assert again["RestApiStatusCode"] == 403


def test_the_environments_own_arn_counts_for_nothing_in_web_login(service, environment, somebody):
    arn = f"arn:aws:airflow:{service.region}:{service.account_id}:environment/{environment}"
    somebody.may(statement("airflow:*", arn))
    token = somebody.ask().create_web_login_token
    assert refused(token, Name=environment)["Error"]["Code"] == "AccessDeniedException"
    somebody.may(statement("airflow:CreateWebLoginToken", role_arn(service, environment, "User")))
    assert token(Name=environment)["IamIdentity"] == f"user/{somebody.user}"
    assert somebody.ask("sts").get_caller_identity()["Arn"].endswith(f":user/{somebody.user}")


def test_a_session_of_a_role_is_its_own_airflow_user(service, iam, environment, somebody):
    name = f"{somebody.user}-role"
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{service.account_id}:user/{somebody.user}"}}
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=text(trust | {"Action": "sts:AssumeRole"}),
    )["Role"]["Arn"]
    try:
        viewers = statement("airflow:CreateWebLoginToken", role_arn(service, environment, "Viewer"))
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=text(viewers))
        sts = somebody.ask("sts")
        given = sts.assume_role(RoleArn=arn, RoleSessionName="night")["Credentials"]
        as_role = client(service, "mwaa", given)
        assert as_role.create_web_login_token(Name=environment)["IamIdentity"] == f"assumed-role/{name}/night"
        for wrong in ({"SessionToken": "x"}, {"SessionToken": None}, {"SecretAccessKey": "x"}):
            failed = refused(client(service, "mwaa", given | wrong).create_web_login_token, Name=environment)
            assert failed["ResponseMetadata"]["HTTPStatusCode"] == 403

        narrowed = sts.assume_role(
            RoleArn=arn, RoleSessionName="narrow", Policy=text(statement("airflow:GetEnvironment", "*"))
        )["Credentials"]
        denied = refused(client(service, "mwaa", narrowed).create_web_login_token, Name=environment)
        assert denied["Error"]["Code"] == "AccessDeniedException"
        found = refused(client(service, "mwaa", narrowed).get_environment, Name=environment)
        assert "because no identity-based policy allows" in found["Error"]["Message"]  # a session policy gives nothing
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="p")
        iam.delete_role(RoleName=name)
    gone = refused(as_role.create_web_login_token, Name=environment)
    assert gone["Error"]["Code"] == "UnrecognizedClientException"


def test_creating_needs_the_right_to_pass_the_execution_role(service, somebody):
    somebody.may(statement("airflow:CreateEnvironment", "*"))
    role = f"arn:aws:iam::{service.account_id}:role/tradewind-execution"
    members = {
        "Name": f"passed-{os.getpid()}", "ExecutionRoleArn": role, "SourceBucketArn": "arn:aws:s3:::b",
        "DagS3Path": "dags", "NetworkConfiguration": NETWORK,
    }  # fmt: skip
    denied = refused(somebody.ask().create_environment, **members)["Error"]["Message"]
    assert f"iam:PassRole on resource: {role}" in denied
    elsewhere = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    somebody.may(statement("airflow:CreateEnvironment", "*"), statement("iam:PassRole", role, Condition=elsewhere))
    assert "iam:PassRole" in refused(somebody.ask().create_environment, **members)["Error"]["Message"]


def test_tags_and_addresses_decide(service, environment, mwaa, somebody):
    arn = mwaa.get_environment(Name=environment)["Environment"]["Arn"]
    get = somebody.ask().get_environment
    mwaa.tag_resource(ResourceArn=arn, Tags={"team": "data"})
    try:
        for condition, is_allowed in [
            ({"StringEquals": {"aws:ResourceTag/team": "data"}}, True),
            ({"StringEquals": {"aws:ResourceTag/team": "ops"}}, False),
            ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
            ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
            ({"Bool": {"aws:SecureTransport": "true"}}, True),
            ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
            ({"StringLike": {"aws:username": "who-*"}}, True),
        ]:
            somebody.may(statement("airflow:GetEnvironment", arn, Condition=condition))
            if is_allowed:
                assert get(Name=environment)["Environment"]["Name"] == environment, condition
            else:
                assert refused(get, Name=environment)["Error"]["Code"] == "AccessDeniedException", condition
    finally:
        mwaa.untag_resource(ResourceArn=arn, tagKeys=["team"])


def test_the_simulator_says_what_the_service_does(service, iam, environment, somebody):
    arn = f"arn:aws:airflow:{service.region}:{service.account_id}:environment/{environment}"
    somebody.may(statement("airflow:Get*", arn), statement("airflow:DeleteEnvironment", "*", "Deny"))
    user = f"arn:aws:iam::{service.account_id}:user/{somebody.user}"
    found = iam.simulate_principal_policy(
        PolicySourceArn=user,
        ActionNames=["airflow:GetEnvironment", "airflow:DeleteEnvironment", "airflow:UpdateEnvironment"],
        ResourceArns=[arn],
    )["EvaluationResults"]
    assert [(one["EvalActionName"], one["EvalDecision"]) for one in found] == [
        ("airflow:GetEnvironment", "allowed"),
        ("airflow:DeleteEnvironment", "explicitDeny"),
        ("airflow:UpdateEnvironment", "implicitDeny"),
    ]
    assert somebody.ask().get_environment(Name=environment)["Environment"]["Arn"] == arn
    assert "explicit deny" in refused(somebody.ask().delete_environment, Name=environment)["Error"]["Message"]
    key = somebody.credentials["AccessKeyId"]
    assert iam.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"]["ServiceName"] == "airflow"
