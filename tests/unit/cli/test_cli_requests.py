"""What `create` asks the API for, and where it puts files."""

from pathlib import Path

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from tradewind.cli.creating import Wishes, pairs, request_for
from tradewind.cli.deploying import _BUCKET, ARTEFACTS, bucket_for, check_bucket
from tradewind.cli.failures import Failure
from tradewind.wire import load_service

NAMES = st.from_regex(r"[a-zA-Z][0-9a-zA-Z\-_]{0,79}", fullmatch=True)


def wishes(**changes):
    nothing = dict.fromkeys(("airflow_version", "min_workers", "max_workers", "schedulers", "bucket"))
    given_ = {
        "name": "etl",
        "dags": Path("dags"),
        "environment_class": "mw1.micro",
        "options": (),
        "tags": (),
        "artefacts": {},
    }
    return Wishes(**(nothing | given_ | changes))


@pytest.mark.parametrize(
    ("name", "bucket"),
    [("demo", "tradewind-demo"), ("a-b-2", "tradewind-a-b-2"), ("Demo", "tradewind-demo-"), ("a_b", "tradewind-a-b-")],
)
def test_a_bucket_of_its_own(name, bucket):
    assert bucket_for(name).startswith(bucket)


@given(NAMES)
def test_every_name_has_a_bucket_that_may_exist(name):
    assert _BUCKET.fullmatch(bucket_for(name))


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_two_names_never_share_a_bucket(names):
    assert bucket_for(names[0]) != bucket_for(names[1])


@pytest.mark.parametrize("bucket", ["", "a", "A-b", "../x", "a..b", "-ab", "ab-", "a/b", "x" * 64])
def test_no_such_bucket(bucket):
    with pytest.raises(Failure, match="cannot use the bucket"):
        check_bucket(bucket)


def test_what_was_not_asked_for_is_left_to_the_service():
    request = request_for(wishes(), "tradewind-etl", "123456789012")
    assert set(request) == {
        "Name", "ExecutionRoleArn", "SourceBucketArn", "DagS3Path", "NetworkConfiguration", "EnvironmentClass",
        "WebserverAccessMode",
    }  # fmt: skip


def test_everything_that_can_be_asked_for_passes_aws_model():
    full = wishes(
        artefacts=dict.fromkeys(ARTEFACTS, Path("f")), airflow_version="3.3.1",
        min_workers=1, max_workers=2, schedulers=1,
        options=("core.parallelism=4", "a.b=c=d"), tags=("team=data",),
    )  # fmt: skip
    request = request_for(full, "tradewind-etl", "123456789012")
    model = ServiceModel(Loader().load_service_model("mwaa", "service-2"))
    report = ParamValidator().validate(request, model.operation_model("CreateEnvironment").input_shape)
    assert not report.has_errors()
    assert load_service("mwaa").check("CreateEnvironment", request, overrides={}) == ()
    assert request["AirflowConfigurationOptions"] == {"core.parallelism": "4", "a.b": "c=d"}
    assert ARTEFACTS.items() <= request.items()
    assert request["Tags"] == {"team": "data"}


@pytest.mark.parametrize("words", [["novalue"], ["=x"], ["a=1", "a=2"], [""]])
def test_words_that_are_no_pairs(words):
    with pytest.raises(Failure, match="cannot read --tag"):
        pairs(words, "--tag", "key=value")
