"""Where things lie below the data directory: the one place that spells paths.

As root the directory is 0711 (other users must pass through to what is theirs, and can list nothing);
as an ordinary user 0700. Sockets have a folder of their own because a unix socket's path may hold only
107 bytes: a long data directory gets a short one, named by its digest, elsewhere (`run`).
"""

from dataclasses import dataclass
from pathlib import Path

from tradewind.domain.identifiers import EnvironmentId


@dataclass(frozen=True)
class EnvironmentLayout:
    """`environments/<id>/`: everything of one environment, so that deleting is removing one folder."""

    root: Path
    run: Path
    id: EnvironmentId

    @property
    def home(self) -> Path:
        """AIRFLOW_HOME: the environment's user writes here."""
        return self.root / "home"

    @property
    def logs(self) -> Path:
        """One file a process, and `tasks/` for Airflow's task logs."""
        return self.root / "logs"

    @property
    def task_logs(self) -> Path:
        """Airflow's base_log_folder: dag_id=D/run_id=R/task_id=T/attempt=N.log."""
        return self.logs / "tasks"

    @property
    def bundle(self) -> Path:
        """`versions/<digest>/` (immutable snapshots of the bucket's DAG folder) and `current`, a symbolic link."""
        return self.root / "bundle"

    @property
    def broker(self) -> Path:
        """Valkey's configuration and append-only file."""
        return self.root / "broker"

    @property
    def credentials(self) -> Path:
        """What the process `credentials` keeps for its next start."""
        return self.root / "credentials"

    @property
    def supervisor(self) -> Path:
        """The supervisor's configuration and state: readable by the service's own user only."""
        return self.root / "supervisor"

    def revision(self, number: int) -> Path:
        """What one generation runs with, its lock above all; what was made before there were any lies in the root.

        Below 0: that of a dry run.
        """
        return self.root / "revisions" / str(number) if number else self.root

    def hold(self, database: str) -> Path:
        """While this file is there, what runs on that database schedules nothing and takes no orders."""
        return self.root / f"hold-{database}"

    def plugins(self, digest: str) -> Path:
        """plugins.zip of that content, unpacked; never changed once it is there."""
        return self.root / "plugins" / digest

    def overlay(self, digest: str) -> Path:
        """What a start-up script installed; never changed once it is there."""
        return self.root / "overlays" / digest

    def process_log(self, name: str) -> Path:
        """Standard output and error of one process."""
        return self.logs / f"{name}.log"


@dataclass(frozen=True)
class Layout:
    """The data directory. `run` holds sockets and is short."""

    data: Path
    run: Path

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL cluster."""
        return self.data / "postgres"

    @property
    def buckets(self) -> Path:
        """Directory buckets: `<bucket>/<key>`."""
        return self.data / "buckets"

    @property
    def runtimes(self) -> Path:
        """Virtualenvs by digest."""
        return self.data / "runtimes"

    @property
    def software(self) -> Path:
        """Copies of binaries that other users must be able to execute (as root only)."""
        return self.data / "software"

    @property
    def snapshots(self) -> Path:
        """One folder a snapshot: the service's alone."""
        return self.data / "snapshots"

    @property
    def environments(self) -> Path:
        """One folder an environment."""
        return self.data / "environments"

    @property
    def logs(self) -> Path:
        """Logs of the service itself and of the host's processes."""
        return self.data / "logs"

    @property
    def ca(self) -> Path:
        """The internal certificate authority and `bundle.pem`."""
        return self.data / "ca"

    @property
    def supervisor(self) -> Path:
        """The host's supervisor: configuration and state."""
        return self.data / "supervisor"

    def environment(self, id_: EnvironmentId) -> EnvironmentLayout:
        """Paths of one environment."""
        return EnvironmentLayout(self.environments / str(id_), self.run, id_)
