"""boto3 and the AWS CLI on the iam API: entities, what keys are then good for, errors as botocore's exceptions."""

import itertools
import json
import os
import subprocess

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.contract.test_mwaa_aws_cli import program, told

__all__ = ["program"]  # a fixture

_numbers = itertools.count(1)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "airflow-env.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def document(action, resource="*", effect="Allow"):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}
    )


def client_of(service, name, key=None):
    key = key or {"AccessKeyId": service.access_key_id, "SecretAccessKey": service.secret_access_key}
    return boto3.client(
        name, endpoint_url=service.endpoint_url, region_name=service.region, verify=service.ca_bundle,
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip


@pytest.fixture
def iam(service):
    return client_of(service, "iam")


@pytest.fixture
def user(iam):
    """A user who is taken away at the end with all that he holds, as Terraform's force_destroy does it."""
    name = f"it-{os.getpid()}-{next(_numbers)}"
    iam.create_user(UserName=name)
    yield name
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
        iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
    assert iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"] == []
    assert iam.list_signing_certificates(UserName=name)["Certificates"] == []
    assert iam.list_mfa_devices(UserName=name)["MFADevices"] == []
    iam.delete_user(UserName=name)


def test_a_key_is_good_for_what_its_user_may(service, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mwaa = service.client(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    with pytest.raises(ClientError, match="no identity-based policy allows the airflow:ListEnvironments") as refused:
        mwaa.list_environments()
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    iam.put_user_policy(UserName=user, PolicyName="list", PolicyDocument=document("airflow:ListEnvironments"))
    assert "Environments" in mwaa.list_environments()
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        mwaa.list_environments()


def test_who_may_only_look_at_himself(service, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = "arn:aws:iam::*:user/${aws:username}"
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document("iam:GetUser", own))
    alices = client_of(service, "iam", key)
    assert alices.get_user()["User"]["UserName"] == user
    assert alices.get_user(UserName=user.upper())["User"]["UserName"] == user
    with pytest.raises(ClientError) as refused:
        alices.get_user(UserName="somebody-else")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    with pytest.raises(ClientError, match="iam:CreateAccessKey"):
        alices.create_access_key()


def test_renaming_needs_the_right_on_both_names(service, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document("iam:UpdateUser", arn))
    alices = client_of(service, "iam", key)
    alices.update_user(UserName=user, NewUserName=user)
    with pytest.raises(ClientError, match="user/admins/"):
        alices.update_user(UserName=user, NewPath="/admins/")


def test_a_roles_documents_come_back_decoded(iam):
    name = f"role-{os.getpid()}-{next(_numbers)}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Description="d")["Role"]
    assert made["AssumeRolePolicyDocument"] == TRUST
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document("s3:*"))
    assert iam.get_role_policy(RoleName=name, PolicyName="p")["PolicyDocument"]["Version"] == "2012-10-17"
    with pytest.raises(iam.exceptions.DeleteConflictException, match="must delete policies first"):
        iam.delete_role(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    iam.delete_role(RoleName=name)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match=f"The role with name {name} cannot be found."):
        iam.get_role(RoleName=name)


def test_errors_are_botocores_exceptions(iam, user):
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=user)
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument="{")
    for _ in range(2):
        iam.create_access_key(UserName=user)
    with pytest.raises(iam.exceptions.LimitExceededException, match="AccessKeysPerUser: 2"):
        iam.create_access_key(UserName=user)
    with pytest.raises(ClientError) as refused:
        iam.create_service_linked_role(AWSServiceName="airflow.amazonaws.com")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_page_by_page(iam, user):
    pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 3})
    found = [policy["Arn"] for page in pages for policy in page["Policies"]]
    assert len(found) == len(set(found))
    assert "arn:aws:iam::aws:policy/AdministratorAccess" in found
    details = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2})
    assert user in {each["UserName"] for page in details for each in page["UserDetailList"]}


def test_the_aws_cli(program, service, user, tmp_path):
    def aws(*arguments):
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_PAGER": ""}
        surroundings |= service.variables() | {"AWS_ENDPOINT_URL_IAM": service.endpoint_url}
        return subprocess.run(
            [*program, "iam", *arguments], env=surroundings, capture_output=True, text=True, timeout=120,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    assert told(aws("get-user"))["User"]["Arn"].endswith(":root")
    assert user in {each["UserName"] for each in told(aws("list-users"))["Users"]}
    assert told(aws("get-account-summary"))["SummaryMap"]["Users"] >= 1
    told(aws("tag-user", "--user-name", user, "--tags", "Key=team,Value=data"))
    assert told(aws("list-user-tags", "--user-name", user))["Tags"] == [{"Key": "team", "Value": "data"}]
    refused = aws("get-user", "--user-name", "nobody-of-that-name")
    assert "(NoSuchEntity)" in refused.stderr
