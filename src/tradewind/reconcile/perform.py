"""Doing one step. Thin: each step is a few calls to a room below, idempotent, and leaves no choice open.

What a user's spec asks for and cannot be had raises CannotProvide; anything else that goes wrong (a database
that restarts) is an exception that the next pass gets over.
"""

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from tradewind.domain.environments import Environment
from tradewind.domain.errors import CannotProvide, TradewindError
from tradewind.recipe.processes import PRELOAD, broker_configuration, worker_name
from tradewind.recipe.settings import (
    CONFIGURATION_FILE,
    configuration_file,
    triggerer_is_enabled,
    trusted_home,
)
from tradewind.reconcile import health, moving, revisions, rotating, saving, starting_up
from tradewind.reconcile.executing import MIGRATION, execute
from tradewind.reconcile.folders import Folders, give_to_us, remove_tree
from tradewind.reconcile.hands import Hands
from tradewind.reconcile.observe import FOLDER_MARK
from tradewind.reconcile.plan import steps
from tradewind.reconcile.preparing import prepare
from tradewind.reconcile.template import template_digest
from tradewind.runtime import users

HEALTH_SECONDS = 300.0
DELETION_TASK_SECONDS = 20.0  # for tasks that run: a worker would wait for them for hours
FORCED_SECONDS = 10.0  # in which what runs on a worker that is replaced may end by itself
_EVIDENCE_LINES = 20
_LOOK_SECONDS = 0.2
_SNAPSHOT_SECONDS = 10.0  # in which a pass waits for one


class NoLongerWanted(Exception):
    """The wanted state changed while a step was at work: leave it and look again."""


@dataclass(frozen=True)
class Performer:
    """Performs steps. `still_wanted` asks the store whether an environment is wanted as it was when planned."""

    hands: Hands
    still_wanted: Callable[[Environment], bool]

    def perform(self, step: steps.Step, environment: Environment) -> None:  # noqa: C901, PLR0912, PLR0915  (one arm a step)
        """Do one step."""
        match step:
            case steps.MakeFolder():
                self._make_folder(environment)
            case steps.AwaitSnapshot():
                self._await_snapshot(environment)
            case steps.ResolveRequirements():
                self._resolve(environment)
            case steps.BuildRuntime():
                revisions.build(self.hands, environment)
            case steps.RunStartupScript():
                starting_up.run_startup_script(self.hands, environment)
            case steps.StartPreloading():
                self._start_preloading(environment)
            case steps.TakeBundle():
                self._take_bundle(environment)
            case steps.MakeTemplate():
                self._make_template(environment)
            case steps.MakeDatabase():
                digest = template_digest(self._lock(environment))
                self.hands.databases.ensure(environment.id, environment.secrets.database_password, digest)
            case steps.RestoreDatabase():
                moving.restore(self.hands, environment, environment.database)
            case steps.OpenDatabase():
                self.hands.databases.open(environment.database)
            case steps.ClearTheWay():
                moving.clear_the_way(self.hands, environment)
            case steps.MoveDatabase():
                moving.move(self.hands, environment)
            case steps.Release():
                moving.release(self.hands, environment)
            case steps.RemoveOtherDatabases():
                moving.remove_others(self.hands, environment)
            case steps.TakeSnapshot():
                self._take_snapshot(environment)
            case steps.PublishRoute() | steps.WithdrawRoute():
                self.hands.publish()
            case steps.ApplyProcesses():
                self._apply(environment)
            case steps.WidenFernetKey():
                rotating.widen(self.hands, environment)
            case steps.EncryptAnew():
                rotating.encrypt_anew(self.hands, environment)
            case steps.FinishRotation():
                rotating.finish(self.hands, environment)
            case steps.EndReplaced():
                self.hands.runtime.end_replaced(str(environment.id), patience=FORCED_SECONDS)
            case steps.ProveHealth():
                self._prove(environment)
            case steps.EndDraining():
                self.hands.runtime.end_replaced(str(environment.id), patience=FORCED_SECONDS, unwanted=True)
            case steps.StopProcesses():
                self.hands.runtime.stop(str(environment.id), patience=DELETION_TASK_SECONDS)
            case steps.DropDatabase():
                self.hands.databases.drop(environment.id)
            case steps.RemoveFolder(keep_logs):
                self._remove_folder(environment, keep_logs=keep_logs)
            case steps.RemoveUser():
                users.remove(environment.id.unix_user)
            case steps.Forget():
                self.hands.records.fail_pending(environment.id, "its environment was deleted")
                self.hands.environments.finish_change(environment.id, "DELETE")
                self.hands.environments.forget(environment.id)
            case _:
                prepare(self.hands, step, environment)

    # -- making ------------------------------------------------------------------------------------------

    def _make_folder(self, environment: Environment) -> None:
        layout = self.hands.layout(environment)
        user = users.ensure(environment.id.unix_user) if self.hands.host.as_root else None
        folder = Folders(user)
        folder.ours(layout.root)
        for path in (trusted_home(layout), layout.logs, layout.bundle):
            folder.ours(path)
        for path in (layout.home, layout.broker, layout.task_logs, layout.logs / "dag_processor"):
            folder.theirs(path)
        folder.private(layout.supervisor)
        folder.write(configuration_file(layout), CONFIGURATION_FILE)
        (layout.root / FOLDER_MARK).touch()

    def _resolve(self, environment: Environment) -> None:
        """A copy takes over what it is a copy of, but its bucket is opened to it as to any other."""
        if environment.origin is not None and environment.proven is None:
            revisions.open_bucket(self.hands, environment)
            saving.adopt(self.hands, environment, environment.origin)
        else:
            revisions.resolve(self.hands, environment)

    def _await_snapshot(self, environment: Environment) -> None:
        if environment.origin is None:
            return
        deadline = time.monotonic() + _SNAPSHOT_SECONDS
        while (snapshot := saving.available(self.hands, environment.origin)) is None:
            if not self.still_wanted(environment):
                raise NoLongerWanted
            if time.monotonic() > deadline:  # others need this thread too, perhaps for that very snapshot
                raise TradewindError(f"the snapshot {environment.origin.snapshot} has not been taken yet")
            time.sleep(_LOOK_SECONDS)
        if snapshot.spec != environment.spec:
            raise CannotProvide(f"cannot copy {snapshot.environment_name}: it was changed before it was copied")

    def _take_snapshot(self, environment: Environment) -> None:
        snapshot = self.hands.records.pending(environment.id)
        if snapshot is None:
            return
        began = time.monotonic()
        try:
            saving.take(self.hands, environment, snapshot)
        except (CannotProvide, OSError, shutil.Error) as error:  # no reason to think less of the environment
            if self.hands.databases.seconds_up() < time.monotonic() - began:
                raise TradewindError("PostgreSQL was started anew while a snapshot was taken") from error
            self.hands.records.fail(snapshot.id, f"cannot take the snapshot: {error}")

    def _take_bundle(self, environment: Environment) -> None:
        bucket = self.hands.source_bucket(environment)
        snapshot = self.hands.snapshots_of(environment).take(bucket, environment.spec.dag_s3_path)
        self.hands.environments.observe(environment.id, bundle_version=snapshot.version)

    def _make_template(self, environment: Environment) -> None:
        def migrate(url: str) -> None:
            execute(self.hands, environment, url, (MIGRATION, "up"), purpose="migrate the template database")

        password = environment.secrets.database_password
        self.hands.databases.ensure_template(template_digest(self._lock(environment)), password, migrate)

    def _apply(self, environment: Environment) -> None:
        lock = self._lock(environment)
        inputs = self.hands.inputs(environment, lock)
        layout = self.hands.layout(environment)
        folders = Folders(self.hands.user(environment))
        folders.write(layout.broker / "valkey.conf", broker_configuration(inputs))
        folders.theirs(layout.credentials)
        self.hands.runtime.apply(self.hands.manifest(environment, lock))

    def _start_preloading(self, environment: Environment) -> None:
        whole = self.hands.manifest(environment, self._lock(environment))
        parent = tuple(process for process in whole.processes if process.name == PRELOAD)
        self.hands.runtime.apply(dataclasses.replace(whole, processes=parent))

    # -- proving -----------------------------------------------------------------------------------------

    def _prove(self, environment: Environment) -> None:
        names = [
            f"{worker_name(environment.workers, number)}@{environment.id}"
            for number in range(1, environment.spec.min_workers + 1)
        ]

        def go_on() -> None:
            if not self.still_wanted(environment):
                raise NoLongerWanted
            given_up = [
                p.name
                for p in self.hands.runtime.observe(str(environment.id)).processes
                if p.state.name == "FATAL" and p.name != PRELOAD  # without it the others start cold
            ]
            if given_up:
                raise self._died(environment, given_up[0])

        began = self._launched(environment)
        proof = health.prove(
            environment,
            self.hands.http,
            began=began,
            door=lambda: self._answers_at_the_door(environment),
            workers=names,
            triggerer=triggerer_is_enabled(environment.spec.airflow_configuration_options),
            seconds=HEALTH_SECONDS,
            go_on=go_on,
        )
        if not proof:
            missing = ", ".join(proof.missing)
            lines = self._words(environment, _process_named(proof.missing[0]))
            raise CannotProvide(
                f"cannot prove that the environment works: no sign of life from {missing} "
                f"within {HEALTH_SECONDS:.0f} seconds",
                "INCORRECT_CONFIGURATION",
                lines,
            )

    def _launched(self, environment: Environment) -> Callable[[], Mapping[str, datetime] | None]:
        """Asks since when each process is the wanted one; None while one of them waits for its old copy to end.

        Heartbeats of old copies, which Airflow's database keeps, prove nothing.
        """
        waited: set[str] = set()
        launched: dict[str, datetime] = {}

        def ask() -> Mapping[str, datetime] | None:
            seen = self.hands.runtime.observe(str(environment.id)).processes
            now = datetime.now(UTC)
            waited.update(process.name for process in seen if process.waits)
            for process in seen:
                if process.name in waited and not process.waits:
                    launched.setdefault(process.name, now)
                elif process.started_at is not None:
                    launched.setdefault(process.name, process.started_at)
            return None if any(process.waits for process in seen) else launched

        return ask

    def _answers_at_the_door(self, environment: Environment) -> bool:
        host = self.hands.hosts.host(environment.id, environment.address)
        where = self.hands.hosts.entrance(environment.spec.webserver_access_mode, environment.address)
        url = f"https://{f'[{where}]' if ':' in where else where}:{host.port}/api/v2/version"
        try:
            answer = self.hands.door.get(url, headers={"Host": host.authority}, extensions={"sni_hostname": host.name})
        except httpx.HTTPError:
            return False
        return answer.is_success

    def _died(self, environment: Environment, process: str) -> CannotProvide:
        lines = self._words(environment, process)
        return CannotProvide(
            f"cannot keep the environment's process {process} running: it ended again and again",
            "INCORRECT_CONFIGURATION",
            lines,
        )

    def _words(self, environment: Environment, process: str) -> tuple[str, ...]:
        return tuple(self.hands.runtime.last_lines(str(environment.id), process, _EVIDENCE_LINES))

    # -- taking away -------------------------------------------------------------------------------------

    def _remove_folder(self, environment: Environment, *, keep_logs: bool) -> None:
        layout = self.hands.layout(environment)
        self.hands.snapshots.pop(str(environment.id), None)
        if not layout.root.exists():
            return
        if not keep_logs:
            remove_tree(layout.root)
            return
        (layout.root / FOLDER_MARK).unlink(missing_ok=True)
        for entry in layout.root.iterdir():
            if entry != layout.logs:
                remove_tree(entry)
        give_to_us(layout.logs)

    def _lock(self, environment: Environment) -> str:
        lock = self.hands.lock(environment)
        if lock is None:
            raise RuntimeError(f"environment {environment.id} has no lock yet")
        return lock


def _process_named(part: str) -> str:
    named: dict[str, str] = {
        "API server": "api-server",
        "metadata database": "api-server",
        "scheduler": "scheduler-1",
        "dag processor": "dag-processor",
    }
    return named.get(part, part)
