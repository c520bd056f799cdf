"""Which of Airflow's default roles follow from IAM's policies."""

import pytest

from tests.unit.api.doubles import ACCOUNT, PLACE
from tests.unit.gateway.doubles import allow, deny, policy, user
from tradewind.access.roles import ROLES, airflow_roles
from tradewind.iam import Context, Holding, root_principal

OFFICE = Context.of({"aws:SourceIp": "192.0.2.7"})
CONDITION = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
ENVIRONMENT_ARN = {"Effect": "Allow", "Action": "airflow:*", "Resource": PLACE.environment("sample")}


def roles(*statements, context=OFFICE, boundary=None, session=None, name="sample", **how):
    holding = Holding((policy(*statements),) if statements else (), boundary, session)
    return airflow_roles(user(), holding, name, PLACE, context, **how)


@pytest.mark.parametrize(
    ("statements", "granted"),
    [
        ([], ()),
        ([allow("Viewer")], ("Viewer",)),
        ([allow("Public", "Admin")], ("Admin", "Public")),
        ([allow("*")], ROLES),
        ([allow("*"), deny("Admin", "Op")], ("User", "Viewer", "Public")),
        ([allow("admin")], ()),
        ([allow("Op", action="AIRFLOW:createweblogintoken")], ("Op",)),
        ([allow("Op", action="airflow:*")], ("Op",)),
        ([allow("Op", action="airflow:InvokeRestApi")], ()),
        ([allow("Op", environment="other")], ()),
        ([allow("Op", environment="*")], ("Op",)),
        ([ENVIRONMENT_ARN], ()),
        ([allow("Op", Condition=CONDITION)], ("Op",)),
    ],
)
def test_each_role_is_a_resource_of_its_own(statements, granted):
    assert roles(*statements) == granted


def test_conditions_hold_for_the_request():
    assert roles(allow("Op", Condition=CONDITION), context=Context.of({"aws:SourceIp": "198.51.100.1"})) == ()


def test_boundaries_and_session_policies_narrow_it():
    assert roles(allow("*"), boundary=policy(allow("User", "Viewer"))) == ("User", "Viewer")
    assert roles(allow("*"), session=(policy(allow("Viewer")),)) == ("Viewer",)
    assert roles(allow("*"), session=()) == ()


def test_calls_of_the_rest_api_have_an_action_of_their_own():
    statement = allow("Op", action="airflow:InvokeRestApi")
    assert roles(statement, action="airflow:InvokeRestApi") == ("Op",)


def test_the_root_has_every_role():
    assert airflow_roles(root_principal(ACCOUNT.account_id), Holding(), "any", PLACE, Context()) == ROLES
