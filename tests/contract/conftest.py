"""Fixtures of the contract room: a client of AWS's, raw requests, and names that are cleaned up after each test."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.knocking import Knocker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def mwaa(service) -> Any:
    """boto3's client."""
    return service.client()


@pytest.fixture(scope="session")
def knock(service) -> Knocker:
    """Signed requests that no client would send."""
    return Knocker(service)


@pytest.fixture
def unused(service, mwaa) -> Iterator[Callable[[], str]]:
    """Names for environments; whatever has one of them at the end is deleted."""
    drawn: list[str] = []

    def draw() -> str:
        drawn.append(f"c{os.getpid()}-{next(_numbers)}")
        return drawn[-1]

    yield draw
    there = [name for name in drawn if name in names(mwaa)]
    for name in there:
        mwaa.delete_environment(Name=name)
    for name in there:
        service.wait_gone(name)


@pytest.fixture
def failed(service, unused) -> Callable[..., dict[str, Any]]:
    """Creates an environment that cannot be had, and returns it once it is CREATE_FAILED."""

    def create(*, bucket: str = "is-not-there", **members: Any) -> dict[str, Any]:
        name = unused()
        service.create(name, bucket, **members)
        found = service.wait(name, seconds=180)
        assert found["Status"] == "CREATE_FAILED", found
        return found

    return create


@pytest.fixture(scope="session")
def dead(service, mwaa) -> Iterator[str]:
    """The name of one CREATE_FAILED environment that tests only look at."""
    name = f"dead-{os.getpid()}"
    service.create(name, "is-not-there")
    assert service.wait(name, seconds=180)["Status"] == "CREATE_FAILED"
    yield name
    mwaa.delete_environment(Name=name)
    service.wait_gone(name)


def names(client: Any) -> list[str]:
    """All environments, through boto3's own paginator."""
    return [name for page in client.get_paginator("list_environments").paginate() for name in page["Environments"]]
