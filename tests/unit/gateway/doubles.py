"""The gateway for tests: identities, time and an Airflow in memory, and a browser that keeps its cookies."""

import asyncio
import json
import re
from html import unescape

import httpx

from tests.unit.access.doubles import Clock, TokensInMemory
from tests.unit.api.doubles import ACCOUNT, PLACE, EnvironmentsInMemory, trail
from tests.unit.domain.samples import ID, NOW, environment
from tradewind.access.limits import WrongTries
from tradewind.domain.manifests import Completed
from tradewind.gateway import GatewayServices, create_gateway
from tradewind.gateway.services import KeySignIn
from tradewind.iam import DocumentKind, Holding, Kind, Policy, Principal, parse_document
from tradewind.store import Credential

ORIGIN = "https://host"
TO_OURSELVES = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}


def policy(*statements, name="p"):
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return Policy(name, parse_document(text, DocumentKind.IDENTITY), f"inline policy {name} of user alice")


def allow(*roles, action="airflow:CreateWebLoginToken", environment="sample", **more):
    resources = [PLACE.airflow_role(environment, role) for role in roles]
    return {"Effect": "Allow", "Action": action, "Resource": resources, **more}


def deny(*roles, action="airflow:CreateWebLoginToken"):
    return allow(*roles, action=action) | {"Effect": "Deny"}


def user(name="alice"):
    arn = f"arn:aws:iam::{ACCOUNT.account_id}:user/{name}"
    return Principal(arn, ACCOUNT.account_id, f"user/{name}", user_id="AIDAX", user_name=name, kind=Kind.USER)


def credential(**how):
    """An active long-term key of alice's, who may be Op and Viewer, but for what is given."""
    holding = Holding((policy(allow("Op", "Viewer")),))
    usual = {"secret": "s" * 40, "session_token": None, "principal": user(), "holding": holding, "expires": None}
    return Credential(**{**usual, "is_active": True, **how})


class SessionsThatAreNoted:
    """Airflow's sessions: who came in, and with which roles."""

    def __init__(self):
        self.opened = []

    def open(self, server, identity, roles):
        self.opened.append((str(server.environment_id), identity.user_name, roles))
        return f"session-{len(self.opened)}"


class Pauses:
    def __init__(self):
        self.paused = []

    async def __call__(self, seconds):
        self.paused.append(seconds)


def services(known=None, **how):
    keys = KeySignIn((known or {}).get, PLACE, how.pop("pause", Pauses()))
    return GatewayServices(**{
        "account": ACCOUNT,
        "environments": EnvironmentsInMemory(environment()),
        "sessions": SessionsThatAreNoted(),
        "used_tokens": TokensInMemory(),
        "run_cli": lambda *_: Completed(0, b"", b""),
        "now": lambda: NOW,
        "trail": trail(),
        "tries": WrongTries(Clock()),
        "keys": keys,
        **how,
    })  # fmt: skip


class Browser:
    """Keeps cookies, and says where its requests come from. `address` is the one that the proxy tells."""

    def __init__(self, services, address="192.0.2.1"):
        self.application = create_gateway(services)
        self.address = address
        self.cookies = {}

    def request(self, method, url, headers=None, mark=str(ID), **how):
        async def ask():
            transport = httpx.ASGITransport(self.application, client=(self.address, 4711))
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                given = {**({"x-tradewind-environment": mark} if mark else {}), **(headers or {})}
                if self.cookies:
                    given.setdefault("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
                return await client.request(method, url, headers=given, **how)

        answer = asyncio.run(ask())
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer

    def get(self, url, **how):
        return self.request("GET", url, **how)

    def open_page(self, query=""):
        """The page's hidden fields."""
        page = self.get(f"/aws_mwaa/aws-console-sso{query}")
        assert page.status_code == 200
        return hidden(page.text)

    def submit(self, fields, headers=TO_OURSELVES, **how):
        return self.request("POST", "/aws_mwaa/sign-in", data=fields, headers=headers, **how)

    def sign_in(self, access_key_id, secret, token="", query="", **how):
        fields = {"access_key_id": access_key_id, "secret_access_key": secret, "session_token": token}
        return self.submit({**self.open_page(query), **fields}, **how)


def hidden(markup):
    """Names and values of a page's hidden fields."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', markup)
    return {name: unescape(value) for name, value in found}


def alert(markup):
    """What the page says went wrong."""
    found = re.search(r'<p role="alert">(.*?)</p>', markup, re.DOTALL)
    return unescape(found[1]) if found else ""
