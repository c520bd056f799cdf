"""What the database told a scheduler since it last looked, by table, for those who need not look otherwise. Pure.

A scheduler's pass looks for DAG runs to create and to start, and for what each running one may do next, each time; the
two first are a third of its price, the last, which loads a run's task instances, the greater part of the rest. After a
pass that was woken by nothing but task instances there is no run to create or start: no table changed that these two
steps read. And while the executor can take no more than it has been given, what a run may do next can wait. `Gate`
lets a step pass when one of its tables was told of, when it was not made for a while (as long as stock sleeps between
two passes: time itself makes DAG runs due), and always while nothing can be told.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tradewind_airflow.engine.looks import Looks
from tradewind_airflow.engine.triggers import Told

OFTEN_SECONDS = 1.0


@dataclass
class Gate:
    """One step's. `clock`: seconds, never going back."""

    tables: frozenset[str]
    clock: Callable[[], float]
    _made_at: float = float("-inf")
    _told: bool = True

    def tell(self, tables: Iterable[str]) -> None:
        """These tables changed."""
        self._told = self._told or not self.tables.isdisjoint(tables)

    def opens(self, *, listening: bool, can_wait: bool = False, every: float = OFTEN_SECONDS) -> bool:
        """Whether the step is to be made in this pass. `can_wait`: what was told of is not urgent.

        It is made after `every` seconds at the latest.
        """
        is_due = not listening or self.clock() - self._made_at >= every
        if not is_due and (can_wait or not self._told):
            return False
        self._made_at, self._told = self.clock(), False
        return True


@dataclass
class News:
    """All gates of a scheduler. `listening`: whether changes are told now; `is_full`: no executor has room."""

    gates: list[Gate] = field(default_factory=list)
    listening: bool = False
    is_full: bool = False
    looks: Looks | None = None
    _is_started: bool = True

    @property
    def is_left(self) -> bool:
        """Whether there are DAG runs that were told of and not looked at, though there is room for their tasks."""
        return self.looks is not None and bool(self.looks.told) and not self.is_full

    def may_have_started(self) -> bool:
        """Whether DAG runs may have begun since this was asked last."""
        started, self._is_started = self._is_started, False
        return started

    def gate(self, tables: Iterable[str], clock: Callable[[], float]) -> Gate:
        """A new gate, open for its first time."""
        made = Gate(frozenset(tables), clock)
        self.gates.append(made)
        return made

    def tell(self, told: Iterable[Told]) -> None:
        """What the database told since the last time."""
        told = tuple(told)
        tables = frozenset(one.table for one in told)
        for gate in self.gates:
            gate.tell(tables)
        self._is_started = self._is_started or not tables <= {"task_instance"}
        if self.looks is not None:
            self.looks.tell(one.run for one in told if one.run is not None)


NEWS = News()  # of this process
