"""Tags of environments by themselves: what a decision about a call asks, without opening anything that is sealed."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from tradewind.domain.identifiers import EnvironmentId
from tradewind.store.engines import reading
from tradewind.store.tables import environments


def read(engine: sa.Engine, name: str) -> Mapping[str, str]:
    """Those of the environment of that name that is not gone; none where there is no such environment."""
    query = sa.select(environments.c.tags).where(environments.c.name == name, environments.c.gone_at.is_(None))
    with reading(engine) as connection:
        return connection.execute(query).scalar_one_or_none() or {}


def read_of(engine: sa.Engine, id_: EnvironmentId) -> Mapping[str, str]:
    """Those of the environment with that id, also when it is gone; none where there never was one."""
    query = sa.select(environments.c.tags).where(environments.c.id == str(id_))
    with engine.connect() as connection:
        return connection.execute(query).scalar_one_or_none() or {}


def change(engine: sa.Engine, id_: EnvironmentId, add: Mapping[str, str], remove: Sequence[str], limit: int) -> bool:
    """Change them. False, and nothing done, when there would be more than `limit`."""
    with engine.begin() as connection:
        tags = connection.execute(
            sa.select(environments.c.tags).where(environments.c.id == str(id_)).with_for_update()
        ).scalar_one()
        new = {key: value for key, value in {**tags, **add}.items() if key not in remove}
        if len(new) > limit:
            return False
        connection.execute(sa.update(environments).where(environments.c.id == str(id_)).values(tags=new))
    return True
