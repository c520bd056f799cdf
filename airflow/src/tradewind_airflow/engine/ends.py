"""Which ends of Celery messages still say something about their task instance. Pure.

The scheduler takes an executor's "it has ended" for a task instance that is not in a final state as a sign that its
process died without a word, and fails the try. It must know to which message the sign belongs: a sensor in reschedule
mode, or a cleared task, is soon on its way again with the same try number, and the end of its last message, arriving a
moment later, would fail the next one. Stock makes an exception for deferral only; the faster the loop, the more often
the others would be met.

A message's id is the task instance's `external_executor_id`, written in the transaction that queues it. So an end is
stale, and dropped, when the task instance is `scheduled` (it is not queued yet: its next message does not exist) or
has another id.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

SCHEDULED = "scheduled"


@dataclass(frozen=True)
class Standing:
    """Where a task instance stands in the database."""

    state: str | None
    message: str | None  # external_executor_id


def stale(ended: Mapping[Hashable, str], standings: Mapping[Hashable, Standing]) -> Iterable[Hashable]:
    """Those keys of `ended` (key: id of the message that ended) whose end is of no account any more."""
    for key, message in ended.items():
        standing = standings.get(key)
        if standing is None:
            continue  # gone, or of another try: Airflow passes it over
        if standing.state == SCHEDULED or (standing.message is not None and standing.message != message):
            yield key
