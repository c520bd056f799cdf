"""Leases: one control plane at a time works on a subject, and a fencing token tells a stale one apart.

A lease is taken for some seconds and renewed while the work goes on. Time is the database's, so two
machines' clocks do not matter. The token grows with each new holder; whoever writes with an older one
has lost.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from tradewind.store.tables import leases

_TAKE = sa.text(
    """
    INSERT INTO leases (subject, holder, token, until)
    VALUES (:subject, :holder, 1, now() + make_interval(secs => :seconds))
    ON CONFLICT (subject) DO UPDATE
       SET holder = :holder, until = now() + make_interval(secs => :seconds),
           token = leases.token + CASE WHEN leases.holder = :holder THEN 0 ELSE 1 END
     WHERE leases.holder = :holder OR leases.until < now()
    RETURNING token
    """
)


@dataclass(frozen=True)
class Lease:
    """A lease that is held."""

    subject: str
    holder: str
    token: int


@dataclass(frozen=True)
class Leases:
    """The leases table, for one holder."""

    engine: sa.Engine
    holder: str

    def take(self, subject: str, seconds: float) -> Lease | None:
        """Take or renew. None when another holder has it."""
        with self.engine.begin() as connection:
            token = connection.execute(
                _TAKE, {"subject": subject, "holder": self.holder, "seconds": seconds}
            ).scalar_one_or_none()
        return None if token is None else Lease(subject, self.holder, token)

    def release(self, lease: Lease) -> None:
        """Give it back early. A lease that was lost meanwhile is left alone."""
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(leases)
                .where(
                    leases.c.subject == lease.subject, leases.c.holder == lease.holder, leases.c.token == lease.token
                )
                .values(until=sa.func.now())
            )
