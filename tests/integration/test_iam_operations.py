"""IAM's operations about users, groups, roles and keys against PostgreSQL, in AWS's shapes and AWS's words."""

import json
import urllib.parse

from tests.integration.iam_account import (
    ALLOW,
    CONFLICT,
    EXISTS,
    LIMIT,
    MALFORMED,
    NO_SUCH,
    NOW,
    READ_ONLY,
    TRUST,
    names,
)
from tradewind.iam import Kind, Principal

# -- users -----------------------------------------------------------------------------------------------------


def test_a_users_life(iam):
    made = iam("CreateUser", UserName="Bob", Path="/team/", Tags=[{"Key": "k", "Value": "v"}])["User"]
    assert made["Arn"] == "arn:aws:iam::123456789012:user/team/Bob"
    assert made["CreateDate"] == NOW
    assert iam("GetUser", UserName="bob")["User"] == made
    iam("UpdateUser", UserName="Bob", NewUserName="Robert", NewPath="/")
    renamed = iam("GetUser", UserName="Robert")["User"]
    assert (renamed["Arn"], renamed["UserId"]) == ("arn:aws:iam::123456789012:user/Robert", made["UserId"])
    assert "Tags" not in iam("ListUsers")["Users"][0]
    iam("DeleteUser", UserName="Robert")
    assert iam("ListUsers") == {"Users": [], "IsTruncated": False}


def test_users_that_are_not_there(iam):
    sentence = "The user with name bob cannot be found."
    for operation, more in {
        "GetUser": {},
        "DeleteUser": {},
        "UpdateUser": {"NewPath": "/x/"},
        "CreateAccessKey": {},
        "ListAccessKeys": {},
        "ListUserPolicies": {},
        "ListAttachedUserPolicies": {},
        "ListGroupsForUser": {},
        "ListUserTags": {},
        "ListMFADevices": {},
        "GetLoginProfile": {},
        "AttachUserPolicy": {"PolicyArn": READ_ONLY},
        "PutUserPolicy": {"PolicyName": "p", "PolicyDocument": ALLOW % "s3:*"},
    }.items():
        assert iam.refusal(operation, UserName="bob", **more) == (NO_SUCH, sentence), operation


def test_a_name_is_taken_in_any_case(iam, alice):
    assert iam.refusal("CreateUser", UserName="ALICE") == (EXISTS, "User with name ALICE already exists.")
    iam("CreateUser", UserName="bob")
    assert iam.refusal("UpdateUser", UserName="bob", NewUserName="Alice") == (
        EXISTS,
        "User with name Alice already exists.",
    )
    iam("UpdateUser", UserName="bob", NewUserName="BOB")
    iam("CreateGroup", GroupName="alice")


def test_the_caller_without_a_name(iam, alice):
    assert iam("GetUser", alice)["User"]["UserName"] == "alice"
    assert iam("GetUser")["User"]["Arn"] == "arn:aws:iam::123456789012:root"
    session = Principal("arn:aws:sts::123456789012:assumed-role/r/s", "123456789012", "x", kind=Kind.ASSUMED_ROLE)
    assert iam.refusal("GetUser", session) == (
        "ValidationException",
        "Must specify userName when calling with non-User credentials",
    )


def test_what_a_user_holds_is_in_the_way(iam, alice):
    iam("CreateGroup", GroupName="crew")
    iam("AddUserToGroup", GroupName="crew", UserName="alice")
    key = iam("CreateAccessKey", UserName="alice")["AccessKey"]["AccessKeyId"]
    iam("AttachUserPolicy", UserName="alice", PolicyArn=READ_ONLY)
    iam("PutUserPolicy", UserName="alice", PolicyName="own", PolicyDocument=ALLOW % "s3:*")
    for what, operation, more in (
        ("remove users from group", "RemoveUserFromGroup", {"GroupName": "crew"}),
        ("delete access keys", "DeleteAccessKey", {"AccessKeyId": key}),
        ("detach all policies", "DetachUserPolicy", {"PolicyArn": READ_ONLY}),
        ("delete policies", "DeleteUserPolicy", {"PolicyName": "own"}),
    ):
        assert iam.refusal("DeleteUser", UserName="alice") == (CONFLICT, f"Cannot delete entity, must {what} first.")
        iam(operation, UserName="alice", **more)
    iam("DeleteUser", UserName="alice")


# -- groups ----------------------------------------------------------------------------------------------------


def test_a_groups_life(iam, alice):
    made = iam("CreateGroup", GroupName="crew", Path="/a/")["Group"]
    assert made["Arn"] == "arn:aws:iam::123456789012:group/a/crew"
    assert made["GroupId"].startswith("AGPA")
    iam("AddUserToGroup", GroupName="crew", UserName="alice")
    iam("AddUserToGroup", GroupName="crew", UserName="alice")
    assert names(iam("GetGroup", GroupName="crew"), "Users", "UserName") == ["alice"]
    assert names(iam("ListGroupsForUser", UserName="alice"), "Groups", "GroupName") == ["crew"]
    assert iam.refusal("DeleteGroup", GroupName="crew")[0] == CONFLICT
    iam("UpdateGroup", GroupName="crew", NewGroupName="team")
    iam("RemoveUserFromGroup", GroupName="team", UserName="alice")
    assert iam.refusal("RemoveUserFromGroup", GroupName="team", UserName="alice")[0] == NO_SUCH
    iam("DeleteGroup", GroupName="team")
    assert iam("ListGroups")["Groups"] == []


def test_ten_groups_and_no_more(iam, alice):
    for number in range(11):
        iam("CreateGroup", GroupName=f"g{number}")
    for number in range(10):
        iam("AddUserToGroup", GroupName=f"g{number}", UserName="alice")
    assert iam.refusal("AddUserToGroup", GroupName="g10", UserName="alice") == (
        LIMIT,
        "Cannot exceed quota for GroupsPerUser: 10",
    )


# -- roles -----------------------------------------------------------------------------------------------------


def test_a_roles_life(iam):
    made = iam(
        "CreateRole", RoleName="runner", AssumeRolePolicyDocument=TRUST, Description="d", MaxSessionDuration=7200
    )["Role"]
    assert urllib.parse.unquote(made["AssumeRolePolicyDocument"]) == TRUST
    assert "%7B%22Version%22%3A%20%22" in made["AssumeRolePolicyDocument"]
    assert (made["MaxSessionDuration"], made["RoleLastUsed"]) == (7200, {})
    iam("UpdateRole", RoleName="runner", MaxSessionDuration=3600)
    assert iam("GetRole", RoleName="runner")["Role"]["Description"] == "d"
    assert iam("UpdateRoleDescription", RoleName="runner", Description="")["Role"]["Description"] == ""
    trust = TRUST.replace("airflow-env", "airflow")
    iam("UpdateAssumeRolePolicy", RoleName="runner", PolicyDocument=trust)
    found = iam("GetRole", RoleName="runner")["Role"]
    assert urllib.parse.unquote(found["AssumeRolePolicyDocument"]) == trust
    assert "RoleLastUsed" not in iam("ListRoles")["Roles"][0]
    assert iam("ListInstanceProfilesForRole", RoleName="runner")["InstanceProfiles"] == []
    iam("DeleteRole", RoleName="runner")
    assert iam.refusal("GetRole", RoleName="runner") == (NO_SUCH, "The role with name runner cannot be found.")


def test_a_trust_policy_is_checked(iam):
    assert iam.refusal("CreateRole", RoleName="r", AssumeRolePolicyDocument="{")[0] == MALFORMED
    assert iam.refusal("CreateRole", RoleName="r", AssumeRolePolicyDocument=ALLOW % "s3:*")[0] == MALFORMED
    iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=TRUST)
    assert iam.refusal("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument="[]")[0] == MALFORMED
    services = ", ".join(f'"s{number:03}.amazonaws.com"' for number in range(150))
    long = TRUST.replace('"airflow-env.amazonaws.com"', f"[{services}]")
    assert iam.refusal("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=long) == (
        LIMIT,
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )


def test_a_role_trusts_the_one_that_it_named(iam, alice):
    trust = TRUST.replace('"Service": "airflow-env.amazonaws.com"', f'"AWS": ["{alice.arn}", "123456789012"]')
    iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)

    def trusted():
        shown = json.loads(urllib.parse.unquote(iam("GetRole", RoleName="r")["Role"]["AssumeRolePolicyDocument"]))
        return shown["Statement"]["Principal"]["AWS"][0]

    assert trusted() == alice.arn
    first = iam("GetUser", UserName="alice")["User"]["UserId"]
    assert first in iam.identities.role("r").trust
    iam("UpdateUser", UserName="alice", NewUserName="alicia")
    assert trusted() == alice.arn.replace("alice", "alicia")
    iam("DeleteUser", UserName="alicia")
    iam("CreateUser", UserName="alice")
    assert trusted() == first
    nobody = trust.replace("user/alice", "user/nobody")
    assert iam.refusal("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=nobody) == (
        MALFORMED,
        'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/nobody"',
    )


# -- keys ------------------------------------------------------------------------------------------------------


def test_keys_of_the_caller(iam, alice):
    made = iam("CreateAccessKey", alice)["AccessKey"]
    assert (made["UserName"], made["Status"], len(made["SecretAccessKey"])) == ("alice", "Active", 40)
    iam("CreateAccessKey", alice)
    assert iam.refusal("CreateAccessKey", alice) == (LIMIT, "Cannot exceed quota for AccessKeysPerUser: 2")
    iam("UpdateAccessKey", alice, AccessKeyId=made["AccessKeyId"], Status="Inactive")
    listed = {item["AccessKeyId"]: item["Status"] for item in iam("ListAccessKeys", alice)["AccessKeyMetadata"]}
    assert listed[made["AccessKeyId"]] == "Inactive"
    used = iam("GetAccessKeyLastUsed", AccessKeyId=made["AccessKeyId"])
    assert used == {"UserName": "alice", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
    iam("DeleteAccessKey", alice, AccessKeyId=made["AccessKeyId"])
    assert len(iam("ListAccessKeys", alice)["AccessKeyMetadata"]) == 1


def test_nobody_reaches_anothers_key_by_his_own_name(iam, alice):
    iam("CreateUser", UserName="bob")
    bobs = iam("CreateAccessKey", UserName="bob")["AccessKey"]["AccessKeyId"]
    not_there = (NO_SUCH, f"The Access Key with id {bobs} cannot be found.")
    assert iam.refusal("DeleteAccessKey", alice, AccessKeyId=bobs) == not_there
    assert iam.refusal("UpdateAccessKey", alice, AccessKeyId=bobs, Status="Inactive") == not_there


def test_the_roots_key_is_listed_and_no_more(iam):
    assert names(iam("ListAccessKeys"), "AccessKeyMetadata", "AccessKeyId") == ["AKIAROOT"]
    assert iam.refusal("CreateAccessKey")[0] == "ValidationException"
    assert iam.refusal("DeleteAccessKey", AccessKeyId="AKIAROOT" * 2)[0] == "ValidationException"
