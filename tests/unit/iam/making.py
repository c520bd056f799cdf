"""Short ways to make policies and principals in tests."""

import json

from tradewind.iam import DocumentKind, Holding, Kind, Policy, Principal, parse_document

ACCOUNT = "123456789012"


def allow(action="*", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="*", resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def text_of(*statements, version="2012-10-17"):
    return json.dumps({"Version": version, "Statement": list(statements)})


def policy(*statements, version="2012-10-17", name="deploy"):
    return Policy(name, parse_document(text_of(*statements, version=version)), f"inline policy {name} of user alice")


def holding(*statements, boundary=None, session=None):
    return Holding(
        (policy(*statements),) if statements else (),
        None if boundary is None else policy(*boundary, name="boundary"),
        None if session is None else (policy(*session, name="session"),) if session else (),
    )


def trust(*statements):
    return parse_document(text_of(*statements), DocumentKind.TRUST)


def user(name="alice", **more):
    return Principal(
        f"arn:aws:iam::{ACCOUNT}:user/{name}",
        ACCOUNT,
        f"user/{name}",
        user_id="AIDAEXAMPLEEXAMPLE01",
        user_name=name,
        kind=Kind.USER,
        **more,
    )


def session(role="Deploy", name="ci", **more):
    return Principal(
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        ACCOUNT,
        f"assumed-role/{role}/{name}",
        user_id=f"AROAEXAMPLEEXAMPLE01:{name}",
        kind=Kind.ASSUMED_ROLE,
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        **more,
    )
