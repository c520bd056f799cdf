"""IAM's operations about policies against PostgreSQL: managed and inline ones, versions, attachments, sizes."""

import json
import urllib.parse

import pytest

from tests.integration.iam_account import (
    ALLOW,
    CONFLICT,
    INVALID,
    LIMIT,
    LOCAL,
    MALFORMED,
    NO_SUCH,
    READ_ONLY,
    TRUST,
    names,
    policy,
)

# -- managed policies ------------------------------------------------------------------------------------------


def test_a_policys_life(iam):
    made = iam("CreatePolicy", PolicyName="deploy", PolicyDocument=ALLOW % "s3:*", Path="/a/", Description="d")
    arn = made["Policy"]["Arn"]
    assert arn == f"{LOCAL}a/deploy"
    assert made["Policy"]["DefaultVersionId"] == "v1"
    assert iam("GetPolicy", PolicyArn=arn)["Policy"]["Description"] == "d"
    document = iam("GetPolicyVersion", PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert urllib.parse.unquote(document) == ALLOW % "s3:*"
    version = iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALLOW % "s3:Get*", SetAsDefault=True)
    assert (version["PolicyVersion"]["VersionId"], version["PolicyVersion"]["IsDefaultVersion"]) == ("v2", True)
    assert names(iam("ListPolicyVersions", PolicyArn=arn), "Versions", "VersionId") == ["v2", "v1"]
    assert iam.refusal("DeletePolicyVersion", PolicyArn=arn, VersionId="v2") == (
        CONFLICT,
        "Cannot delete the default version of a policy.",
    )
    assert iam.refusal("DeletePolicy", PolicyArn=arn)[0] == CONFLICT
    iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    iam("DeletePolicy", PolicyArn=arn)
    assert iam.refusal("GetPolicy", PolicyArn=arn) == (NO_SUCH, f"Policy {arn} was not found.")


def test_a_versions_number_is_not_used_again(iam):
    arn = policy(iam)
    for _ in range(2):
        iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALLOW % "s3:*")
        last = iam("ListPolicyVersions", PolicyArn=arn)["Versions"][0]["VersionId"]
        iam("DeletePolicyVersion", PolicyArn=arn, VersionId=last)
    assert last == "v3"


def test_five_versions_and_no_more(iam):
    arn = policy(iam)
    for _ in range(4):
        iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALLOW % "s3:*")
    code, sentence = iam.refusal("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALLOW % "s3:*")
    assert code == LIMIT
    assert sentence.startswith("A managed policy can have up to 5 versions.")
    assert iam.refusal("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v9")[0] == NO_SUCH


def test_attached_policies(iam, alice):
    arn = policy(iam)
    iam("CreateRole", RoleName="runner", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
    iam("AttachUserPolicy", UserName="alice", PolicyArn=arn)
    iam("AttachUserPolicy", UserName="alice", PolicyArn=arn)
    iam("AttachUserPolicy", UserName="alice", PolicyArn=READ_ONLY)
    attached = iam("ListAttachedUserPolicies", UserName="alice")["AttachedPolicies"]
    assert attached == [
        {"PolicyName": "deploy", "PolicyArn": arn},
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY},
    ]
    found = iam("GetPolicy", PolicyArn=arn)["Policy"]
    assert (found["AttachmentCount"], found["PermissionsBoundaryUsageCount"]) == (1, 1)
    entities = iam("ListEntitiesForPolicy", PolicyArn=arn)
    assert names(entities, "PolicyUsers", "UserName") == ["alice"]
    assert names(entities, "PolicyRoles", "RoleName") == ["runner"]
    only = iam("ListEntitiesForPolicy", PolicyArn=arn, PolicyUsageFilter="PermissionsPolicy")
    assert only["PolicyRoles"] == []
    assert iam.refusal("DeletePolicy", PolicyArn=arn) == (CONFLICT, "Cannot delete a policy attached to entities.")
    iam("DetachUserPolicy", UserName="alice", PolicyArn=arn)
    assert iam.refusal("DetachUserPolicy", UserName="alice", PolicyArn=arn) == (NO_SUCH, f"Policy {arn} was not found.")
    assert iam.refusal("DeletePolicy", PolicyArn=arn)[0] == CONFLICT  # it is still a boundary
    iam("DeleteRolePermissionsBoundary", RoleName="runner")
    iam("DeletePolicy", PolicyArn=arn)


def test_policies_that_are_not_there(iam, alice):
    arn = f"{LOCAL}nothing"
    not_there = (NO_SUCH, f"Policy {arn} does not exist or is not attachable.")
    assert iam.refusal("AttachUserPolicy", UserName="alice", PolicyArn=arn) == not_there
    assert iam.refusal("PutUserPermissionsBoundary", UserName="alice", PermissionsBoundary=arn) == not_there
    assert iam.refusal("CreateUser", UserName="bob", PermissionsBoundary=arn) == not_there
    assert iam.refusal("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALLOW % "s3:*")[0] == NO_SUCH


def test_awss_policies_are_read_only(iam):
    local = {"PolicyArn": READ_ONLY}
    assert iam("GetPolicy", **local)["Policy"]["PolicyName"] == "ReadOnlyAccess"
    assert json.loads(
        urllib.parse.unquote(iam("GetPolicyVersion", VersionId="v1", **local)["PolicyVersion"]["Document"])
    )
    for operation, more in (
        ("DeletePolicy", {}),
        ("CreatePolicyVersion", {"PolicyDocument": ALLOW % "s3:*"}),
        ("SetDefaultPolicyVersion", {"VersionId": "v1"}),
        ("TagPolicy", {"Tags": [{"Key": "k", "Value": "v"}]}),
    ):
        assert iam.refusal(operation, **local, **more) == (INVALID, "Policy is outside your own account.")


def test_lists_of_policies(iam, alice):
    arn = policy(iam)
    everything = names(iam("ListPolicies"), "Policies", "PolicyName")
    assert {"deploy", "AdministratorAccess", "AmazonMWAAFullConsoleAccess"} <= set(everything)
    assert names(iam("ListPolicies", Scope="Local"), "Policies", "Arn") == [arn]
    assert iam("ListPolicies", Scope="Local", OnlyAttached=True)["Policies"] == []
    assert "deploy" not in names(iam("ListPolicies", Scope="AWS"), "Policies", "PolicyName")
    iam("AttachUserPolicy", UserName="alice", PolicyArn=READ_ONLY)
    assert names(iam("ListPolicies", OnlyAttached=True), "Policies", "Arn") == [READ_ONLY]


def test_a_managed_policy_has_a_size(iam):
    actions = json.dumps([f"s3:Action{number}" for number in range(600)])
    document = (ALLOW % "s3:*").replace('"s3:*"', actions)
    assert iam.refusal("CreatePolicy", PolicyName="large", PolicyDocument=document) == (
        LIMIT,
        "Cannot exceed quota for PolicySize: 6144",
    )
    assert iam.refusal("CreatePolicy", PolicyName="p", PolicyDocument="{}")[0] == MALFORMED


# -- inline policies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["User", "Group", "Role"])
def test_inline_policies(iam, kind):
    trust = {"AssumeRolePolicyDocument": TRUST} if kind == "Role" else {}
    who = {f"{kind}Name": "it"}
    iam(f"Create{kind}", **who, **trust)
    iam(f"Put{kind}Policy", **who, PolicyName="p", PolicyDocument=ALLOW % "s3:*")
    iam(f"Put{kind}Policy", **who, PolicyName="p", PolicyDocument=ALLOW % "s3:Get*")
    found = iam(f"Get{kind}Policy", **who, PolicyName="p")
    assert urllib.parse.unquote(found["PolicyDocument"]) == ALLOW % "s3:Get*"
    assert iam(f"List{kind}Policies", **who)["PolicyNames"] == ["p"]
    assert iam.refusal(f"Put{kind}Policy", **who, PolicyName="p", PolicyDocument="{")[0] == MALFORMED
    limit = {"User": 2048, "Group": 5120, "Role": 10240}[kind]
    large = ALLOW % ("s3:" + "a" * (limit - 100))
    assert iam.refusal(f"Put{kind}Policy", **who, PolicyName="q", PolicyDocument=large) == (
        LIMIT,
        f"Maximum policy size of {limit} bytes exceeded for {kind.lower()} it",
    )
    iam(f"Delete{kind}Policy", **who, PolicyName="p")
    not_there = (NO_SUCH, f"The {kind.lower()} policy with name p cannot be found.")
    assert iam.refusal(f"Get{kind}Policy", **who, PolicyName="p") == not_there
    assert iam.refusal(f"Delete{kind}Policy", **who, PolicyName="p") == not_there


def test_white_space_does_not_count(iam, alice):
    iam("PutUserPolicy", UserName="alice", PolicyName="p", PolicyDocument=ALLOW % "s3:*" + " " * 4000)
