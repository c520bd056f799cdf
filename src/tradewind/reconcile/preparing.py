"""Doing the steps of an update, or of a dry run, before it is put in force: nothing that works is touched."""

from tradewind.domain.environments import Environment
from tradewind.reconcile import moving, revisions, saving, starting_up
from tradewind.reconcile.hands import REHEARSED, Hands
from tradewind.reconcile.plan import steps
from tradewind.reconcile.rehearsing import rehearse
from tradewind.reconcile.reporting import report


def prepare(hands: Hands, step: steps.Step, environment: Environment) -> None:  # noqa: C901, PLR0912  (one arm a step)
    """Do one step. Raises CannotProvide with what an update asks for and cannot be had."""
    match step:
        case steps.PrepareRequirements():
            revisions.remove_others(hands, environment)
            if environment.coming.origin is not None:
                saving.adopt(hands, environment.coming, environment.coming.origin)
            else:
                revisions.resolve(hands, environment.coming, environment)
        case steps.PrepareRuntime():
            revisions.build(hands, environment.coming)
        case steps.PrepareStartup():
            starting_up.run_startup_script(hands, environment.coming, environment)
        case steps.SaveSnapshot():
            moving.save(hands, environment)
        case steps.ProveDatabase():
            moving.prove(hands, environment)
        case steps.RehearseUpdate():
            if not moving.is_proven(hands, environment):
                return  # its lock alone has told that it needs another database: the next pass sees to that first
            rehearse(hands, environment)
            (hands.layout(environment).revision(environment.coming.revision) / REHEARSED).touch()
        case steps.ReportTrial():
            if environment.tried is not None and moving.is_proven(hands, environment):
                found = report(hands, environment)
                hands.environments.finish_trial(environment.id, environment.tried.number, report=found, error="")
        case steps.CutOver():
            _cut_over(hands, environment)
        case _:
            raise ValueError(f"{step.label} prepares nothing")


def _cut_over(hands: Hands, environment: Environment) -> None:
    if not moving.is_proven(hands, environment):
        return
    revisions.open_bucket(hands, environment.coming)
    database = moving.target(hands, environment)
    hands.environments.cut_over(environment.id, workers=_series(hands, environment), database=database)


def _series(hands: Hands, environment: Environment) -> str:
    """Graceful: workers that an update changes get other names, so that new ones need not wait for old ones."""
    if environment.change.strategy != "GRACEFUL":
        return environment.workers
    then, now = (
        [process.digest() for process in hands.manifest(each, hands.lock(each) or "").processes if process.drains]
        for each in (environment.coming, environment)
    )
    seen = hands.runtime.observe(str(environment.id)).processes
    names = {process.name for process in hands.manifest(environment, hands.lock(environment) or "").processes}
    waits = any(process.waits and process.name in names for process in seen)  # for its old copy, which drains already
    return environment.workers if then == now and not waits else str(environment.generation)
