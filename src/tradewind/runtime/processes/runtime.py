"""The Runtime port on one machine: one supervisord an owner, one program a process.

Everything here is level-triggered. What is wanted is on disk before the first order is given, so a crash between any
two lines is mended by the next `apply`, and nothing needs the control plane to go on running. See
docs/supervision.md.
"""

import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

from tradewind.domain.errors import StaleGeneration, TradewindError
from tradewind.domain.manifests import HOST, Completed, Manifest, ObservedManifest
from tradewind.runtime.processes import commands, logs
from tradewind.runtime.processes.folders import Folder, has_family, lives
from tradewind.runtime.processes.launcher import end_family
from tradewind.runtime.processes.observing import observed, outlived
from tradewind.runtime.processes.orders import Add, Forget, Order, Start, Stop, orders
from tradewind.runtime.processes.programs import Program, check, next_lives
from tradewind.runtime.processes.rpc import NoAnswer, Supervisor
from tradewind.runtime.processes.stopping import stop_everything
from tradewind.runtime.processes.supervisors import Keeper

_LOOK_SECONDS = 0.1
_OTHERS_SECONDS = 60.0  # what does not drain is ended by its supervisor, in the time that its manifest gives it
LOG_LIMIT = 64 * 1024 * 1024  # bytes; twice that is on disk at most, between two passes


class ProcessRuntime:
    """Runs manifests on this machine.

    `folder(owner)` is for us alone (made 0700); `folder("host")/owners` lists everyone who has any. `run` is a short
    directory (made 0700) for sockets. `patience`: seconds to wait for another call that changes the same owner, and
    for a supervisord that lives but does not answer, before it is replaced.
    """

    def __init__(
        self, folder: Callable[[str], Path], run: Path, *, patience: float = 30, log_limit: int = LOG_LIMIT
    ) -> None:
        self._folder_of = folder
        self._run_directory = run
        self._patience = patience
        self._log_limit = log_limit

    def apply(self, manifest: Manifest) -> None:
        """See `Runtime.apply`. Raises CannotStart when no supervisord comes up, TradewindError for a bad manifest."""
        check(manifest.processes)
        folder = self._folder(manifest.owner)
        with folder.locked(self._patience):
            state = folder.state()
            if manifest.generation < state.generation:
                asked, owner = manifest.generation, manifest.owner
                sentence = f"cannot apply generation {asked} of {owner}: {state.generation} is in force"
                raise StaleGeneration(sentence, "STALE_GENERATION")
            programs, last = next_lives(manifest.processes, state.programs, state.last_life)
            self._note(manifest.owner)
            folder.save(manifest.generation, last, programs)
            self._converge(manifest.owner, folder, programs)
        self.trim_logs(manifest.owner)

    def restart(self, owner: str, process: str) -> None:
        """See `Runtime.restart`. Does not wait: the new copy starts when the old one has gone."""
        folder = self._folder(owner)
        with folder.locked(self._patience):
            state = folder.state()
            if process not in state.programs:
                raise TradewindError(f"cannot restart {process} of {owner}: it has no such process", "NOT_FOUND")
            processes = [program.process for program in state.programs.values()]
            programs, last = next_lives(processes, state.programs, state.last_life, frozenset({process}))
            folder.save(state.generation, last, programs)
            self._converge(owner, folder, programs)

    def end_replaced(self, owner: str, *, patience: float, unwanted: bool = False) -> Sequence[str]:
        """See `Runtime.end_replaced`."""
        folder = self._folder(owner)
        deadline, ended = monotonic() + patience, list[str]()
        while True:
            wanted = folder.state().programs
            latest = {program.name for program in wanted.values()}
            older = [
                copy for copy in folder.copies() if copy.program not in latest and (unwanted or copy.name in wanted)
            ]
            replaced = [copy for copy in older if has_family(copy)]
            if not replaced:
                return ended
            late = [copy for copy in replaced if copy.identity["drains"] or monotonic() >= deadline + _OTHERS_SECONDS]
            if late and monotonic() >= deadline:
                for copy in late:
                    end_family(dict(copy.identity))
                ended += [copy.name for copy in late]
            sleep(_LOOK_SECONDS)

    def observe(self, owner: str) -> ObservedManifest:
        """See `Runtime.observe`."""
        folder = self._folder(owner)
        state = folder.state()
        supervisor = self._keeper(owner, folder).reach(0)
        if supervisor:
            with closing(supervisor):
                try:
                    known = supervisor.programs()
                except NoAnswer:
                    supervisor = None
        copies = {copy.program: copy for copy in folder.copies()}
        living = {name: copy for name, copy in copies.items() if lives(copy)}
        if supervisor is None:
            return ObservedManifest(owner, state.generation, False, outlived(living.values()))
        processes = observed(tuple(state.programs.values()), known, copies, living)
        return ObservedManifest(owner, state.generation, True, processes)

    def stop(self, owner: str, *, patience: float | None = None) -> None:
        """See `Runtime.stop`. With `patience`, no process has more seconds than that from its stop signal to KILL."""
        folder = self._folder(owner)
        if folder.path.exists():
            with folder.locked(self._patience):
                folder.save_nothing()
                stop_everything(folder, self._keeper(owner, folder), patience)
                folder.empty()
        (self._owners / owner).unlink(missing_ok=True)

    def owners(self) -> Sequence[str]:
        """See `Runtime.owners`."""
        return sorted(path.name for path in self._owners.iterdir()) if self._owners.is_dir() else []

    def last_lines(self, owner: str, process: str, count: int = 20) -> Sequence[str]:
        """See `Runtime.last_lines`. Ends with the launcher's words where those are the latest."""
        folder = self._folder(owner)
        program = folder.state().programs.get(process)
        if program is None:
            return ()
        log, launch = program.process.log, folder.path / "launch" / f"{process}.log"
        lines = logs.tail(log, count, _user_id(program))
        if not lines or logs.changed(launch) > logs.changed(log):
            lines = (*lines, *logs.tail(launch, count))
        return lines[-count:]

    def trim_logs(self, owner: str) -> Sequence[Path]:
        """Empty logs that have grown past the limit, their text kept beside them. `apply` does so too."""
        programs = self._folder(owner).state().programs.values()
        users = {program.process.log: _user_id(program) for program in programs}
        return logs.trim({log: user for log, user in users.items() if user is not None}, self._log_limit)

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
        """See `Runtime.run`."""
        return commands.run(
            command, environment=environment, directory=directory, user=user, timeout=timeout, stdin=stdin, limit=limit
        )

    def _converge(self, owner: str, folder: Folder, programs: Sequence[Program]) -> None:
        keeper = self._keeper(owner, folder)
        supervisor = keeper.reach(self._patience)
        if supervisor is None and keeper.lives():
            keeper.shut_down(None)  # deaf: its socket was removed, or it hangs; what drains lives on
        if supervisor is None and (programs or folder.copies()):
            self._run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            supervisor = keeper.start()
        known: set[str] = set()
        if supervisor:
            with closing(supervisor):
                supervisor.reread()
                known = _give_orders(folder, supervisor, programs)
        _see_through(folder, programs, known)

    def _folder(self, owner: str) -> Folder:
        return Folder(self._folder_of(owner))

    def _keeper(self, owner: str, folder: Folder) -> Keeper:
        return Keeper(owner, folder, self._run_directory)

    @property
    def _owners(self) -> Path:
        return self._folder_of(HOST) / "owners"

    def _note(self, owner: str) -> None:
        self._owners.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._owners.mkdir(mode=0o700, exist_ok=True)
        (self._owners / owner).touch(mode=0o600)


def _give_orders(folder: Folder, supervisor: Supervisor, programs: Sequence[Program]) -> set[str]:
    """Give them, and answer which programs supervisord knows now."""
    known = supervisor.programs()
    copies = {copy.program: copy for copy in folder.copies()}
    wanted = [program.name for program in programs]
    for order in orders(wanted, {name: seen.state for name, seen in known.items()}):
        copy = copies.get(order.program)
        if isinstance(order, Stop) and copy and copy.pid == known[order.program].pid:
            folder.note_told(copy)
        _give(supervisor, order)
    return set(supervisor.programs())


def _give(supervisor: Supervisor, order: Order) -> None:
    match order:
        case Stop(program):
            supervisor.stop(program)
        case Forget(program):
            supervisor.forget(program)
        case Add(program):
            supervisor.add(program)
        case Start(program):
            supervisor.start(program)


def _see_through(folder: Folder, programs: Sequence[Program], known: set[str]) -> None:
    """Look after programs neither wanted nor supervised: end what outlived its supervisord, forget what is gone.

    One whose process is wanted is left to the launcher of the new copy, which is waiting for it.
    """
    wanted = {program.process.name for program in programs}
    copies = {copy.program: copy for copy in folder.copies()}
    for name in folder.kept() - known - {program.name for program in programs}:
        copy = copies.get(name)
        if copy and copy.name not in wanted and lives(copy):
            if monotonic() >= folder.tell(copy) + copy.identity["stop_seconds"]:
                end_family(dict(copy.identity))
        elif copy and has_family(copy):
            if copy.name not in wanted:
                end_family(dict(copy.identity))
        else:
            folder.forget(name)


def _user_id(program: Program) -> int | None:
    """Who must own the program's log; None where that cannot be said."""
    user = program.process.user
    if user is None or os.geteuid() != 0:
        return os.geteuid()
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None
