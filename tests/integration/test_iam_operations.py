"""IAM's operations against PostgreSQL, each answer held against AWS's model, each refusal against AWS's words."""

import json
import urllib.parse

import pytest

from tests.integration.iam_account import ALLOW, NOW, TRUST, IamAccount
from tradewind.iam import Kind, Principal
from tradewind.iam.entities import Home
from tradewind.store import Identities
from tradewind.store.sealing import MasterKey, Sealing

NO_SUCH, EXISTS = "NoSuchEntityException", "EntityAlreadyExistsException"
CONFLICT, LIMIT, INVALID = "DeleteConflictException", "LimitExceededException", "InvalidInputException"
MALFORMED = "MalformedPolicyDocumentException"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
LOCAL = "arn:aws:iam::123456789012:policy/"


@pytest.fixture
def iam(engine):
    return IamAccount(Identities(engine, Sealing(MasterKey.draw()), Home("123456789012")))


@pytest.fixture
def alice(iam):
    iam("CreateUser", UserName="alice")
    return Principal(
        "arn:aws:iam::123456789012:user/alice", "123456789012", "user/alice", user_name="alice", kind=Kind.USER
    )


def policy(iam, name="deploy", **more):
    return iam("CreatePolicy", PolicyName=name, PolicyDocument=ALLOW % "airflow:*", **more)["Policy"]["Arn"]


def names(result, member, name):
    return [item[name] for item in result[member]]


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


# -- tags, account, pages --------------------------------------------------------------------------------------


def test_tags(iam, alice):
    arn = policy(iam)
    iam("CreateRole", RoleName="runner", AssumeRolePolicyDocument=TRUST)
    for kind, who in (
        ("User", {"UserName": "alice"}),
        ("Role", {"RoleName": "runner"}),
        ("Policy", {"PolicyArn": arn}),
    ):
        iam(f"Tag{kind}", **who, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        iam(f"Tag{kind}", **who, Tags=[{"Key": "A", "Value": "3"}])
        tags = [{"Key": "A", "Value": "3"}, {"Key": "b", "Value": "2"}]
        assert iam(f"List{kind}Tags", **who)["Tags"] == tags
        assert iam(f"Get{kind}", **who)[kind]["Tags"] == tags
        iam(f"Untag{kind}", **who, TagKeys=["B", "nothing"])
        assert iam(f"List{kind}Tags", **who)["Tags"] == tags[:1]
        assert iam.refusal(f"Tag{kind}", **who, Tags=[{"Key": "aws:x", "Value": ""}])[0] == INVALID
        more = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
        assert iam.refusal(f"Tag{kind}", **who, Tags=more)[0] == LIMIT


def test_the_alias(iam):
    iam("CreateAccountAlias", AccountAlias="harbour")
    assert iam("ListAccountAliases")["AccountAliases"] == ["harbour"]
    assert iam.refusal("CreateAccountAlias", AccountAlias="harbour")[0] == EXISTS
    assert iam.refusal("CreateAccountAlias", AccountAlias="second")[0] == LIMIT
    iam("DeleteAccountAlias", AccountAlias="harbour")
    assert iam.refusal("DeleteAccountAlias", AccountAlias="harbour")[0] == NO_SUCH


def test_the_account_at_once(iam, alice):
    arn = policy(iam)
    iam("CreateGroup", GroupName="crew")
    iam("AddUserToGroup", GroupName="crew", UserName="alice")
    iam("CreateRole", RoleName="runner", AssumeRolePolicyDocument=TRUST)
    iam("PutRolePolicy", RoleName="runner", PolicyName="p", PolicyDocument=ALLOW % "s3:*")
    iam("AttachUserPolicy", UserName="alice", PolicyArn=arn)
    details = iam("GetAccountAuthorizationDetails", Filter=["User", "Role", "Group", "LocalManagedPolicy"])
    assert details["UserDetailList"][0]["GroupList"] == ["crew"]
    assert names(details["UserDetailList"][0], "AttachedManagedPolicies", "PolicyArn") == [arn]
    assert names(details["RoleDetailList"][0], "RolePolicyList", "PolicyName") == ["p"]
    assert names(details, "Policies", "Arn") == [arn]
    assert len(details["Policies"][0]["PolicyVersionList"]) == 1
    pages, more = 0, {}
    while True:
        result = iam("GetAccountAuthorizationDetails", MaxItems=1, **more)
        pages += 1
        if not result["IsTruncated"]:
            break
        more = {"Marker": result["Marker"]}
    assert pages == 4 + len(iam("ListPolicies", Scope="AWS")["Policies"])
    summary = iam("GetAccountSummary")["SummaryMap"]
    assert (summary["Users"], summary["Groups"], summary["Roles"], summary["Policies"]) == (1, 1, 1, 1)
    assert (summary["AccessKeysPerUserQuota"], summary["PolicyVersionsInUse"]) == (2, 1)


def test_pages(iam):
    for name in ("b", "A", "c", "D"):
        iam("CreateUser", UserName=name)
    first = iam("ListUsers", MaxItems=2)
    assert (names(first, "Users", "UserName"), first["IsTruncated"]) == (["A", "b"], True)
    iam("DeleteUser", UserName="b")  # a page goes on from its place
    second = iam("ListUsers", MaxItems=2, Marker=first["Marker"])
    assert (names(second, "Users", "UserName"), second["IsTruncated"]) == (["c", "D"], False)
    assert "Marker" not in second
    assert iam.refusal("ListUsers", Marker="garbage!") == (INVALID, "Invalid Marker.")


def test_path_prefixes(iam):
    for name, path in (("a", "/x/"), ("b", "/x/y/"), ("c", "/xy/"), ("d", "/x_/")):
        iam("CreateUser", UserName=name, Path=path)
    assert names(iam("ListUsers", PathPrefix="/x/"), "Users", "UserName") == ["a", "b"]
    assert names(iam("ListUsers", PathPrefix="/x_"), "Users", "UserName") == ["d"]


@pytest.mark.parametrize(
    "operation",
    [
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "ListSigningCertificates",
        "ListVirtualMFADevices",
        "ListInstanceProfiles",
        "ListOpenIDConnectProviders",
        "ListSAMLProviders",
        "ListServerCertificates",
    ],
)
def test_what_there_is_none_of(iam, alice, operation):
    (found,) = [value for name, value in iam(operation, alice).items() if name != "IsTruncated"]
    assert found == []


def test_what_is_refused_by_name(iam, alice):
    assert (
        iam.refusal("CreateServiceLinkedRole", AWSServiceName="airflow.amazonaws.com")[0] == "NotImplementedException"
    )
    assert iam.refusal("GetLoginProfile", UserName="alice") == (
        NO_SUCH,
        "Login Profile for User alice cannot be found.",
    )
    assert iam.refusal("GetAccountPasswordPolicy")[0] == NO_SUCH
