"""Numbers, times, addresses and bytes as policies and requests write them.

Each reader gives None for what is not of its kind: a request's value may be anything a client sent. Lengths are
bounded, so that no digits make a comparison expensive.
"""

import re
from base64 import b64decode
from binascii import Error
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_TIME = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_EPOCH = re.compile(r"[0-9]{5,12}(?:\.[0-9]{1,9})?")
_LONGEST_ADDRESS = 64


def number(text: str) -> Decimal | None:
    """An integer or decimal."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def time(text: str) -> float | None:
    """Seconds since 1970 of a W3C date-time (ISO 8601; UTC when it names no zone) or of an epoch time."""
    if _EPOCH.fullmatch(text):
        return float(text)
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or fallback) for part, fallback in _parts(found))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() - _offset(found[7])


def _parts(found: re.Match[str]) -> list[tuple[str | None, str]]:
    return list(zip(found.groups()[:6], ("0", "1", "1", "0", "0", "0"), strict=True))


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def truth(text: str) -> bool | None:
    """`true` or `false`, in any case."""
    return {"true": True, "false": False}.get(text.lower())


def octets(text: str) -> bytes | None:
    """Bytes in base64."""
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        return None


def address(text: str) -> IPv4Address | IPv6Address | None:
    """An address. An IPv4 address that came in IPv6's clothes (`::ffff:…`) is an IPv4 address."""
    if len(text) > _LONGEST_ADDRESS or "%" in text:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def network(text: str) -> IPv4Network | IPv6Network | None:
    """A range in CIDR notation, or one address. Bits beyond the mask are ignored, as AWS does."""
    if len(text) > _LONGEST_ADDRESS or "%" in text:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
