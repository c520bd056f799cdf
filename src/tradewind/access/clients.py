"""HTTP to environments and providers without a memory: no cookie of an answer goes out with a later request.

One client serves all callers and all environments, which have the same address (127.0.0.1; cookies know no ports). A
cookie that one environment's answer sets would be sent to the next one, in another caller's name, and Airflow believes
its session cookie before the bearer's token: whoever can have an API server set `_token` could choose as whom others
call, and a session that Airflow renews would reach other environments.
"""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx


class Cookieless(httpx.Client):
    """An httpx client that takes no cookies."""

    def __init__(self, **options: Any) -> None:
        """Take httpx.Client's options, but for `cookies`."""
        super().__init__(cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())), **options)
