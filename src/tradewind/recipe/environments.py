"""From an environment of the store and the facts of this host to the recipe's inputs: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradewind.domain.environments import Environment
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import Manifest
from tradewind.recipe.processes import environment_processes
from tradewind.recipe.settings import RecipeInputs


@dataclass(frozen=True)
class HostFacts:
    """What is the same for every environment of this data directory."""

    layout: Layout
    account_id: str
    region: str
    valkey_server: Path
    as_root: bool
    api_url: str = ""  # where environments reach this service; "" leaves execution roles out


def inputs_of(
    environment: Environment,
    host: HostFacts,
    *,
    runtime: Path,
    database_url: str,
    base_url: str,
    bucket: Mapping[str, str],
    plugins: Path | None = None,
    startup: Mapping[str, Mapping[str, str]] | None = None,
    hold: Path | None = None,
    overlays: Mapping[str, Path] | None = None,
) -> RecipeInputs:
    """All that settings and processes follow from. `bucket` is what tasks are told about the source bucket."""
    return RecipeInputs(
        id=environment.id,
        name=environment.name,
        spec=environment.spec,
        ports=environment.ports,
        secrets=environment.secrets,
        region=host.region,
        account_id=host.account_id,
        layout=host.layout.environment(environment.id),
        runtime=runtime,
        valkey_server=host.valkey_server,
        user=environment.id.unix_user if host.as_root else None,
        database_url=database_url,
        base_url=base_url,
        extra_environment=dict(bucket),
        workers=environment.workers,
        plugins=plugins,
        startup=startup or {},
        hold=hold,
        overlays=overlays or {},
        api_url=host.api_url,
        ca_bundle=host.layout.ca / "bundle.pem",
    )


def manifest_of(environment: Environment, inputs: RecipeInputs) -> Manifest:
    """Everything that runs for the environment at its generation."""
    return Manifest(str(environment.id), environment.generation, environment_processes(inputs))
