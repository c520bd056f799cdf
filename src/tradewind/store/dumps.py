"""Dumps of environments' databases: PostgreSQL's own pg_dump and pg_restore, as the environment's role.

A dump is one consistent moment of a database that is in use. Who restores it is the role that it was made by: what a
user wrote into a database is never executed with more rights than that user had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tradewind.domain.errors import CannotProvide
from tradewind.runtime.port import Runtime
from tradewind.store.databases import Owner
from tradewind.store.server import Server, packaged_binaries

_SECONDS = 1800.0
_EVIDENCE_LINES = 20


@dataclass(frozen=True)
class Dumps:
    """Makes and reads them, with the server's address and processes of our own user."""

    server: Server
    processes: Runtime

    def write(self, database: str, owner: Owner, file: Path) -> None:
        """Dump a database into a file, whole or not at all. Raises CannotProvide with pg_dump's words."""
        scratch = file.with_name(f"{file.name}.new")
        options = ("--format=custom", "--compress=gzip:1", "--no-owner", "--no-privileges", f"--file={scratch}")
        self._run(["pg_dump", *options, database], "dump the database", owner)
        scratch.rename(file)

    def read(self, file: Path, database: str, owner: Owner) -> None:
        """Restore a dump into an empty database. Raises CannotProvide with pg_restore's words."""
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--jobs=2", f"--dbname={database}", str(file))
        self._run(["pg_restore", *options], "restore the database", owner)

    def _run(self, command: Sequence[str], purpose: str, owner: Owner) -> None:
        program, *options = command
        server = self.server
        done = self.processes.run(
            [
                str(packaged_binaries() / program), f"--host={server.host}", f"--port={server.port}",
                f"--username={owner.role}", "--no-password", *options,
            ],
            environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PGPASSWORD": owner.password},
            directory=Path("/"),
            timeout=_SECONDS,
        )  # fmt: skip
        if done.timed_out:
            raise CannotProvide(f"cannot {purpose}: it took longer than {_SECONDS / 60:.0f} minutes")
        if done.exit_status != 0:
            words = tuple(done.stderr.decode(errors="replace").splitlines()[-_EVIDENCE_LINES:])
            raise CannotProvide(f"cannot {purpose}: {words[-1] if words else f'{program} failed'}", evidence=words)
