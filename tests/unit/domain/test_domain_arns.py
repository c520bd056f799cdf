"""ARNs: built as AWS documents them, and only this place's are read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.arns import Place, bucket_name, environment_name

HERE = Place("123456789012", "eu-west-1")
NAMES = st.from_regex(r"[a-zA-Z][0-9a-zA-Z_-]{0,79}", fullmatch=True)


def test_arns_as_aws_documents_them():
    assert HERE.environment("My_Env") == "arn:aws:airflow:eu-west-1:123456789012:environment/My_Env"
    assert HERE.airflow_role("My_Env", "Admin") == "arn:aws:airflow:eu-west-1:123456789012:role/My_Env/Admin"
    assert HERE.log_group("E", "Task") == "arn:aws:logs:eu-west-1:123456789012:log-group:airflow-E-Task"
    assert HERE.root() == "arn:aws:iam::123456789012:root"
    assert HERE.service_role() == (
        "arn:aws:iam::123456789012:role/aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA"
    )


def test_another_partition_is_in_every_arn():
    china = Place("123456789012", "cn-north-1", "aws-cn")
    arns = [china.environment("e"), china.airflow_role("e", "Op"), china.log_group("e", "Task"), china.root()]
    assert all(arn.startswith("arn:aws-cn:") for arn in [*arns, china.service_role()])


@given(NAMES)
def test_a_name_comes_back_from_its_arn(name):
    assert environment_name(HERE.environment(name), HERE) == name


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:airflow:eu-west-1:999999999999:environment/e",
        "arn:aws:airflow:us-east-1:123456789012:environment/e",
        "arn:aws-cn:airflow:eu-west-1:123456789012:environment/e",
        "arn:aws:airflow:eu-west-1:123456789012:role/e/Admin",
        "arn:aws:airflow:eu-west-1:123456789012:environment/e/f",
        "arn:aws:airflow:eu-west-1:123456789012:environment/",
        "arn:aws:airflow:eu-west-1:123456789012:environment/1e",
        "arn:aws:airflow:eu-west-1:123456789012:environment/e\n",
        "arn:aws:airflow:eu-west-1:123456789012:environment/" + "e" * 81,
        "",
    ],
)
def test_what_is_not_an_environment_of_this_place_has_no_name(arn):
    assert environment_name(arn, HERE) is None


def test_buckets_of_arns():
    assert bucket_name("arn:aws:s3:::my.bucket-1") == "my.bucket-1"
    assert bucket_name("arn:aws-cn:s3:::b") == "b"


@pytest.mark.parametrize(
    "arn", ["arn:aws:s3:::a/b", "arn:aws:s3:::A", "arn:aws:s3:::", "arn:aws:s3::1:b", "b", "arn:aws:s3:::b\n"]
)
def test_what_is_no_bucket_is_refused(arn):
    with pytest.raises(ValueError, match="not a bucket ARN"):
        bucket_name(arn)
