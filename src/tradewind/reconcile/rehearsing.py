"""Rehearsal: what an update would run on is tried with all current DAGs, before anything is touched.

The new runtime parses every DAG file as its DAG processor would, imports what the environment's own processes need,
and loads the plugins. What fails is tried again in the runtime and with the settings in force: only what works there
would be broken by the update, and only that refuses it.
"""

import dataclasses
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.bundles import Snapshots
from tradewind.domain.environments import Environment
from tradewind.domain.errors import CannotProvide
from tradewind.recipe.settings import BUNDLE_NAME, rehearsal_settings
from tradewind.reconcile import moving
from tradewind.reconcile.folders import Folders
from tradewind.reconcile.hands import Hands

REHEARSAL_SECONDS = 600.0  # for all files together
_GRACE_SECONDS = 60.0  # for Airflow's own start and end
_EVIDENCE_LINES = 20


@dataclass(frozen=True)
class Findings:
    """What one rehearsal found: an error, or None, of each module, plugin and DAG file that was tried."""

    modules: Mapping[str, str | None] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def read(cls, document: Mapping[str, Mapping[str, object]]) -> "Findings":
        """From what `tradewind_airflow.rehearsal` prints."""
        files: dict[str, str | None] = {}
        for path, outcome in document["files"].items():
            error = outcome["error"] if isinstance(outcome, Mapping) else str(outcome)
            files[path] = None if error is None else str(error)
        return cls(
            modules={name: None if error is None else str(error) for name, error in document["modules"].items()},
            plugins={name: str(error) for name, error in document["plugins"].items()},
            files=files,
        )

    @property
    def broken(self) -> tuple[str, ...]:
        """Paths of the DAG files that cannot be loaded."""
        return tuple(path for path, error in self.files.items() if error is not None)

    @property
    def is_fine(self) -> bool:
        """Whether nothing failed."""
        return not any(self.modules.values()) and not self.plugins and not self.broken


def newly_broken(coming: Findings, in_force: Findings) -> dict[str, str]:
    """Pure: what works now and would not with the update, in words, each with its error.

    Where modules fail already, nothing works now that an update could break.
    """
    if any(in_force.modules.values()):
        return {}
    modules = {
        f"the module {name}": error
        for name, error in coming.modules.items()
        if error is not None and in_force.modules.get(name) is None
    }
    plugins = {f"the plugin {name}": error for name, error in coming.plugins.items() if name not in in_force.plugins}
    files = {
        f"the DAG file {path}": error
        for path, error in coming.files.items()
        if error is not None and path in in_force.files and in_force.files[path] is None
    }
    return {**modules, **plugins, **files}


def rehearse(hands: Hands, environment: Environment) -> None:
    """Try what the update of an environment asks for. Raises CannotProvide with what would break."""
    if not is_needed(hands, environment):
        return
    folder, version = _bundle(hands, environment)
    database = moving.proof(hands, environment)
    coming = _run(hands, dataclasses.replace(environment.coming, moved_to=database), folder, version, None)
    if coming.is_fine:
        return
    try:
        current = hands.snapshots_of(environment).current() or ""
        in_force = _run(hands, environment, hands.layout(environment).bundle, current, coming.broken)
    except CannotProvide:
        return  # it does not even start with what is in force: nothing works now
    broken = newly_broken(coming, in_force)
    if broken:
        raise _refusal(broken)


def is_needed(hands: Hands, environment: Environment) -> bool:
    """Whether an update changes what DAGs run on, or which DAGs there are."""
    then, now = environment.coming, environment
    if (then.spec.source_bucket_arn, then.spec.dag_s3_path) != (now.spec.source_bucket_arn, now.spec.dag_s3_path):
        return True
    locks = hands.lock(then), hands.lock(now)
    if None in locks:
        return True
    return hands.manifest(then, locks[0] or "").processes != hands.manifest(now, locks[1] or "").processes


def _bundle(hands: Hands, environment: Environment) -> tuple[Path, str]:
    """The DAGs to try: those in force, or a first look at the folder that the update names."""
    then, now = environment.coming.spec, environment.spec
    current = hands.snapshots_of(environment)
    if (then.source_bucket_arn, then.dag_s3_path) == (now.source_bucket_arn, now.dag_s3_path):
        return current.versions.folder, current.current() or ""
    folder = hands.layout(environment).revision(environment.coming.revision) / "bundle"
    snapshot = Snapshots(folder, current.versions.gid).take(hands.source_bucket(environment.coming), then.dag_s3_path)
    return folder, snapshot.version


def _run(hands: Hands, environment: Environment, bundle: Path, version: str, only: Collection[str] | None) -> Findings:
    lock = hands.lock(environment)
    if lock is None:
        raise RuntimeError(f"environment {environment.id} has no lock yet")
    inputs = hands.inputs(environment, lock)
    layout = hands.layout(environment)
    logs = layout.logs / "rehearsal"
    Folders(hands.user(environment)).theirs(logs)
    asked = {
        "bundle": BUNDLE_NAME,
        "version": version,
        "files": None if only is None else sorted(only),
        "seconds": REHEARSAL_SECONDS,
    }
    done = hands.runtime.run(
        [str(inputs.runtime / "bin" / "python"), "-P", "-m", "tradewind_airflow.rehearsal"],
        environment=rehearsal_settings(inputs, bundle, logs),
        directory=layout.home,
        user=inputs.user,
        timeout=REHEARSAL_SECONDS + _GRACE_SECONDS,
        stdin=json.dumps(asked).encode(),
    )
    if done.exit_status != 0:
        words = tuple(done.stderr.decode(errors="replace").splitlines()[-_EVIDENCE_LINES:])
        reason = words[-1].strip() if words else f"it ended with status {done.exit_status}"
        raise CannotProvide(
            f"cannot load Airflow with the settings of the update: {reason}", "INCORRECT_CONFIGURATION", words
        )
    return Findings.read(json.loads(done.stdout))


def _refusal(broken: Mapping[str, str]) -> CannotProvide:
    (what, error), *others = broken.items()
    lines = tuple(line for line in error.splitlines() if line.strip())
    sentence = f"cannot put the update in force: {what} would not load, as it does now: {lines[-1].strip()}"
    if what.startswith("the plugin"):  # it may be a new one
        sentence = f"cannot put the update in force: {what} would not load: {lines[-1].strip()}"
    if others:
        sentence += f" (and neither would {', '.join(name for name, _ in others)})"
    return CannotProvide(sentence, "INCORRECT_CONFIGURATION", lines[-_EVIDENCE_LINES:])
