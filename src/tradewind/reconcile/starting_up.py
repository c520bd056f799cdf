"""The start-up script, run once for each kind of component: what it exports and installs is kept with the revision.

What it installs with `pip` is copied to an overlay before the file that names it is written: a crash leaves a copy
that nobody names, and the script is run again.
"""

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from tradewind.domain.environments import Environment
from tradewind.domain.errors import CannotProvide
from tradewind.domain.manifests import Completed
from tradewind.recipe import requirements, startup
from tradewind.recipe.settings import COMPONENTS, RecipeInputs
from tradewind.reconcile.folders import Folders, remove_tree, write_whole
from tradewind.reconcile.hands import STARTUP_SCRIPT, STARTUP_VARIABLES, Hands
from tradewind.runtime.overlays import take_over
from tradewind.runtime.virtualenvs import installers_variables

_PLACE = ".starting-up"  # in the revision's folder, while the script runs
_EVIDENCE_LINES = 20
_LOG_LIMIT = 1_000_000  # bytes of its output that are kept
_log = structlog.get_logger(__name__)


def run_startup_script(hands: Hands, environment: Environment, in_force: Environment | None = None) -> None:
    """Run the script once for each kind of component, and keep what it exports and installs.

    Not again where an update changes nothing that it could depend on. Raises CannotProvide when the script fails,
    does not end in time, does not tell its variables, or installs what may not be handed over.
    """
    revision = hands.layout(environment).revision(environment.revision)
    script = revision / STARTUP_SCRIPT
    if not script.exists():
        return
    outcomes = None if in_force is None else _same_outcomes(hands, environment, in_force)
    if outcomes is None:
        kept = startup.read(hands.startup_variables(environment)) if in_force is None else {}
        outcomes = startup.write(_outcomes(hands, environment, script, kept), of=hands.startup_digest(environment))
    write_whole(revision / STARTUP_VARIABLES, outcomes)


def remove_other_overlays(hands: Hands, environment: Environment) -> None:
    """Remove overlays that neither what is in force nor what is asked for needs."""
    needed = {*hands.overlays(environment).values(), *hands.overlays(environment.coming).values()}
    overlays = hands.layout(environment).overlay("none").parent
    for folder in overlays.iterdir() if overlays.is_dir() else ():
        if folder not in needed:
            shutil.rmtree(folder, ignore_errors=True)


def _same_outcomes(hands: Hands, environment: Environment, in_force: Environment) -> str | None:
    """What came of the script in force, if it was run on the same. A re-image runs it again."""
    is_same = (
        environment.spec != in_force.spec
        and hands.startup_script(environment) == hands.startup_script(in_force)
        and hands.startup_digest(environment) == hands.startup_digest(in_force)
        and hands.is_started_up(in_force)
    )
    return hands.startup_variables(in_force) if is_same else None


def _outcomes(
    hands: Hands, environment: Environment, script: Path, kept: Mapping[str, startup.Outcome]
) -> Mapping[str, startup.Outcome]:
    """What comes of it for each kind.

    `kept`: what came of it before something around it changed (a newer release of this service); where it fails now
    that stays as long as it is there, for the environment is in use.
    """
    start = _Start.of(hands, environment, script)
    try:
        start.lay_out()
        return {kind: start.run(kind) for kind in COMPONENTS}
    except CannotProvide as error:
        if not kept or not all(overlay.is_dir() for overlay in hands.overlays(environment).values()):
            raise
        _log.warning("start-up script", action="kept", environment=str(environment.id), reason=error.sentence)
        return kept
    finally:
        with contextlib.suppress(OSError):  # whoever writes there still: the next start clears it
            remove_tree(start.place.root)


@dataclass(frozen=True)
class _Start:
    """A script, what it runs in, and where."""

    hands: Hands
    environment: Environment
    script: Path
    lock: str
    inputs: RecipeInputs
    place: startup.Place

    @classmethod
    def of(cls, hands: Hands, environment: Environment, script: Path) -> "_Start":
        lock = hands.lock(environment)
        if lock is None:
            raise RuntimeError(f"environment {environment.id} has no lock yet")
        place = startup.Place(script.parent / _PLACE)
        return cls(hands, environment, script, lock, hands.inputs(environment, lock), place)

    @property
    def folders(self) -> Folders:
        return Folders(self.hands.user(self.environment))

    @property
    def overlays(self) -> Path:
        return self.hands.layout(self.environment).overlay("none").parent

    def lay_out(self) -> None:
        """Where it finds `pip`, and the folders that this installs to."""
        place, folders = self.place, self.folders
        remove_tree(place.root)
        python = self.inputs.runtime / "bin" / "python"
        programs = startup.programs(python, self.hands.virtualenvs.interpreter.version)
        for folder, mode, files in ((place.programs, 0o750, programs), (place.modules, 0o640, startup.modules())):
            for name, text in files.items():
                path = folder / name
                for parent in (place.root, folder, path.parent):
                    folders.ours(parent)
                folders.write(path, text)
                path.chmod(mode)
        folders.write(place.constraints, requirements.constraints(self.lock))
        folders.theirs(place.cache)
        folders.ours(self.overlays)

    def run(self, kind: str) -> startup.Outcome:
        """Run it for one kind of component."""
        place, layout = self.place, self.hands.layout(self.environment)
        remove_tree(place.overlay)
        self.folders.theirs(place.overlay)
        found = startup.surroundings(self.inputs, kind)
        given = startup.with_pip(found, place, self.hands.virtualenvs.uv, installers_variables())
        done = self.hands.runtime.run(
            startup.command(self.script),
            environment=given,
            directory=layout.home,
            user=self.inputs.user,
            timeout=startup.SECONDS,
            limit=_LOG_LIMIT,
        )
        said = done.stderr.decode(errors="replace")
        self.folders.write(layout.process_log(f"startup_script_execution_{kind}"), said)
        words = tuple(line for line in said.splitlines() if line.strip())[-_EVIDENCE_LINES:]
        what = f"{self.environment.spec.startup_script_s3_path} for the {kind}"
        if (reason := _failure(done, words)) is not None:
            raise CannotProvide(f"cannot run {what}: {reason}", "INCORRECT_CONFIGURATION", words)
        digest = self.take_over(what) if any(place.overlay.iterdir()) else None
        overlay = None if digest is None else layout.overlay(digest)
        return startup.Outcome(startup.moved(startup.captured(given, done.stdout), place, overlay), digest)

    def take_over(self, what: str) -> str | None:
        """What it installed, finished by the environment's user: what they wrote is read by no program of ours."""
        python = self.inputs.runtime / "bin" / "python"
        done = self.hands.runtime.run(
            [str(python), "-I", "-m", "tradewind_airflow.overlays.making", str(self.place.overlay)],
            environment={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            directory=self.place.root,
            user=self.inputs.user,
            timeout=startup.SECONDS,
        )
        if done.exit_status != 0:
            words = tuple(done.stderr.decode(errors="replace").splitlines()[-_EVIDENCE_LINES:])
            raise CannotProvide(f"cannot compile what {what} installed", "INCORRECT_CONFIGURATION", words)
        return take_over(self.place.overlay, self.overlays, what, self.folders.user)


def _failure(done: Completed, words: tuple[str, ...]) -> str | None:
    if done.timed_out:
        return f"it did not end within {startup.SECONDS:.0f} seconds"
    if done.exit_status != 0:
        return f"it ended with status {done.exit_status}" + (f": {words[-1].strip()}" if words else "")
    if not done.stdout:
        return "its variables cannot be told: it replaced the shell, or its EXIT trap"
    return None
