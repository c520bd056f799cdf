"""Environments of an earlier release lack a port that today's have: it is promised at their first pass.

A new release changes the runtime of every environment, so they are applied anew in that pass anyway.
"""

import dataclasses

from tradewind.domain.environments import Environment, Target
from tradewind.reconcile.hands import Hands
from tradewind.runtime.ports import draw_port
from tradewind.store.ports import promise_credentials_port


def with_ports(hands: Hands, environment: Environment) -> Environment:
    """The environment with all its ports."""
    if environment.ports.credentials or environment.target is not Target.PRESENT:
        return environment
    store = hands.environments
    ports = promise_credentials_port(store.engine, environment.id, draw_port(store.ports_in_use()))
    return dataclasses.replace(environment, ports=ports)
