"""CeleryExecutor, woken by events: `core.executor = tradewind_airflow.engine.executor.EventDrivenCeleryExecutor`.

Stock, the scheduler's loop sleeps a second whenever a pass found nothing to send (`[scheduler]
scheduler_idle_sleep_time`), so a chain of tasks costs a second each. Here that sleep is set to 0 and the executor,
which the loop calls in each pass (`heartbeat`, then `sync`), waits instead: at PostgreSQL, for a notification that
something changed (`triggers`), for as long as `pace` allows. Everything else, what is sent, how, and what its end
means, is CeleryExecutor's own.

It needs a direct connection to PostgreSQL, no transaction pooler. On another database, or while the connection is
down, it looks once a second. Two schedulers are as correct as two stock ones: a notification only means "look", and
what a pass does is Airflow's, with Airflow's locks. Only one of them is woken by notifications (`hearing`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.providers.celery.executors.celery_executor import CeleryExecutor
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select

from tradewind_airflow.engine.backlog import Backlog
from tradewind_airflow.engine.ends import Standing, can_wait, without_news
from tradewind_airflow.engine.hearing import Ear
from tradewind_airflow.engine.news import NEWS
from tradewind_airflow.engine.pace import Ends, Pass, rest_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAME_VARIABLE = "PGAPPNAME"  # libpq's: what our own sessions are called, and so the payload of our own writes


class EventDrivenCeleryExecutor(CeleryExecutor):
    """Everything but the waiting is CeleryExecutor's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args:  # the class's own default was bound at import, which a preloaded parent did with another value
            kwargs.setdefault("parallelism", conf.getint("core", "parallelism"))
        super().__init__(*args, **kwargs)
        self._ear = Ear(_connection)
        self._backlog = Backlog(self.celery_app)
        self._own_name = os.environ.get(NAME_VARIABLE, "")
        self._batch = self.conf.getint("scheduler", "max_tis_per_query", fallback=16)
        self._sent = 0
        self._ends = Ends(time.monotonic)
        self._ending = False
        self._looked_at = float("-inf")
        self._known: set[str] = set()  # ids of messages that the database knows already
        self._ended: dict[Any, str] = {}  # keys whose end is in the event buffer: the id of the message that ended

    def _process_workloads(self, workload_items: Sequence[Any]) -> None:
        self._sent += len(workload_items)
        self._known.update(id_ for item in workload_items if (id_ := _id_of(item)))
        self._backlog.queues.update(item.ti.queue for item in workload_items if hasattr(item, "ti"))
        super()._process_workloads(workload_items)
        for key in [key for key in self._ended if not _is_success(self.event_buffer.get(key))]:
            del self._ended[key]  # another message of that try: queued, or it could not be sent

    def sync(self) -> None:
        """Learn what ended, then wait as long as the pace allows."""
        sent, self._sent = self._sent, 0
        NEWS.is_full = was_full = self.slots_available <= 0
        in_flight = len(self.workloads)
        super().sync()
        self._ends.count(max(0, in_flight - len(self.workloads)))
        if self._ending:
            return
        told = self._ear.wait(0)
        backlog, taken = self._backlog.split(len(self.workloads))
        rest = rest_after(
            Pass(
                sent=sent,
                batch=self._batch,
                made_room=was_full and self.slots_available > 0,
                failed=any(state == TaskInstanceState.FAILED for state, _ in self.event_buffer.values()),
                own_ends=any(one.writer == self._own_name for one in told),
                left_runs=NEWS.is_left,
                others_wrote=self._ear.prompt and any(one.writer != self._own_name for one in told),
                backlog=backlog,
                taken=taken,
                ends_a_second=self._ends.a_second(),
            )
        )
        if rest.least > 0:
            time.sleep(rest.least)
        if rest.most > rest.least:
            told += self._ear.rest(rest.most - rest.least)
        NEWS.listening = self._ear.listening
        NEWS.tell(told)

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        """As stock; remember which message it was whose end is told here."""
        if key in self.workloads:
            self._ended[key] = self.workloads[key].task_id
        super().change_state(key, state, info, remove_running=remove_running)

    def get_event_buffer(self, dag_ids: Any = None) -> dict[Any, Any]:
        """As stock, but for two kinds of events that say nothing: each would cost the loop a large query.

        Ends that are no news (`ends`; looked at once a second), and "it is queued", which stock writes down to keep the
        message's id: it was written when the task instance was queued.
        """
        now = time.monotonic()
        if dag_ids is None:
            if can_wait(self.event_buffer, self._known, looked_before=now - self._looked_at):
                return {}
            self._looked_at = now
        events = super().get_event_buffer(dag_ids)
        for key, (state, id_) in list(events.items()):
            if state == TaskInstanceState.QUEUED and id_ in self._known:
                del events[key]
        ended = {
            key: id_
            for key, id_ in self._ended.items()
            if key in events and isinstance(key, TaskInstanceKey) and _is_end(events[key])
        }
        if dag_ids is None:  # the buffer is empty now, so nothing that was remembered of it is needed any more
            self._known.clear()
            self._ended.clear()
        standings = _standings(ended) if ended else {}
        for key in without_news(ended, standings):
            state, _ = events.pop(key)
            self.log.info("Message %s ended with %s: %s is %s", ended[key], state, key, standings.get(key))
        return events

    def end(self, synchronous: bool = False) -> None:
        """As stock: learn a last time what ended. Nothing is waited for that has not been sent."""
        self._ear.close()
        self._ending = True
        super().end(synchronous)


def _id_of(workload: Any) -> str | None:
    """The message's id where it was assigned when the task instance was queued."""
    return getattr(getattr(workload, "ti", None), "external_executor_id", None)


def _is_success(event: tuple[Any, Any] | None) -> bool:
    return event is not None and event[0] == TaskInstanceState.SUCCESS


def _is_end(event: tuple[Any, Any]) -> bool:
    return event[0] in {TaskInstanceState.SUCCESS, TaskInstanceState.FAILED}


def _standings(keys: Iterable[TaskInstanceKey]) -> dict[Any, Standing]:
    ti = TaskInstance
    columns = (ti.dag_id, ti.task_id, ti.run_id, ti.try_number, ti.map_index, ti.state, ti.external_executor_id)
    with create_session() as session:
        rows = session.execute(select(*columns).where(ti.filter_for_tis(list(keys)))).all()
    return {
        TaskInstanceKey(row.dag_id, row.task_id, row.run_id, row.try_number, row.map_index): Standing(
            row.state, row.external_executor_id
        )
        for row in rows
    }


def _connection() -> Any:
    """One of our own, outside of SQLAlchemy's pool: the pool would take it for its own while we wait."""
    from airflow import settings

    engine = settings.engine
    if engine is None or engine.dialect.name != "postgresql":
        raise RuntimeError("the metadata database is not PostgreSQL")
    arguments, options = engine.dialect.create_connect_args(engine.url)
    return engine.dialect.loaded_dbapi.connect(*arguments, **options)
