"""IAM's operations about the whole account against PostgreSQL: tags, alias, summary, pages, and what is not there."""

import pytest

from tests.integration.iam_account import ALLOW, EXISTS, INVALID, LIMIT, NO_SUCH, TRUST, names, policy


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
