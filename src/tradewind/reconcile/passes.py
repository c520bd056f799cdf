"""One pass over one environment: observe, plan, perform, write down what was seen.

The status moves only here. A plan that was performed to its end makes the environment READY; something that
cannot be had makes it REFUSED, with the evidence in its change, and the next pass takes back what was made.
A READY environment that needs repair stays READY: the repair is the next pass's business again if it fails. An update
that cannot be had is refused while it is being prepared, and turned back once it was put in force.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from tradewind.domain.environments import Environment, Phase, Settled, Target
from tradewind.domain.errors import CannotProvide, TradewindError
from tradewind.reconcile import moving, saving
from tradewind.reconcile.hands import Hands
from tradewind.reconcile.observe import observe
from tradewind.reconcile.perform import NoLongerWanted, Performer
from tradewind.reconcile.plan import Step, plan, steps
from tradewind.reconcile.ports import with_ports
from tradewind.reconcile.world import World

CREATION_LIMIT = timedelta(minutes=30)
UPDATE_LIMIT = timedelta(minutes=30)
RETURN_LIMIT = timedelta(minutes=15)
_MESSAGE_LIMIT = 1024
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Passes:
    """Runs passes with one set of hands. `stopping`: the service ends, so no further step is begun."""

    hands: Hands
    stopping: Callable[[], bool] = field(default=lambda: False)

    def run(self, environment: Environment) -> None:
        """One pass. Raises what the next pass should get over; the caller backs off."""
        began = time.monotonic()
        environment = with_ports(self.hands, environment)
        world = observe(self.hands, environment)
        planned = plan(environment, world)
        try:
            self._perform(environment, planned)
        except NoLongerWanted:
            return
        except CannotProvide as error:
            is_late = self._takes_too_long(environment)
            has_ended = self.hands.databases.seconds_up() < time.monotonic() - began
            if has_ended and not is_late:  # reason enough for anything to fail
                raise TradewindError(f"PostgreSQL was started anew meanwhile: {error.sentence}") from error
            self._refuse(environment, error)
            return
        except Exception as error:
            if self._takes_too_long(environment):
                verb = "create" if self._is_creating(environment) else "update"
                self._refuse(environment, CannotProvide(f"cannot {verb} the environment: {error}", "INTERNAL"))
                return
            raise
        self._settle(environment, world)

    def _perform(self, environment: Environment, planned: tuple[Step, ...]) -> None:
        performer = Performer(self.hands, self._still_wanted)
        for step in planned:
            if not self._still_wanted(environment):
                raise NoLongerWanted
            self._announce(environment, step)
            started = time.monotonic()
            performer.perform(step, environment)
            seconds = time.monotonic() - started
            _log.info(
                "step", action="performed", step=step.label, environment=str(environment.id), seconds=round(seconds, 2)
            )
            if not isinstance(step, steps.Forget) and environment.tried is None:
                self.hands.environments.checkpoint(environment.id, environment.generation, step.label, seconds)

    def _announce(self, environment: Environment, step: Step) -> None:
        phase = Phase.PROVISIONING if environment.phase is Phase.NEW else None
        self.hands.environments.observe(environment.id, phase=phase, progress=step.label)

    def _settle(self, environment: Environment, world: World) -> None:
        """Everything that was planned is done."""
        if environment.target is not Target.PRESENT or environment.phase is Phase.REFUSED or environment.asked:
            return
        store, change = self.hands.environments, environment.change
        if environment.phase is Phase.RETURNING:
            reason = (change.error_code or "INTERNAL", change.error_message or "cannot update the environment")
            self._finish_update(environment, reason)
        elif environment.phase is Phase.CHANGING and environment.workers == str(environment.generation):
            store.let_drain(environment.id, environment.generation, _settled(environment))
        elif environment.phase is Phase.DRAINING:
            if environment.is_awaited:
                store.observe(environment.id, phase=Phase.READY, progress="")
            elif not world.draining and world.observed.supervised:
                store.finish_change(environment.id, "UPDATE", phase=Phase.READY, at=environment.generation)
        elif environment.phase is not Phase.READY:
            if environment.is_on_hold:  # settled first: what is scheduled from here on must not be taken back
                store.settle(environment.id, _settled(environment), at=environment.generation)
                moving.release(self.hands, environment)
            store.finish_change(
                environment.id,
                "UPDATE" if environment.phase is Phase.CHANGING else "CREATE",
                phase=Phase.READY,
                generation=environment.generation,
                settled=_settled(environment),
                at=environment.generation if environment.phase is Phase.CHANGING else None,
            )
            saving.let_go(self.hands, environment)
        elif environment.progress:
            store.observe(environment.id, progress="")

    def _refuse(self, environment: Environment, error: CannotProvide) -> None:
        _log.warning("environment", action="refused", environment=str(environment.id), reason=error.sentence)
        reason, store = (error.code, _message(error)), self.hands.environments
        if self._is_creating(environment):
            store.finish_change(environment.id, "CREATE", reason, phase=Phase.REFUSED)
            saving.let_go(self.hands, environment)
        elif environment.tried is not None:
            store.finish_trial(environment.id, environment.tried.number, report=None, error=_message(error))
        elif environment.asked is not None:  # nothing was touched
            self._finish_update(environment, reason)
        elif environment.phase is Phase.CHANGING:
            # workers of the series that is taken back drain, and so may those before them: neither name is free
            is_other = environment.workers == str(environment.generation)
            workers = f"{environment.generation}r" if is_other else environment.workers
            store.turn_back(environment.id, reason, workers=workers, at=environment.generation)
        elif environment.phase is Phase.RETURNING:
            self._go_on_returning(environment, error)

    def _finish_update(self, environment: Environment, reason: tuple[str, str]) -> None:
        self.hands.environments.finish_change(
            environment.id,
            "UPDATE",
            reason,
            phase=Phase.READY,
            refused=environment.generation,
            at=environment.generation,
        )

    def _go_on_returning(self, environment: Environment, error: CannotProvide) -> None:
        """Until the old settings work; not for ever, since an update that mends them can be sent only then."""
        change = environment.change
        if datetime.now(UTC) - change.created_at <= UPDATE_LIMIT + RETURN_LIMIT:
            raise error
        before = change.error_message or "cannot update the environment"
        sentence = f"{before}; and the settings before it do not work either: {error.sentence}"
        self._finish_update(environment, (change.error_code or "INTERNAL", sentence[:_MESSAGE_LIMIT]))

    def _still_wanted(self, environment: Environment) -> bool:
        if self.stopping():
            return False
        now = self.hands.environments.get(environment.id)
        if now is None or (now.target, now.generation) != (environment.target, environment.generation):
            return False
        return now.phase is environment.phase or environment.phase is Phase.NEW

    def _takes_too_long(self, environment: Environment) -> bool:
        now = datetime.now(UTC)
        if self._is_creating(environment):
            return now - environment.created_at > CREATION_LIMIT
        if environment.tried is not None:
            return now - environment.tried.created_at > UPDATE_LIMIT
        is_updating = environment.asked is not None or environment.phase is Phase.CHANGING
        return is_updating and now - environment.change.created_at > UPDATE_LIMIT

    @staticmethod
    def _is_creating(environment: Environment) -> bool:
        return environment.target is Target.PRESENT and environment.phase in {Phase.NEW, Phase.PROVISIONING}


def _settled(environment: Environment) -> Settled:
    return Settled(environment.spec, environment.revision, environment.database)


def _message(error: CannotProvide) -> str:
    """The sentence, then as much of the evidence's end as MWAA's 1,024 characters allow."""
    message = error.sentence[:_MESSAGE_LIMIT]
    if error.evidence and not error.sentence.endswith(error.evidence[-1]):
        evidence = " | ".join(line.strip() for line in error.evidence if line.strip())
        room = _MESSAGE_LIMIT - len(message) - len("; last lines: ")
        if room > 0:
            message += "; last lines: " + evidence[-room:]
    return message
