"""The two APIs of B10 behind one face: how many things are stored, and the requests for one of them and for a page.

`tradewind` has a service of its own with rows of environments (`crowd`), or, with `--data-dir`, the service that runs
with the environments that it has. `moto` has clusters (`mimic`).
"""

import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from benchmarks.crowd import Crowd, crowd
from benchmarks.measuring import CannotMeasure
from benchmarks.mimic import Mimic, mimic
from benchmarks.service import Service, attach, fresh_service
from benchmarks.signing import captured
from benchmarks.stage import Stage
from benchmarks.traffic import Address

PAGE = 25  # ListEnvironments' greatest page


class Door(ABC):
    """One API at work. Requests are signed anew at each call."""

    contender: str
    address: Address

    @abstractmethod
    def store(self, size: int) -> None:
        """See to it that so many things are stored."""

    @abstractmethod
    def gets(self) -> list[bytes]:
        """A request for each of the stored things."""

    @abstractmethod
    def lists(self) -> list[bytes]:
        """A request for each page of names."""


class OurDoor(Door):
    """Tradewind's."""

    contender = "tradewind"

    def __init__(self, service: Service, rows: Crowd | None, only: str | None = None) -> None:
        self._client = service.client()
        self._rows = rows
        self._only = only
        self._tokens: list[str | None] = [None]
        self._names: list[str] = []
        url = urlsplit(service.endpoint_url)
        tls = ssl.create_default_context(cafile=service.ca_bundle)
        self.address = Address(url.hostname or "127.0.0.1", url.port or 443, tls, url.hostname)
        self._walk()

    def store(self, size: int) -> None:
        """As rows. A service that is somebody else's is left with what it has; `only` narrows that to one of them."""
        if self._rows is not None:
            self._rows.grow(size)
            self._walk()

    def gets(self) -> list[bytes]:
        """GetEnvironment."""
        if not self._names:
            raise CannotMeasure("cannot measure GetEnvironment: the service has no environment")
        return captured(self._client, [partial(_get_environment, name) for name in self._names])

    def lists(self) -> list[bytes]:
        """ListEnvironments."""
        return captured(self._client, [partial(_list_environments, token) for token in self._tokens])

    def _walk(self) -> None:
        self._tokens, self._names = [None], []
        while True:
            answer = _list_environments(self._tokens[-1], self._client)
            self._names += answer["Environments"]
            if not answer.get("NextToken"):
                break
            self._tokens.append(answer["NextToken"])
        if self._only is not None:
            self._names = [self._only]


class MotosDoor(Door):
    """moto's."""

    contender = "moto"

    def __init__(self, server: Mimic) -> None:
        self._server = server
        self._tokens: list[str | None] = [None]
        self.address = Address("127.0.0.1", server.port)

    def store(self, size: int) -> None:
        """As clusters."""
        self._server.grow(size)
        self._tokens = [None]
        while token := _list_clusters(self._tokens[-1], self._server.client).get("nextToken"):
            self._tokens.append(token)

    def gets(self) -> list[bytes]:
        """DescribeCluster."""
        return captured(self._server.client, [partial(_describe_cluster, name) for name in self._server.names])

    def lists(self) -> list[bytes]:
        """ListClusters."""
        return captured(self._server.client, [partial(_list_clusters, token) for token in self._tokens])


@contextmanager
def door(stage: Stage, contender: str) -> Iterator[Door]:
    """Open one; closed and removed at the end."""
    with ExitStack() as stack:
        if contender == "moto":
            yield MotosDoor(stack.enter_context(mimic()))
        elif stage.options.data_dir is not None:
            yield OurDoor(attach(stage.options.data_dir), None, stage.options.environment)
        else:
            service = stack.enter_context(fresh_service(stage.scratch / "api"))
            yield OurDoor(service, stack.enter_context(crowd(service)))


def _get_environment(name: str, client: Any) -> Any:
    return client.get_environment(Name=name)


def _list_environments(token: str | None, client: Any) -> Any:
    more = {} if token is None else {"NextToken": token}
    return client.list_environments(MaxResults=PAGE, **more)


def _describe_cluster(name: str, client: Any) -> Any:
    return client.describe_cluster(name=name)


def _list_clusters(token: str | None, client: Any) -> Any:
    more = {} if token is None else {"nextToken": token}
    return client.list_clusters(maxResults=PAGE, **more)
