"""Which columns are sealed, and the sealing of all their rows: after an upgrade from plain ones, and with a new key.

A column is sealed where its `info` says so: `sealed_in("environments")`. It holds text: a sealed document, or "" where
there is nothing to keep. The place of a value is that word and the row's primary key, so a value opens in its own
row only. Values of releases before sealing are plain documents; they are sealed once, all in one transaction, when
nothing is sealed yet. A plain one beside sealed ones was written by nobody of ours and is never taken for a secret.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from tradewind.store.sealing import Sealing, Unsealable, key_id
from tradewind.store.tables import metadata

_INFO = "sealed"


def seal_document(sealing: Sealing, document: Mapping[str, str], place: str) -> str:
    """A JSON object, sealed."""
    return sealing.seal(json.dumps(document, sort_keys=True).encode(), place)


def open_document(sealing: Sealing, sealed: str, place: str) -> dict[str, str]:
    """What was sealed; nothing where nothing is kept. Raises Unsealable."""
    if not sealed:
        return {}
    document: dict[str, str] = json.loads(sealing.open(sealed, place))
    return document


def in_use(engine: sa.Engine) -> Mapping[str | None, int]:
    """How many values each key has sealed, by its id; None counts the plain ones."""
    with engine.connect() as connection:
        return Counter(key_id(value) for column in _columns() for _, value in _values(connection, column))


def unmarked(engine: sa.Engine) -> Mapping[str, set[str]]:
    """Columns that hold sealed values and are not marked, with the ids of their keys: no key of theirs may be dropped.

    A table that this release does not know (a newer one made it, or its module is not imported) counts too.
    """
    marked = {(column.table.name, column.name) for column in _columns()}
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        columns = connection.execute(
            sa.text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')"
            )
        ).all()
        for table, name in (each for each in map(tuple, columns) if each not in marked):
            column: sa.ColumnClause[str] = sa.column(name)
            query = sa.select(column).select_from(sa.table(table)).where(column.like("tw1.%"))
            ids = {id_ for value in connection.execute(query).scalars() if (id_ := key_id(value))}
            if ids:
                found[f"{table}.{name}"] = ids
    return found


def seal_anew(engine: sa.Engine, sealing: Sealing) -> int:
    """Seal everything with the current key, in one transaction; answers how many values were not.

    Raises Unsealable, and nothing is changed, for what cannot be opened.
    """
    changed, plain, sealed = 0, "", False
    with engine.begin() as connection:
        for column in _columns():
            (key,) = column.table.primary_key.columns
            for name, value in _values(connection, column, is_locking=True):
                place = f"{column.info[_INFO]}/{name}"
                if key_id(value) is None:
                    plain, opened = place, value.encode()
                else:
                    sealed, opened = True, sealing.open(value, place)
                if key_id(value) is not None and sealing.is_current(value):
                    continue
                values = {column.name: sealing.seal(opened, place)}
                connection.execute(sa.update(column.table).where(key == name).values(values))
                changed += 1
        if plain and sealed:
            raise Unsealable(f"cannot open {plain}: it is not sealed, and others are")
    return changed


def _columns() -> Iterator[sa.Column[Any]]:
    for table in metadata.sorted_tables:
        yield from (column for column in table.columns if _INFO in column.info)


def _values(connection: sa.Connection, column: sa.Column[Any], *, is_locking: bool = False) -> list[tuple[str, str]]:
    (key,) = column.table.primary_key.columns
    query = sa.select(key, column).where(column != "").order_by(key)
    found = connection.execute(query.with_for_update() if is_locking else query)
    return [(str(name), str(value)) for name, value in found]
