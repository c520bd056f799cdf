"""PostgreSQL tells when there is something for the scheduler: triggers that NOTIFY, and only where it matters.

A trigger fires where a value IS DISTINCT from what it was, and for the few changes after which the scheduler can do
something that it could not do before:

- a DAG run appears, is cleared (queued again) or is ended,
- a task instance ends, is cleared, deferred, rescheduled, or is given back by the triggerer,
- an asset's event is queued for a DAG, a partition becomes due,
- a DAG is paused, unpaused, gets a new version or another next run; a pool changes.

The payload is the application_name of the writer, the table and, of a task instance, its DAG's and its run's id,
with a unit separator between: by the first a scheduler knows its own writes, by the others what need not be looked at.
PostgreSQL delivers one notification for equal ones of a transaction, at its commit.

Migrations alter these tables, and a trigger that names a column is in their way: `remove` takes all away, and the
executor makes them again at its start. `CREATE OR REPLACE TRIGGER` needs PostgreSQL 14.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

CHANNEL = "tradewind_wake"
_NAME = "tradewind_wake"
_LOCK = 7_392_161_554  # of pg_advisory_xact_lock: two schedulers start at once
_SEPARATOR = "\x1f"
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {_NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told text := current_setting('application_name') || chr(31) || TG_TABLE_NAME;
BEGIN
    IF TG_TABLE_NAME = 'task_instance' THEN
        told := told || chr(31) || NEW.dag_id || chr(31) || NEW.run_id;
    END IF;
    PERFORM pg_notify('{CHANNEL}', told);
    RETURN NULL;
END $$
"""


@dataclass(frozen=True)
class Trigger:
    """One trigger on one table. `columns` empty: of an insertion."""

    table: str
    name: str
    columns: tuple[str, ...] = ()
    when: str = ""

    @property
    def sql(self) -> str:
        """The statement that makes it."""
        event = f"UPDATE OF {', '.join(self.columns)}" if self.columns else "INSERT"
        condition = f" WHEN ({self.when})" if self.when else ""
        return (
            f"CREATE OR REPLACE TRIGGER {self.name} AFTER {event} ON {self.table}"
            f" FOR EACH ROW{condition} EXECUTE FUNCTION {_NAME}()"
        )


class Told(NamedTuple):
    """One notification: who wrote, and to which table; of a task instance, in which DAG run (dag_id, run_id)."""

    writer: str
    table: str
    run: tuple[str, str] | None = None


def told(payload: str) -> Told:
    """Read a payload. What has another form, which anybody may send, is of no table."""
    match payload.split(_SEPARATOR):
        case [writer, table]:
            return Told(writer, table)
        case [writer, table, dag, run]:
            return Told(writer, table, (dag, run))
        case _:
            return Told("", "")


def _distinct(columns: Iterable[str]) -> str:
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)


# On its way to an end a task instance is scheduled and queued by the scheduler and started by a worker: no news.
_ON_ITS_WAY = "('scheduled', 'queued', 'running')"
_GIVEN_BACK = "OLD.state IN ('deferred', 'awaiting_input') AND NEW.state = 'scheduled'"
_STATE, _DUE, _SIZE = ("state",), ("is_paused", "next_dagrun_create_after"), ("slots",)

TRIGGERS: tuple[Trigger, ...] = (
    Trigger("dag_run", f"{_NAME}_new"),
    Trigger("dag_run", f"{_NAME}_state", _STATE, f"({_distinct(_STATE)}) AND NEW.state <> 'running'"),
    Trigger(
        "task_instance", f"{_NAME}_state", _STATE,
        f"({_distinct(_STATE)}) AND (NEW.state IS NULL OR NEW.state NOT IN {_ON_ITS_WAY} OR ({_GIVEN_BACK}))",
    ),
    Trigger("asset_dag_run_queue", f"{_NAME}_new"),
    Trigger("asset_partition_dag_run", f"{_NAME}_new"),
    Trigger("dag_version", f"{_NAME}_new"),
    Trigger("dag", f"{_NAME}_due", _DUE, _distinct(_DUE)),
    Trigger("slot_pool", f"{_NAME}_size", _SIZE, _distinct(_SIZE)),
)  # fmt: skip


def install(cursor: Any) -> None:
    """Make those that are missing, in the caller's transaction. Tables that this Airflow lacks are passed over.

    Needs to own the tables. Takes a lock on a table only where its trigger is not there yet. Triggers that another
    version of this module made (a digest is kept as the function's comment) are made anew.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    cursor.execute(
        "SELECT obj_description(oid) FROM pg_proc WHERE proname = %s AND pg_function_is_visible(oid)", (_NAME,)
    )
    if [tuple(row) for row in cursor.fetchall()] != [(_digest(),)]:
        cursor.execute(f"DROP FUNCTION IF EXISTS {_NAME}() CASCADE")
        cursor.execute(_FUNCTION)
        cursor.execute(f"COMMENT ON FUNCTION {_NAME}() IS '{_digest()}'")
    cursor.execute(
        "SELECT c.relname, t.tgname FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname LIKE %s"
        " WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND c.relname = ANY(%s)",
        (f"{_NAME}%", sorted({trigger.table for trigger in TRIGGERS})),
    )
    rows = [tuple(row) for row in cursor.fetchall()]
    tables = {table for table, _ in rows}
    for trigger in TRIGGERS:
        if trigger.table in tables and (trigger.table, trigger.name) not in rows:
            cursor.execute(trigger.sql)


def _digest() -> str:
    text = "\n".join([_FUNCTION, *(trigger.sql for trigger in TRIGGERS)])
    return hashlib.sha256(text.encode()).hexdigest()


def remove(cursor: Any) -> None:
    """Take all of them away, in the caller's transaction: before tables are migrated."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    cursor.execute(f"DROP FUNCTION IF EXISTS {_NAME}() CASCADE")
