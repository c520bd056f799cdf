"""Doing the steps of a Fernet key's rotation: a new key, everything encrypted with it, the old one gone."""

import base64
import secrets
import time

import structlog

from tradewind.domain.environments import Environment
from tradewind.domain.errors import CannotProvide, TradewindError
from tradewind.reconcile.executing import ADOPTION, execute
from tradewind.reconcile.hands import Hands

_log = structlog.get_logger(__name__)


def widen(hands: Hands, environment: Environment) -> None:
    """Draw a new key. Both are in force from the next pass on."""
    hands.rotations.widen(environment.id, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


def encrypt_anew(hands: Hands, environment: Environment) -> None:
    """Connections, variables and triggers, as Airflow's own command does it; then the old key is given up.

    Where a value opens with neither key the rotation fails, with Airflow's words: both keys stay.
    """
    owner, began = hands.owner(environment), time.monotonic()
    url = hands.databases.server.url(environment.database, user=owner.role, password=owner.password)
    try:
        execute(hands, environment, url, (ADOPTION, "keep"), purpose="encrypt the database anew")
    except CannotProvide as error:
        if hands.databases.seconds_up() < time.monotonic() - began:
            raise TradewindError("PostgreSQL was started anew while a database was encrypted anew") from error
        _log.warning("rotation", action="failed", environment=str(environment.id), reason=error.sentence)
        hands.rotations.fail(environment.id, error.sentence)
    else:
        hands.rotations.narrow(environment.id)


def finish(hands: Hands, environment: Environment) -> None:
    """Nothing runs with the old key."""
    hands.rotations.finish(environment.id)
    _log.info("rotation", action="finished", environment=str(environment.id))
