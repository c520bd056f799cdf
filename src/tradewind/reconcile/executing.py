"""Executing a module of ours on a database, in an environment's runtime: migrations, and the adoption of a copy."""

from tradewind.domain.environments import Environment
from tradewind.domain.errors import CannotProvide
from tradewind.recipe.settings import database_settings
from tradewind.reconcile.hands import Hands

MIGRATION = "tradewind_airflow.migration"
ADOPTION = "tradewind_airflow.adoption"
_SECONDS = 900.0
_EVIDENCE_LINES = 20


def execute(
    hands: Hands, environment: Environment, url: str, words: tuple[str, ...], *, purpose: str, stdin: bytes = b""
) -> bytes:
    """Execute a module with its arguments. Answers what it prints; raises CannotProvide with its last words."""
    inputs = hands.inputs(environment, hands.lock(environment) or "")
    done = hands.runtime.run(
        [str(inputs.runtime / "bin" / "python"), "-P", "-m", *words],
        environment=database_settings(inputs, url),
        directory=inputs.layout.home,
        user=inputs.user,
        timeout=_SECONDS,
        stdin=stdin,
    )
    if done.timed_out:
        raise CannotProvide(f"cannot {purpose}: it took longer than {_SECONDS / 60:.0f} minutes")
    if done.exit_status != 0:
        said = tuple(done.stderr.decode(errors="replace").splitlines()[-_EVIDENCE_LINES:])
        reason = said[-1].strip() if said else f"it ended with status {done.exit_status}"
        raise CannotProvide(f"cannot {purpose}: {reason}", evidence=said)
    return done.stdout
