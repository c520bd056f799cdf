"""What contenders are made to do in B1 to B5 and B11: so many DAGs, each so many lines of so many tasks. Pure.

Every task is fib(n) by recursion: fib(10) is nothing (what is measured is the way to it), fib(33) is about half a
second of one core. The smallest sizes (`smoke`) prove that the harness works.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import dags

FLEET_DAGS = 10


@dataclass(frozen=True)
class Workload:
    """`dags` DAGs of `lines` lines of `length` tasks, each fib(`n`)."""

    name: str
    dags: int
    lines: int
    length: int
    n: int

    @property
    def tasks(self) -> int:
        """How many in all."""
        return self.dags * self.lines * self.length

    @property
    def ids(self) -> tuple[str, ...]:
        """Its DAGs. A larger fleet begins with the DAGs of a smaller one."""
        return tuple(f"bench_{self.name}_{number:02}" for number in range(self.dags))

    def files(self) -> Mapping[str, str]:
        """What has to be deployed for it, one file a DAG."""
        return {f"{id_}.py": dags.lines(id_, count=self.lines, length=self.length, n=self.n) for id_ in self.ids}


def chain(*, smoke: bool) -> Workload:
    """B1: Windmill's "40 lightweight tasks"."""
    return Workload("chain", 1, 1, 3 if smoke else 40, 10)


def long_chain(*, smoke: bool) -> Workload:
    """B2: Windmill's "10 long tasks"."""
    return Workload("long_chain", 1, 1, 2 if smoke else 10, 20 if smoke else 33)


def fan(*, smoke: bool) -> Workload:
    """B3."""
    return Workload("fan", 1, 5 if smoke else 200, 1, 10)


def single() -> Workload:
    """B5."""
    return Workload("single", 1, 1, 1, 10)


def fleet(*, smoke: bool, times: int = 1) -> Workload:
    """B4, and B11 at more than one times."""
    return Workload("fleet", 2 * times, 2, 2, 10) if smoke else Workload("fleet", FLEET_DAGS * times, 10, 10, 10)


def standing(*, smoke: bool) -> Mapping[str, str]:
    """Files of B1, B2, B3 and B5: they share installations."""
    parts = (chain(smoke=smoke), long_chain(smoke=smoke), fan(smoke=smoke), single())
    return {name: text for part in parts for name, text in part.files().items()}
