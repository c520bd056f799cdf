"""Finds the service: from the announcement in a data directory, or from AWS's own variables.

A named data directory wins; then AWS_ENDPOINT_URL_MWAA, with keys and region from wherever boto3 finds them;
then the default data directory. `Service` speaks to it with boto3 alone, as any other client would. What it
learns beyond AWS's shapes (steps, an environment's id, dry runs) comes in headers.
"""

import functools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import botocore.session

from tradewind.bootstrap.announcement import Announcement, recall
from tradewind.cli.failures import UNREACHABLE, Failure
from tradewind.cli.progress import Progress, parse
from tradewind.settings import Settings
from tradewind.wire.shapes import MODELS

_READ_SECONDS = 65
_NOT_FOUND = "ResourceNotFoundException"
_DRY_RUN = "tradewind-dry-run"


@dataclass(frozen=True)
class Endpoint:
    """Where the service answers, and with which key. What is None is left to boto3. `data_dir` is None elsewhere."""

    url: str
    region: str | None
    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)
    ca_bundle: str | None
    account_id: str
    data_dir: Path | None


@dataclass(frozen=True)
class Seen:
    """One environment as GetEnvironment shows it."""

    environment: Mapping[str, Any]
    id: str
    progress: Progress
    trial: Mapping[str, Any] = field(default_factory=dict)  # the latest dry run

    @property
    def status(self) -> str:
        """MWAA's word."""
        return str(self.environment["Status"])

    @property
    def url(self) -> str:
        """Where its Airflow answers; empty until it does."""
        host = self.environment.get("WebserverUrl", "")
        return f"https://{host}" if host else ""

    @property
    def failure(self) -> str:
        """What the last change failed with; empty when it did not."""
        error = self.environment.get("LastUpdate", {}).get("Error") or {}
        return str(error.get("ErrorMessage", ""))


def find(settings: Settings, surroundings: Mapping[str, str], *, named: bool) -> Endpoint:
    """The service that is meant; `named` says that the data directory was given. Raises Failure."""
    url = surroundings.get("AWS_ENDPOINT_URL_MWAA")
    announcement = recall(settings.layout)
    if url and not named:
        same = announcement is not None and announcement.endpoint_url == url
        return Endpoint(
            url=url,
            region=surroundings.get("AWS_REGION") or surroundings.get("AWS_DEFAULT_REGION") or settings.region,
            access_key_id=None,
            secret_access_key=None,
            ca_bundle=surroundings.get("AWS_CA_BUNDLE") or (announcement.ca_bundle if announcement and same else None),
            account_id=announcement.account_id if announcement and same else "000000000000",
            data_dir=settings.data_dir if same else None,
        )
    if announcement is None:
        raise Failure(
            f"cannot reach the service: none runs on {settings.data_dir}; start it with {_up(named, settings)}",
            UNREACHABLE,
        )
    if announcement.process() is None:
        raise Failure(
            f"cannot reach the service: the one of {settings.data_dir} has ended (process {announcement.pid}); "
            f"start it again with {_up(named, settings)}",
            UNREACHABLE,
        )
    return of(announcement)


def of(announcement: Announcement) -> Endpoint:
    """The service that announced itself."""
    return Endpoint(
        url=announcement.endpoint_url,
        region=announcement.region,
        access_key_id=announcement.access_key_id,
        secret_access_key=announcement.secret_access_key,
        ca_bundle=announcement.ca_bundle,
        account_id=announcement.account_id,
        data_dir=Path(announcement.data_dir),
    )


@dataclass(frozen=True)
class Service:
    """The public API. Every method raises boto3's errors, which end as one sentence."""

    endpoint: Endpoint

    @functools.cached_property
    def client(self) -> Any:
        """boto3's client for MWAA's operations."""
        return self._client("mwaa")

    @functools.cached_property
    def own(self) -> Any:
        """boto3's client for our own operations, of which boto3 learns from our model."""
        return self._client("tradewind")

    def _client(self, name: str) -> Any:
        # No attempt is repeated: whoever triggers a run wants one run, and the service is on this machine.
        # A proxy of the surroundings is not asked for a loopback host.
        if self.endpoint.ca_bundle and not os.access(self.endpoint.ca_bundle, os.R_OK):
            raise Failure(f"cannot reach the service: its ca_bundle {self.endpoint.ca_bundle} cannot be read")
        local = self.endpoint.url.startswith(("https://localhost", "https://127."))
        session = botocore.session.Session()
        session.get_component("data_loader").search_paths.append(str(MODELS))
        return boto3.session.Session(botocore_session=session).client(
            name,
            endpoint_url=self.endpoint.url,
            region_name=self.endpoint.region,
            aws_access_key_id=self.endpoint.access_key_id,
            aws_secret_access_key=self.endpoint.secret_access_key,
            verify=self.endpoint.ca_bundle,
            config=botocore.config.Config(
                inject_host_prefix=False,
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=_READ_SECONDS,
                **({"proxies": {}} if local else {}),
            ),
        )

    def names(self) -> Iterator[str]:
        """Every environment's name."""
        for page in self.client.get_paginator("list_environments").paginate():
            yield from page["Environments"]

    def get(self, name: str) -> Seen:
        """One environment."""
        answer = self.client.get_environment(Name=name)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return Seen(
            answer["Environment"],
            headers.get("x-tradewind-environment-id", ""),
            parse(headers.get("x-tradewind-progress")),
            json.loads(headers.get(_DRY_RUN) or "{}"),
        )

    def find(self, name: str) -> Seen | None:
        """One environment; None when there is none of that name."""
        try:
            return self.get(name)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == _NOT_FOUND:
                return None
            raise

    def create(self, request: Mapping[str, Any]) -> str:
        """Ask for an environment; answers its ARN."""
        return str(self.client.create_environment(**request)["Arn"])

    def update(self, request: Mapping[str, Any]) -> str:
        """Ask for an update; answers the ARN."""
        return str(self.client.update_environment(**request)["Arn"])

    def try_update(self, request: Mapping[str, Any]) -> int:
        """Ask what an update would do; answers the number of the dry run, which GetEnvironment tells the end of."""

        def mark(params: dict[str, Any], **_: Any) -> None:
            params["headers"][_DRY_RUN] = "1"

        event = "before-call.mwaa.UpdateEnvironment"
        self.client.meta.events.register(event, mark)
        try:
            answer = self.client.update_environment(**request)
        finally:
            self.client.meta.events.unregister(event, mark)
        return int(json.loads(answer["ResponseMetadata"]["HTTPHeaders"][_DRY_RUN])["number"])

    def delete(self, name: str) -> None:
        """Ask for a deletion."""
        self.client.delete_environment(Name=name)

    def sign_in(self, name: str) -> Mapping[str, str]:
        """A web login token and who it is for."""
        answer: Mapping[str, str] = self.client.create_web_login_token(Name=name)
        return answer

    def airflow(
        self, name: str, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """One call of Airflow's REST API."""
        request: dict[str, Any] = {"Name": name, "Method": method, "Path": path}
        if query:
            request["QueryParameters"] = json.loads(json.dumps(query))
        if body is not None:
            request["Body"] = body
        return self.client.invoke_rest_api(**request).get("RestApiResponse")


def _up(named: bool, settings: Settings) -> str:
    return f"tradewind up --data-dir {settings.data_dir}" if named else "tradewind up"
