"""What the API and the gateway record with: the log, and a limit on what outsiders may fill of it.

`record` returns when the record is committed. A refusal of somebody who was not identified may be counted instead,
and the count becomes a record of its own once its minute is over, with whichever record comes next or at the end
of the service (`end`).
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tradewind.audit import EventType, Identity, IdentityType, Record, Withheld, Withholding, moment_of

SOURCE = "tradewind"  # the event source of what is ours and not AWS's


class Log(Protocol):
    """Where records go."""

    def append(self, *records: Record) -> None:
        """Record; committed when it returns. Raises CannotRecord."""


@dataclass(frozen=True)
class Trail:
    """One for a whole service: the API and the gateway share its counts."""

    log: Log
    account: str
    region: str
    withholding: Withholding = field(default_factory=Withholding)

    def record(self, record: Record, *, of_outsider: bool = False) -> None:
        """Record a call, or count the refusal of somebody who was not identified. Raises CannotRecord."""
        settled = self.withholding.settle(record.moment)
        is_recorded = not of_outsider or self.withholding.admit(record.address, record.moment)
        records = [*map(self._summary, settled), *([record] if is_recorded else [])]
        self._append(records, settled)

    def end(self, moment: datetime) -> None:
        """Record what is still counted. Raises CannotRecord."""
        settled = self.withholding.settle(moment, is_end=True)
        self._append([*map(self._summary, settled)], settled)

    def _append(self, records: list[Record], settled: tuple[Withheld, ...]) -> None:
        try:
            self.log.append(*records)
        except BaseException:
            self.withholding.put_back(settled)
            raise

    def _summary(self, withheld: Withheld) -> Record:
        return Record(
            moment=withheld.last,
            source=SOURCE,
            name="RefusalsWithheld",
            type=EventType.SERVICE,
            identity=Identity(IdentityType.SERVICE),
            region=self.region,
            account=self.account,
            event_id=str(uuid.uuid4()),
            address=withheld.source,
            details={
                "count": withheld.count,
                "first": moment_of(withheld.first),
                "last": moment_of(withheld.last),
            },
        )
