"""docs/iam-api.md and the operations are held against each other, and both against AWS's model."""

import re
from pathlib import Path

import botocore.session

from tradewind.api.operations.iam import IAM_OPERATIONS
from tradewind.iam.aws_policies import aws_policies
from tradewind.iam.entities import Home

PAGE = (Path(__file__).parents[3] / "docs" / "iam-api.md").read_text()
MODEL = botocore.session.get_session().get_service_model("iam")


def test_the_page_names_each_operation():
    section = PAGE.partition("## Operations")[2].partition("## Left out")[0]
    named = re.findall(r"`([A-Z][A-Za-z]+)`", section)
    assert sorted(named) == sorted(set(named))
    assert set(named) == set(IAM_OPERATIONS)


def test_each_operation_is_awss():
    assert set(IAM_OPERATIONS) <= set(MODEL.operation_names)


def test_the_page_names_each_of_awss_policies():
    for policy in aws_policies(Home("123456789012")).values():
        assert f"`{policy.name}`" in PAGE
