"""What IAM's conditions may ask about a request itself, whichever door it came through: API, sign-in form, provider.

Names and meanings: IAM User Guide, "AWS global condition context keys". What follows from the principal
(`aws:PrincipalArn`, its tags) is known to `iam`; what follows from an operation and its resource, to the API.
"""

from datetime import datetime

from tradewind.iam import Context


def request_context(
    *,
    now: datetime,
    account: str,
    region: str,
    address: str | None,
    is_secure: bool,
    agent: str | None,
    referer: str | None,
) -> Context:
    """The condition keys. What is empty or None is a key that is not there."""
    return Context.of(
        {
            "aws:CurrentTime": now,
            "aws:EpochTime": int(now.timestamp()),
            "aws:SecureTransport": is_secure,
            "aws:RequestedRegion": region,
            "aws:ResourceAccount": account,  # there is one: everything that can be asked for is in it
            "aws:ViaAWSService": False,
            "aws:SourceIp": address or None,
            "aws:UserAgent": agent or None,
            "aws:Referer": referer or None,
        }
    )
