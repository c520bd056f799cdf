"""Which ends of Celery messages say something about their task instance. Pure.

Nearly always the task's own supervisor has told the API server how the task ended, and the end of its message is no
news. It is news when the task instance is still queued, running or restarting: its process died without a word, and
the scheduler fails the try.

It must be the end of the last message of *that* try. A sensor in reschedule mode, or a cleared task, is soon on its way
again with the same try number, and the end of its last message, arriving late, would fail the next one. Stock makes
an exception for deferral only; the faster the loop, the more often the others would be met. A message's id is the task
instance's `external_executor_id`, written in the transaction that queues it: an end with another id is of no account,
nor is one of a task instance that is `scheduled`, whose next message does not exist yet.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

_AT_WORK = frozenset({"queued", "running", "restarting"})


@dataclass(frozen=True)
class Standing:
    """Where a task instance stands in the database."""

    state: str | None
    message: str | None  # external_executor_id


def without_news(ended: Mapping[Hashable, str], standings: Mapping[Hashable, Standing]) -> Iterator[Hashable]:
    """Those keys of `ended` (key: id of the message that ended) whose end says nothing."""
    for key, message in ended.items():
        standing = standings.get(key)  # None: it is gone, or at another try by now
        if standing is None or standing.state not in _AT_WORK or standing.message not in {None, message}:
            yield key
