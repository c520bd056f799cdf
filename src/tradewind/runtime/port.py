"""The port that every place where processes run fulfils: one machine now, Kubernetes later."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tradewind.domain.manifests import Completed, Manifest, ObservedManifest


class Runtime(Protocol):
    """Makes manifests true. Every method is idempotent; none retries, the next pass of the reconciler is the retry."""

    def apply(self, manifest: Manifest) -> None:
        """Start, restart and stop until what runs is the manifest. Processes whose digest is unchanged are not touched.

        Starts the owner's supervisor when none lives. FATAL and EXITED processes are started again.
        Returns when the orders are given, not when everything is up. Raises StaleGeneration.
        """
        ...

    def observe(self, owner: str) -> ObservedManifest:
        """What runs now."""
        ...

    def restart(self, owner: str, process: str) -> None:
        """Stop one process as its manifest says and start it again."""
        ...

    def end_replaced(self, owner: str, *, patience: float, unwanted: bool = False) -> Sequence[str]:
        """End old copies of wanted processes, which were told to stop: those that still drain after `patience` seconds.

        Returns when they are gone; answers which had to be ended. What is wanted no more ends in its own time, unless
        `unwanted` says that it is meant too.
        """
        ...

    def stop(self, owner: str, *, patience: float | None = None) -> None:
        """Stop every process of the owner and its supervisor, copies that outlived an earlier supervisor too.

        Returns when they are gone. With `patience`, none has more seconds than that from its stop signal to KILL.
        """
        ...

    def owners(self) -> Sequence[str]:
        """Owners of whom anything runs or may run."""
        ...

    def last_lines(self, owner: str, process: str, count: int = 20) -> Sequence[str]:
        """The end of a process's log: the evidence that travels with a failure."""
        ...

    def trim_logs(self, owner: str) -> Sequence[Path]:
        """Empty logs that have grown past the limit; their text is kept beside them. Answers which."""
        ...

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        user: str | None = None,
        timeout: float,
        stdin: bytes = b"",
        limit: int = 10_000_000,
    ) -> Completed:
        """Run a command to its end as that user, in a group of its own that is killed whole at the timeout (seconds).

        At most `limit` bytes of each stream are kept.
        """
        ...
