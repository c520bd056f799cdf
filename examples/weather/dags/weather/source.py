"""Where the data comes from, and how to know that a delivery is whole.

vega-datasets carries `seattle-weather.csv` (NOAA's daily records, 2012 to 2015) inside its wheel. It is found through
the package's metadata: importing the package would import pandas only to find a file.
"""

import hashlib
from importlib import metadata
from pathlib import Path

FILE = "vega_datasets/_data/seattle-weather.csv"


class NotSettled(Exception):
    """A delivery that was seen for the first time, or that is still changing."""


def read_source() -> bytes:
    """The CSV file as the package ships it."""
    return Path(metadata.distribution("vega-datasets").locate_file(FILE)).read_bytes()


def fingerprint(content: bytes) -> str:
    """Length and SHA-256: equal for equal deliveries."""
    return f"{len(content)}:{hashlib.sha256(content).hexdigest()}"


def require_settled(now: str, before: str | None) -> None:
    """A delivery counts as whole when two looks, some time apart, see the same. Raises NotSettled."""
    if before is None:
        raise NotSettled("seen for the first time: it may still be growing, so the next try looks again")
    if before != now:
        raise NotSettled("it changed since the last look: still being written")
