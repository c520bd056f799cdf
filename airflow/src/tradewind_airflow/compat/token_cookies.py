"""Airflow 3.0's API is told the token by a cookie as well, as from 3.1 on.

There it reads the header `Authorization` only, and the UI's scripts move the token into it out of a cookie that they
can read. Ours is HttpOnly. The object that finds a request's token is given a class that looks at the cookie too, after
the header.
"""

import inspect

COOKIE = "_token"


def install() -> bool:
    """Put in the look at the cookie. False where Airflow looks by itself."""
    from airflow.api_fastapi.core_api import security
    from fastapi import Request
    from fastapi.security import OAuth2PasswordBearer

    scheme = security.oauth2_scheme
    if type(scheme) is not OAuth2PasswordBearer or "request" in inspect.signature(security.get_user).parameters:
        return False

    class HeaderOrCookie(OAuth2PasswordBearer):
        async def __call__(self, request: Request) -> str | None:
            if "Authorization" not in request.headers and (token := request.cookies.get(COOKIE)):
                return token
            return await super().__call__(request)

    scheme.__class__ = HeaderOrCookie
    return True
