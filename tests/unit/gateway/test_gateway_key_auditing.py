"""Sign-ins with an access key leave one record each, and never the secret."""

import json

import pytest

from tests.unit.gateway.doubles import Browser, credential, services
from tradewind.audit import document

pytestmark = pytest.mark.usefixtures("told")

KEY, SECRET = "AKIAALICEALICEALICE0", "s3cr3t" * 7


@pytest.fixture
def wired():
    return services({KEY: credential(secret=SECRET)})


def only(wired):
    (record,) = wired.trail.log.records
    found = document(record)
    assert "s3cr3t" not in json.dumps(found)
    assert (found["eventName"], found["eventType"]) == ("AirflowLogin", "AwsConsoleSignIn")
    assert found["additionalEventData"]["method"] == "AccessKey"
    return found


def test_who_gets_in(wired):
    assert Browser(wired).sign_in(KEY, SECRET).status_code == 303
    found = only(wired)
    assert found["userIdentity"]["accessKeyId"] == KEY
    assert found["userIdentity"]["type"] == "IAMUser"
    assert found["responseElements"]["roles"]
    assert "errorCode" not in found


def test_a_wrong_secret(wired):
    assert Browser(wired).sign_in(KEY, SECRET + "s3cr3t").status_code == 403
    found = only(wired)
    assert found["userIdentity"] == {"type": "Unknown", "accessKeyId": KEY}
    assert found["errorCode"] == "AccessDeniedException"


def test_a_secret_in_the_place_of_the_key(wired):
    assert Browser(wired).sign_in(SECRET, KEY).status_code == 403
    assert only(wired)["userIdentity"] == {"type": "Unknown"}


def test_a_form_that_came_from_elsewhere(wired):
    answer = Browser(wired).sign_in(KEY, SECRET, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    found = only(wired)
    assert found["userIdentity"] == {"type": "Unknown"}
    assert "elsewhere" in found["additionalEventData"]["reason"]
