"""The sign-in page and the pages that say why somebody is not signed in.

One document with one script and one style, whose digests the Content-Security-Policy names: nothing else runs, nothing
is loaded, nobody may frame it, and its form goes to this host only. The form needs no script. The script is for
the link of CreateWebLoginToken: it takes the token out of the fragment, which never reaches a server, and posts it.
Whatever a person typed is escaped, and a secret is never put into a page.
"""

import base64
import hashlib
import html
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from tradewind.access.openid.flow import START, OpenIdFlow

_SCRIPT = """
const token = decodeURIComponent(location.hash.slice(1));
if (token) {
  const say = (text) => { document.getElementById("say").textContent = text; };
  const ways = document.getElementById("ways");
  history.replaceState(null, "", location.pathname + location.search);
  ways.hidden = true;
  say("Signing you in\\u2026");
  fetch("/pluginsv2/aws_mwaa/login", {
    method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"},
    body: new URLSearchParams({token}), redirect: "error",
  }).then(async (answer) => {
    if (answer.ok) { location.replace(document.body.dataset.next); return; }
    const problem = await answer.json().catch(() => ({}));
    ways.hidden = false;
    say("Sign-in failed: " + (problem.message || answer.status));
  }).catch(() => { ways.hidden = false; say("Sign-in failed: the service does not answer."); });
}
"""
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:12vh auto 4rem;padding:0 1rem;color:#17324d}
h1{margin:0 0 .5rem}h2{font-size:1rem;margin:2rem 0 .25rem}label{display:block;margin:.75rem 0 .2rem;font-weight:600}
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid #7b8ea3;border-radius:4px}
button,a.button{display:inline-block;margin-top:1rem;font:inherit;font-weight:600;padding:.55rem 1.2rem;border:0;
border-radius:4px;background:#0b5cab;color:#fff;text-decoration:none;cursor:pointer}
:focus-visible{outline:3px solid #f0a500;outline-offset:2px}
[role=alert]{border-left:4px solid #b3261e;background:#fdeceb;padding:.5rem .75rem;overflow-wrap:anywhere}
.aside{color:#4a6076;font-size:.9rem}code{background:#eef2f6;padding:.1em .3em;border-radius:3px}
"""


@dataclass(frozen=True)
class KeyForm:
    """The form for an access key. `seal` proves that the form is ours; `access_key_id` is what was typed before."""

    seal: str
    access_key_id: str = ""


@dataclass(frozen=True)
class ProviderLink:
    """The way to an OpenID Connect provider: what people call it, and our own URL that leads there."""

    name: str
    url: str


@dataclass(frozen=True)
class SignInPage:
    """What the page offers. `destination` is a checked path of the same host."""

    destination: str = "/"
    problem: str = ""
    key_form: KeyForm | None = None
    provider: ProviderLink | None = None

    def saying(self, problem: str) -> Self:
        """The same page with what went wrong."""
        return replace(self, problem=problem)


def provider_link(flow: OpenIdFlow, environment: str, destination: str) -> ProviderLink:
    """The way to the provider and back to a path of an environment."""
    query = urlencode({"environment": environment, "next": destination})
    return ProviderLink(flow.provider.name, f"{flow.public_url}{START}?{query}")


def render(page: SignInPage, status: int = 200) -> Response:
    """The page with the headers that hold it in."""
    return HTMLResponse(_document(page), status, headers=headers())


def headers() -> dict[str, str]:
    """What every page of ours is sent with."""
    policy = (
        f"default-src 'none'; script-src {_digest(_SCRIPT)}; style-src {_digest(_STYLE)}; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": policy,
    }


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _document(page: SignInPage) -> str:
    problem = f'<p role="alert">{html.escape(page.problem)}</p>' if page.problem else ""
    provider = _provider(page.provider) if page.provider else ""
    form = _form(page.key_form, page.destination) if page.key_form else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Sign in - Tradewind</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f'<body data-next="{html.escape(page.destination)}"><main><h1>Tradewind</h1>\n'
        f'{problem}<p id="say" role="status">You are not signed in.</p>\n'
        f'<div id="ways">{provider}{form}\n'
        '<h2>With a link</h2><p class="aside">A link is good for 60 seconds: <code>tradewind open NAME</code>, or '
        "<code>aws mwaa create-web-login-token --name NAME</code>.</p></div></main>\n"
        f"<script>{_SCRIPT}</script></body></html>\n"
    )


def _provider(link: ProviderLink) -> str:
    url, name = html.escape(link.url), html.escape(link.name)
    return f'<p><a class="button" href="{url}">Sign in with {name}</a></p>\n'


def _form(form: KeyForm, destination: str) -> str:
    return (
        '<form method="post" action="/aws_mwaa/sign-in" accept-charset="utf-8"><h2>With an access key</h2>\n'
        f'<input type="hidden" name="form" value="{html.escape(form.seal)}">\n'
        f'<input type="hidden" name="next" value="{html.escape(destination)}">\n'
        '<label for="access_key_id">Access key ID</label><input id="access_key_id" name="access_key_id" required '
        'maxlength="128" autocomplete="username" autocapitalize="characters" spellcheck="false" '
        f'value="{html.escape(form.access_key_id)}">\n'
        '<label for="secret_access_key">Secret access key</label><input id="secret_access_key" '
        'name="secret_access_key" type="password" required maxlength="256" autocomplete="current-password">\n'
        '<label for="session_token">Session token (temporary credentials only)</label><input id="session_token" '
        'name="session_token" type="password" maxlength="16000" autocomplete="off">\n'
        "<button>Sign in</button></form>"
    )
