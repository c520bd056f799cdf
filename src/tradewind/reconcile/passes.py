"""One pass over one environment: observe, plan, perform, write down what was seen.

The status moves only here. A plan that was performed to its end makes the environment READY; something that
cannot be had makes it REFUSED, with the evidence in its change, and the next pass takes back what was made.
A READY environment that needs repair stays READY: the repair is the next pass's business again if it fails.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from tradewind.domain.environments import ChangeState, Environment, Phase, Target
from tradewind.domain.errors import CannotProvide
from tradewind.reconcile.hands import Hands
from tradewind.reconcile.observe import observe
from tradewind.reconcile.perform import NoLongerWanted, Performer
from tradewind.reconcile.plan import Step, plan, steps

CREATION_LIMIT = timedelta(minutes=30)
_MESSAGE_LIMIT = 1024
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Passes:
    """Runs passes with one set of hands. `stopping`: the service ends, so no further step is begun."""

    hands: Hands
    stopping: Callable[[], bool] = field(default=lambda: False)

    def run(self, environment: Environment) -> None:
        """One pass. Raises what the next pass should get over; the caller backs off."""
        planned = plan(environment, observe(self.hands, environment))
        try:
            self._perform(environment, planned)
        except NoLongerWanted:
            return
        except CannotProvide as error:
            self._refuse(environment, error)
            return
        except Exception as error:
            if self._is_creating(environment) and datetime.now(UTC) - environment.created_at > CREATION_LIMIT:
                self._refuse(environment, CannotProvide(f"cannot create the environment: {error}", "INTERNAL"))
                return
            raise
        self._settle(environment)

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
            if not isinstance(step, steps.Forget):
                self.hands.environments.checkpoint(environment.id, environment.generation, step.label, seconds)

    def _announce(self, environment: Environment, step: Step) -> None:
        phase = Phase.PROVISIONING if environment.phase is Phase.NEW else None
        self.hands.environments.observe(environment.id, phase=phase, progress=step.label)

    def _settle(self, environment: Environment) -> None:
        """Everything that was planned is done."""
        if environment.target is not Target.PRESENT or environment.phase is Phase.REFUSED:
            return
        arrived = environment.phase is Phase.READY and environment.observed_generation == environment.generation
        if not arrived or environment.change.state is ChangeState.PENDING:
            self.hands.environments.finish_change(
                environment.id, environment.change.kind, phase=Phase.READY, generation=environment.generation
            )
        elif environment.progress:
            self.hands.environments.observe(environment.id, progress="")

    def _refuse(self, environment: Environment, error: CannotProvide) -> None:
        _log.warning("environment", action="refused", environment=str(environment.id), reason=error.sentence)
        if not self._is_creating(environment):
            return
        reason = (error.code, _message(error))
        self.hands.environments.finish_change(environment.id, "CREATE", reason, phase=Phase.REFUSED)

    def _still_wanted(self, environment: Environment) -> bool:
        if self.stopping():
            return False
        now = self.hands.environments.get(environment.id)
        return now is not None and (now.target, now.generation) == (environment.target, environment.generation)

    @staticmethod
    def _is_creating(environment: Environment) -> bool:
        return environment.target is Target.PRESENT and environment.phase in {Phase.NEW, Phase.PROVISIONING}


def _message(error: CannotProvide) -> str:
    """The sentence, then as much of the evidence's end as MWAA's 1,024 characters allow."""
    message = error.sentence[:_MESSAGE_LIMIT]
    if error.evidence and not error.sentence.endswith(error.evidence[-1]):
        evidence = " | ".join(line.strip() for line in error.evidence if line.strip())
        room = _MESSAGE_LIMIT - len(message) - len("; last lines: ")
        if room > 0:
            message += "; last lines: " + evidence[-room:]
    return message
