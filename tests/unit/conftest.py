"""Fixtures that tests of several rooms ask for."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog


@pytest.fixture
def told() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged meanwhile; nothing of it is rendered."""
    with structlog.testing.capture_logs() as logs:
        yield logs
