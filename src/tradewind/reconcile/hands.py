"""Hands: everything that observing and performing need, wired once in bootstrap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tradewind.bundles import Bucket, Snapshots
from tradewind.domain.arns import bucket_name
from tradewind.domain.environments import Environment
from tradewind.domain.layout import EnvironmentLayout
from tradewind.domain.manifests import Manifest
from tradewind.recipe import startup
from tradewind.recipe.environments import HostFacts, inputs_of, manifest_of
from tradewind.recipe.settings import RecipeInputs
from tradewind.recipe.versions import versions
from tradewind.routes.hosts import HostPlan
from tradewind.runtime import Runtime
from tradewind.runtime.users import UnixUser, find
from tradewind.runtime.virtualenvs import Virtualenvs
from tradewind.store import Environments
from tradewind.store.databases import Databases, Owner
from tradewind.store.dumps import Dumps
from tradewind.store.rotations import Rotations
from tradewind.store.snapshots import SnapshotRecords

# Files of a revision's folder.
LOCK = "lock.txt"
REQUIREMENTS = "requirements.txt"
PLUGINS = "plugins.digest"
SAID = "requirements_install.txt"  # by the installer
STARTUP_SCRIPT = "startup.sh"
STARTUP_VARIABLES = "startup.json"
REHEARSED = ".rehearsed"  # a mark: all DAGs were tried

Publish = Callable[[], None]
"""Makes the door's routes those of the environments in the store."""


@dataclass(frozen=True)
class Hands:
    """Stores, tools and facts. `snapshots` is filled as environments are met: each keeps what it saw last."""

    environments: Environments
    records: SnapshotRecords
    rotations: Rotations
    databases: Databases
    dumps: Dumps
    runtime: Runtime
    virtualenvs: Virtualenvs
    host: HostFacts
    hosts: HostPlan
    http: httpx.Client  # to loopback
    door: httpx.Client  # to hosts of environments, trusting our authority
    bucket: Callable[[str], Bucket]
    bucket_variables: Callable[[str], Mapping[str, str]]
    bucket_folder: Callable[[str], Path | None]
    publish: Publish
    published: Callable[[Environment], bool]
    snapshots: dict[str, Snapshots] = field(default_factory=dict)

    def layout(self, environment: Environment) -> EnvironmentLayout:
        """Where its files lie."""
        return self.host.layout.environment(environment.id)

    def user(self, environment: Environment) -> UnixUser | None:
        """Its unix user, as root and once made."""
        return find(environment.id.unix_user) if self.host.as_root else None

    @staticmethod
    def owner(environment: Environment) -> Owner:
        """Who its databases belong to."""
        return Owner(environment.id.role, environment.secrets.database_password)

    def source_bucket(self, environment: Environment) -> Bucket:
        """The bucket that its DAGs come from."""
        return self.bucket(bucket_name(environment.spec.source_bucket_arn))

    def snapshots_of(self, environment: Environment) -> Snapshots:
        """Its snapshots; one object an environment for as long as the service lives."""
        key = str(environment.id)
        if key not in self.snapshots:
            user = self.user(environment)
            made = Snapshots(self.layout(environment).bundle, user.gid if user else None)
            if user is None and self.host.as_root:  # looked at before its user was made: nothing to remember yet
                return made
            self.snapshots[key] = made
        return self.snapshots[key]

    @staticmethod
    def version_lock(version: str) -> str:
        """The lock of an Airflow version."""
        return versions()[version].lock

    def lock(self, environment: Environment) -> str | None:
        """The resolved lock, once it was saved."""
        return self._of_revision(environment, LOCK)

    def requirements(self, environment: Environment) -> str | None:
        """The requirements.txt that the lock was resolved from."""
        return self._of_revision(environment, REQUIREMENTS)

    def plugins_digest(self, environment: Environment) -> str | None:
        """Names the content of plugins.zip; None without one."""
        return self._of_revision(environment, PLUGINS)

    def plugins(self, environment: Environment) -> Path | None:
        """Where plugins.zip was unpacked."""
        digest = self.plugins_digest(environment)
        return None if digest is None else self.layout(environment).plugins(digest)

    def startup_script(self, environment: Environment) -> str | None:
        """The start-up script; None without one."""
        return self._of_revision(environment, STARTUP_SCRIPT)

    def startup_variables(self, environment: Environment) -> str | None:
        """What the script exported, once it was run."""
        return self._of_revision(environment, STARTUP_VARIABLES)

    def is_started_up(self, environment: Environment) -> bool:
        """Whether the script was run on what there is now; without one there is nothing to run."""
        if self.startup_script(environment) is None:
            return True
        kept = self.startup_variables(environment)
        return (
            kept is not None
            and startup.was_run_on(kept, self.startup_digest(environment))
            and all(overlay.is_dir() for overlay in self.overlays(environment).values())
        )

    def startup_digest(self, environment: Environment) -> str:
        """Names all that the script finds: what it exports may hold paths of it."""
        return startup.digest(self.inputs(environment, self.lock(environment) or ""))

    def overlays(self, environment: Environment) -> dict[str, Path]:
        """Where what the script installed lies, by kind of component."""
        return _overlays(self.layout(environment), startup.read(self.startup_variables(environment)))

    def _of_revision(self, environment: Environment, name: str) -> str | None:
        try:
            return (self.layout(environment).revision(environment.revision) / name).read_text()
        except FileNotFoundError:
            return None

    def inputs(self, environment: Environment, lock: str) -> RecipeInputs:
        """The recipe's inputs for an environment whose lock is known."""
        layout = self.layout(environment)
        outcomes = startup.read(self.startup_variables(environment))
        return inputs_of(
            environment,
            self.host,
            runtime=self.virtualenvs.path(self.virtualenvs.digest(lock)),
            database_url=self.databases.server.url(
                environment.database, user=environment.id.role, password=environment.secrets.database_password
            ),
            base_url=f"https://{self.hosts.host(environment.id, environment.address).authority}",
            bucket=self.bucket_variables(bucket_name(environment.spec.source_bucket_arn)),
            plugins=self.plugins(environment),
            startup={kind: outcome.variables for kind, outcome in outcomes.items()},
            overlays=_overlays(layout, outcomes),
            # the first database of an environment is never held: it was empty
            hold=None if environment.database == environment.id.database else layout.hold(environment.database),
        )

    def manifest(self, environment: Environment, lock: str) -> Manifest:
        """What shall run."""
        return manifest_of(environment, self.inputs(environment, lock))


def _overlays(layout: EnvironmentLayout, outcomes: Mapping[str, startup.Outcome]) -> dict[str, Path]:
    return {kind: layout.overlay(outcome.overlay) for kind, outcome in outcomes.items() if outcome.overlay}
