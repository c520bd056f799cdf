"""Get, list, delete, tags, tokens and metrics through the whole chain, with a store in memory."""

import base64
import dataclasses
import json
from urllib.parse import quote

import pytest

from tests.unit.api.doubles import ACCOUNT, PLACE, call, refusal, services
from tests.unit.domain.samples import ID, NOW, environment
from tradewind.access.limits import Buckets, Rate
from tradewind.access.tokens import redeem_cli_token
from tradewind.domain.environments import Phase, Target
from tradewind.domain.identifiers import EnvironmentId


def document(response):
    assert response.status == 200, response.body
    return json.loads(response.body)


# -- getting -------------------------------------------------------------------------------------------------


def test_an_environment_and_its_progress():
    response = call(services(environment(phase=Phase.PROVISIONING, progress="database")), "GET", "/environments/sample")
    assert document(response)["Environment"]["Name"] == "sample"
    assert response.headers["x-tradewind-environment-id"] == str(ID)
    assert json.loads(response.headers["x-tradewind-progress"]) == {
        "step": "database", "done": [{"step": "folders", "seconds": 0.12}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/environments/other", None),
        ("DELETE", "/environments/other", None),
        ("PATCH", "/environments/other", {}),
        ("POST", "/clitoken/other", None),
        ("POST", "/webtoken/other", None),
        ("POST", "/restapi/other", {"Path": "/dags", "Method": "GET"}),
    ],
)
def test_what_is_not_there_is_not_found(method, path, body):
    assert refusal(call(services(environment()), method, path, body)) == (
        404, "ResourceNotFoundException", "No environment found with name other.",
    )  # fmt: skip


def test_deleting_twice_is_fine():
    working = services(environment())
    for _ in range(2):
        assert document(call(working, "DELETE", "/environments/sample")) == {}
        assert working.environments.find("sample").target is Target.ABSENT


# -- listing ---------------------------------------------------------------------------------------------------


def many(count):
    return [environment(name=f"e{number:03}", id=EnvironmentId(f"abcdefgh{number:04}")) for number in range(count)]


def test_pages_hold_every_name_once():
    working = services(*many(60))
    names, token, pages = [], "", 0
    while pages == 0 or token:
        found = document(call(working, "GET", f"/environments?MaxResults=7{token and '&NextToken=' + quote(token)}"))
        names += found["Environments"]
        token = found.get("NextToken", "")
        pages += 1
    assert names == [f"e{number:03}" for number in range(60)]
    assert pages == 9


def test_a_page_has_25_names_unless_fewer_are_asked_for():
    assert len(document(call(services(*many(26)), "GET", "/environments"))["Environments"]) == 25


@pytest.mark.parametrize("count", [0, 25])
def test_the_last_page_has_no_token(count):
    assert "NextToken" not in document(call(services(*many(count)), "GET", "/environments"))


def token_of(value):
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "!!!!",
        "ü",
        token_of(b"\xff\xfe"),
        token_of([]),
        token_of("after"),
        token_of(3),
        token_of({}),
        token_of({"after": 3}),
        token_of({"after": None}),
        token_of({"after": "a\0b"}),
        token_of({"after": "\ud800"}),
        token_of({"after": "not a name"}),
        token_of(b"[" * 1500),
        token_of(b'{"after":"a"'),
    ],
)
def test_a_token_that_is_not_ours_is_refused(token):
    response = call(services(*many(3)), "GET", f"/environments?NextToken={quote(token)}")
    assert refusal(response) == (400, "ValidationException", "The NextToken is not valid.")


# -- tags --------------------------------------------------------------------------------------------------------

TAGS = "/tags/" + quote(PLACE.environment("sample"), safe="")


def test_tags_are_added_replaced_and_removed():
    working = services(environment(tags={"a": "1", "b": "1"}))
    document(call(working, "POST", TAGS, {"Tags": {"b": "2", "c": "3"}}))
    assert document(call(working, "GET", TAGS)) == {"Tags": {"a": "1", "b": "2", "c": "3"}}
    document(call(working, "DELETE", f"{TAGS}?tagKeys=a&tagKeys=c&tagKeys=never"))
    assert document(call(working, "GET", TAGS)) == {"Tags": {"b": "2"}}


def test_the_51st_tag_is_refused_and_nothing_is_done():
    working = services(environment(tags={f"k{number}": "" for number in range(49)}))
    _, kind, message = refusal(call(working, "POST", TAGS, {"Tags": {"x": "1", "y": "2"}}))
    assert (kind, message) == ("ValidationException", "An environment can have at most 50 tags.")
    assert len(working.environments.find("sample").tags) == 49


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "Aws:"])
def test_awss_own_keys_are_refused(key):
    assert refusal(call(services(environment()), "POST", TAGS, {"Tags": {key: "1"}}))[1] == "ValidationException"


@pytest.mark.parametrize(
    "arn",
    [
        PLACE.environment("other"),
        PLACE.environment("sample").replace("us-east-1", "eu-west-1"),
        PLACE.environment("sample").replace("123456789012", "999999999999"),
    ],
)
def test_tags_of_what_is_not_here_are_not_found(arn):
    assert refusal(call(services(environment()), "GET", f"/tags/{quote(arn, safe='')}"))[:2] == (
        404, "ResourceNotFoundException",
    )  # fmt: skip


# -- tokens ------------------------------------------------------------------------------------------------------


def test_a_cli_token_is_for_this_environment():
    found = document(call(services(environment()), "POST", "/clitoken/sample"))
    assert found["WebServerHostname"] == f"{ID}.us-east-1.airflow.localhost"
    # minted with the true clock of the chain, so redeemed with it
    claims = json.loads(base64.urlsafe_b64decode(found["CliToken"].split(".")[1] + "=="))
    assert (claims["aud"], claims["env"], claims["exp"] - claims["iat"]) == (str(ID), "sample", 60)
    when = NOW.fromtimestamp(claims["iat"], NOW.tzinfo)
    assert redeem_cli_token(found["CliToken"], ID, ACCOUNT.token_key, when).grant.roles == ("Admin",)


def test_a_web_login_token_says_who_it_is_for():
    found = document(call(services(environment()), "POST", "/webtoken/sample"))
    assert (found["IamIdentity"], found["AirflowIdentity"]) == ("root", "root")
    assert found["WebToken"].count(".") == 2


def test_too_many_tokens_of_one_environment_are_too_many():
    """Whatever their kind; another environment's are counted by themselves."""
    at = [0.0]
    other = environment(id=EnvironmentId("bcdefghijkmn"), name="second")
    limited = dataclasses.replace(
        services(environment(), other), token_calls=Buckets(Rate(burst=2, per_second=1), clock=lambda: at[0])
    )
    assert call(limited, "POST", "/clitoken/sample").status == 200
    assert call(limited, "POST", "/webtoken/sample").status == 200
    for path in ("/clitoken/sample", "/webtoken/sample"):
        status, code, message = refusal(call(limited, "POST", path))
        assert (status, code, message) == (400, "ThrottlingException", "Rate exceeded")
    assert call(limited, "POST", "/webtoken/second").status == 200
    at[0] = 1.0
    assert call(limited, "POST", "/clitoken/sample").status == 200


@pytest.mark.parametrize(
    ("target", "phase", "status"),
    [
        (Target.PRESENT, Phase.NEW, "CREATING"),
        (Target.PRESENT, Phase.REFUSED, "CREATE_FAILED"),
        (Target.ABSENT, Phase.READY, "DELETING"),
    ],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [("/clitoken/sample", None), ("/webtoken/sample", None), ("/restapi/sample", {"Path": "/dags", "Method": "GET"})],
)
def test_what_is_not_available_gives_no_token_and_no_answer(target, phase, status, path, body):
    response = call(services(environment(target=target, phase=phase)), "POST", path, body)
    assert refusal(response) == (
        400, "ValidationException", f"Environment sample is not available: its status is {status}.",
    )  # fmt: skip


# -- metrics -------------------------------------------------------------------------------------------------------


def test_metrics_are_accepted_for_what_exists():
    metric = {"MetricData": [{"MetricName": "m", "Timestamp": 1700000000, "Value": 1.5}]}
    assert document(call(services(environment()), "POST", "/metrics/environments/sample", metric)) == {}
    assert refusal(call(services(), "POST", "/metrics/environments/sample", metric))[:2] == (400, "ValidationException")
