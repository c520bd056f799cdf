"""What IAM's conditions may ask about a request at an environment's host: the global keys that a browser's has.

Names and meanings: IAM User Guide, "AWS global condition context keys". What follows from the principal
(`aws:PrincipalArn`, its tags) is known to IAM already.
"""

from datetime import datetime

from starlette.requests import Request

from tradewind.gateway.limits import address_of
from tradewind.iam import Context


def context_of(request: Request, now: datetime) -> Context:
    """The condition keys. Whatever comes through the door came by TLS."""
    keys: dict[str, str | bool | int | datetime] = {
        "aws:CurrentTime": now,
        "aws:EpochTime": int(now.timestamp()),
        "aws:SecureTransport": True,
    }
    if address := address_of(request):
        keys["aws:SourceIp"] = address
    for key, header in (("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")):
        if value := request.headers.get(header):
            keys[key] = value
    return Context.of(keys)
