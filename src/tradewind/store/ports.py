"""Ports that environments were promised after they were made: their document grows, and never loses one."""

import sqlalchemy as sa

from tradewind.domain.environments import Ports
from tradewind.domain.identifiers import EnvironmentId
from tradewind.store.tables import environments


def promise_credentials_port(engine: sa.Engine, id_: EnvironmentId, port: int) -> Ports:
    """Promise a port to an environment that has none for its credentials; answers the ports that hold from now on."""
    with engine.begin() as connection:
        row = environments.c.id == str(id_)
        found = connection.execute(sa.select(environments.c.ports).where(row).with_for_update()).scalar_one()
        ports = Ports(**found)
        if not ports.credentials:  # another control plane may have been here in the meantime
            ports = Ports(ports.api, ports.broker, port)
            document = {**found, "credentials": port}
            connection.execute(sa.update(environments).where(row).values(ports=document))
        return ports
