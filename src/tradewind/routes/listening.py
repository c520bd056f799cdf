"""Where a request came in, as the proxy says, and whether an environment may be reached from there.

MWAA: the Airflow REST API of an environment whose web server is private can be called "only from inside the VPC"
(User Guide, "access-mwaa-apache-airflow-rest-api"). Ours: only by the private address. The proxy takes
`X-Tradewind-*` from every request and sets this header itself, so a request without it did not come by the door's
present configuration and counts as one from outside.
"""

from collections.abc import Mapping

from tradewind.routes.hosts import Side, sides

_HEADER = "x-tradewind-listener"


def came_in(headers: Mapping[str, str]) -> Side:
    """The side of a request. `headers` are keyed by names in small letters."""
    return Side.PRIVATE if headers.get(_HEADER) == Side.PRIVATE else Side.PUBLIC


def is_barred(access_mode: str, headers: Mapping[str, str]) -> bool:
    """Whether a WebserverAccessMode keeps this request from the environment: what is public is open to both sides."""
    return came_in(headers) is Side.PUBLIC and Side.PUBLIC not in sides(access_mode)
