"""Root may do everything; nobody else anything yet. A decision says why, and is usable as a bool."""

from tradewind.iam import Allowed, Denied, Principal, authorise, root_principal


def test_root_is_allowed_and_told_why():
    decision = authorise(root_principal("123456789012"), "airflow:DeleteEnvironment", "*")
    assert decision
    assert isinstance(decision, Allowed)
    assert "arn:aws:iam::123456789012:root" in decision.reason


def test_anyone_else_is_denied_in_awss_words():
    alice = Principal("arn:aws:iam::123456789012:user/alice", "123456789012", "user/alice")
    decision = authorise(alice, "airflow:GetEnvironment", "arn:x")
    assert not decision
    assert isinstance(decision, Denied)
    assert decision.reason == (
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: airflow:GetEnvironment "
        "on resource: arn:x because no identity-based policy allows the action"
    )


def test_root_of_another_partition():
    root = root_principal("123456789012", "aws-cn")
    assert root.arn == "arn:aws-cn:iam::123456789012:root"
    assert (root.identity, root.is_root) == ("root", True)
