"""Tags through boto3: read, added, replaced and taken away, with AWS's limits and reserved keys."""

import pytest

from tests.contract.test_mwaa_environments import refused


@pytest.fixture
def arn(mwaa, environment):
    """The shared environment's ARN; its tags are put back as they were."""
    found = mwaa.get_environment(Name=environment)["Environment"]
    yield found["Arn"]
    now = mwaa.list_tags_for_resource(ResourceArn=found["Arn"])["Tags"]
    added = sorted(set(now) - set(found["Tags"]))
    if added:
        mwaa.untag_resource(ResourceArn=found["Arn"], tagKeys=added[:50])
    if found["Tags"]:
        mwaa.tag_resource(ResourceArn=found["Arn"], Tags=found["Tags"])


def tags(mwaa, arn):
    return mwaa.list_tags_for_resource(ResourceArn=arn)["Tags"]


def test_tags_come_and_go(mwaa, environment, arn):
    before = tags(mwaa, arn)
    assert before
    assert set(mwaa.tag_resource(ResourceArn=arn, Tags={"a b/é": "x=y", "two": "2"})) == {"ResponseMetadata"}
    assert tags(mwaa, arn) == before | {"a b/é": "x=y", "two": "2"}
    mwaa.tag_resource(ResourceArn=arn, Tags={"two": "zwei"})
    assert tags(mwaa, arn)["two"] == "zwei"
    assert mwaa.get_environment(Name=environment)["Environment"]["Tags"] == tags(mwaa, arn)
    assert set(mwaa.untag_resource(ResourceArn=arn, tagKeys=["two", "a b/é", "never-there"])) == {"ResponseMetadata"}
    assert tags(mwaa, arn) == before


def test_keys_are_told_apart_by_case(mwaa, arn):
    before = tags(mwaa, arn)
    mwaa.tag_resource(ResourceArn=arn, Tags={"Key": "1", "key": "2"})
    mwaa.untag_resource(ResourceArn=arn, tagKeys=["Key"])
    assert tags(mwaa, arn) == before | {"key": "2"}


def test_fifty_tags_are_the_most(mwaa, arn):
    before = tags(mwaa, arn)
    room = 50 - len(before)
    mwaa.tag_resource(ResourceArn=arn, Tags={f"k{n}": "v" for n in range(room)})
    full = tags(mwaa, arn)
    assert len(full) == 50
    response = refused(mwaa.tag_resource, ResourceArn=arn, Tags={"one-more": "v", "k0": "changed"})
    assert response["Error"]["Code"] == "ValidationException"
    assert "50" in response["Error"]["Message"]
    assert tags(mwaa, arn) == full
    mwaa.tag_resource(ResourceArn=arn, Tags={"k0": "changed"})
    assert tags(mwaa, arn)["k0"] == "changed"


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "aws:"])
def test_keys_of_awss_own_are_refused(mwaa, arn, key):
    before = tags(mwaa, arn)
    response = refused(mwaa.tag_resource, ResourceArn=arn, Tags={"fine": "1", key: "x"})
    assert response["Error"]["Code"] == "ValidationException"
    assert key in response["Error"]["Message"]
    assert tags(mwaa, arn) == before


@pytest.mark.parametrize(
    "of",
    [
        "arn:aws:airflow:{region}:{account}:environment/nobody-made-this",
        "arn:aws:airflow:{region}:999999999999:environment/{name}",
        "arn:aws:airflow:eu-north-1:{account}:environment/{name}",
        "arn:aws-cn:airflow:{region}:{account}:environment/{name}",
        "arn:aws:airflow:{region}:{account}:environment/{name}/more",
        "arn:aws:airflow:{region}:{account}:environment/{upper}",
    ],
)
def test_what_is_not_here_cannot_be_tagged(service, mwaa, environment, of):
    arn = of.format(region=service.region, account=service.account_id, name=environment, upper=environment.upper())
    calls = {
        "list_tags_for_resource": {},
        "tag_resource": {"Tags": {"a": "b"}},
        "untag_resource": {"tagKeys": ["a"]},
    }
    for call, parameters in calls.items():
        response = refused(getattr(mwaa, call), ResourceArn=arn, **parameters)
        assert response["Error"]["Code"] == "ResourceNotFoundException", call
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert arn in response["Error"]["Message"]


def test_a_kind_of_arn_that_cannot_be_is_a_validation_error(mwaa):
    response = refused(mwaa.list_tags_for_resource, ResourceArn="arn:aws:s3:::bucket")
    assert response["Error"]["Code"] == "ValidationException"
