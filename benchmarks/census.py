"""Which process belongs to what: from a table of processes and the ones that are known by name. Pure.

A process belongs to the nearest of its ancestors that is named. One whose parents have gone (it was adopted by init)
belongs to whoever leads its session: every program of Tradewind and of the stock side leads one. `worker-1` and
`worker-2` are both of the kind `worker`.
"""

import re
from collections.abc import Iterable, Mapping

from tradewind.runtime.processes.launcher import Seen


def kind_of(name: str) -> str:
    """A program's name without its number."""
    return re.sub(r"-\d+$", "", name)


def attribute(table: Iterable[Seen], named: Mapping[int, str]) -> dict[str, tuple[Seen, ...]]:
    """Processes by kind. `named`: pid to program name; what descends from none of them is left out."""
    seen = {process.pid: process for process in table}
    found: dict[str, list[Seen]] = {}
    for process in seen.values():
        name = _nearest(process, seen, named) or named.get(process.session)
        if name is not None:
            found.setdefault(kind_of(name), []).append(process)
    return {kind: tuple(members) for kind, members in found.items()}


def _nearest(process: Seen, table: Mapping[int, Seen], named: Mapping[int, str]) -> str | None:
    met: set[int] = set()
    here: Seen | None = process
    while here is not None and here.pid not in met:
        if here.pid in named:
            return named[here.pid]
        met.add(here.pid)
        here = table.get(here.parent)
    return None
