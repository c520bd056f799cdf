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

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ENDS_SECONDS = 1.0  # in which it is early enough to look whether a fine end is news, as stock does between two passes
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


def can_wait(events: Mapping[Hashable, tuple[Any, Any]], known: Collection[str], *, looked_before: float) -> bool:
    """Whether all events of a buffer may be read later: fine ends, and messages whose ids are known.

    To look costs a query, between a task's end and the pass that schedules what follows it. `looked_before`: seconds.
    """
    return looked_before < ENDS_SECONDS and all(
        state == "success" or (state == "queued" and information in known) for state, information in events.values()
    )
