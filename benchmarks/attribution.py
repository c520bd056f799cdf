"""CPU seconds by kind of process, from two looks at the kernel's counters. Pure.

A process's counters are its own time and that of its children which it has waited for (`cutime` and `cstime`). A task's
process lives for milliseconds and is never seen: its time lands in the counter of whoever waited for it, which is the
slot that ran it (a Celery slot, a worker process of LocalExecutor, or whatever forks in their place). So, in a worker:

- *task process*: growth of what members other than the main process have waited for;
- *worker and supervisor*: all the rest of that family: the main process and the slots' own time.

A slot that ended meanwhile (Celery replaces them) left both in one sum, in the counter of the main process: that is
divided as the time of the slots that stayed.

With LocalExecutor the slots are the scheduler's children; then the scheduler is its main process alone. Nothing is lost
as long as somebody waits: a child that the kernel reaped by itself (SIGCHLD ignored) is in no counter. The busy time of
the whole machine, printed beside, would show such a loss.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

TASK, WORKER, SCHEDULER, API, DATABASE = "task process", "worker and supervisor", "scheduler", "API server", "database"
REST, SERVICE = "the rest", "service (once a host)"
KINDS = (TASK, WORKER, SCHEDULER, API, DATABASE, REST, SERVICE)
POSTGRES = "server: PostgreSQL"
_KIND_OF = {"worker": WORKER, "scheduler": SCHEDULER, "api-server": API}


@dataclass(frozen=True)
class Member:
    """One process: to which program it belongs, whether it is the one that was started, its CPU seconds so far."""

    program: str
    is_main: bool
    own: float
    awaited: float

    @property
    def total(self) -> float:
        """With its children."""
        return self.own + self.awaited


Look = Mapping[tuple[int, int], Member]  # by pid and start time
_NOBODY = Member("", is_main=False, own=0.0, awaited=0.0)


def attribute_growth(before: Look, after: Look, foreign: Collection[int] = ()) -> dict[str, float]:
    """CPU seconds between two looks by kind. `foreign`: PostgreSQL backends that served somebody else."""
    found = dict.fromkeys(KINDS, 0.0)
    programs = {member.program for member in (*before.values(), *after.values())}
    slots_of = "worker" if "worker" in programs else "scheduler"
    for program in programs:
        earlier = {key: member for key, member in before.items() if member.program == program}
        later = {key: member for key, member in after.items() if member.program == program}
        grown = _sum(later.values()) - _sum(earlier.values())
        if program == slots_of:
            main = sum(member.own - earlier.get(key, _NOBODY).own for key, member in later.items() if member.is_main)
            tasks = _of_tasks(earlier, later, grown - main)
            own = main if program == "scheduler" else 0.0
            found[TASK] += tasks
            found[SCHEDULER] += own
            found[WORKER] += grown - tasks - own
        elif program == POSTGRES:
            others = [key for key in later if key[0] in foreign]
            found[DATABASE] += grown - sum(later[key].total - earlier.get(key, _NOBODY).total for key in others)
        else:
            found[_kind_of(program)] += grown
    return found


def _of_tasks(earlier: Look, later: Look, all_slots: float) -> float:
    """Of what all slots of a family used, those that ended too: the part that their tasks did."""
    stayed = [(member, earlier.get(key, _NOBODY)) for key, member in later.items() if not member.is_main]
    awaited = sum(after.awaited - before.awaited for after, before in stayed)
    own = sum(after.own - before.own for after, before in stayed)
    # below zero: a zygote ended between the looks, whom nobody awaits; what it had used before went with it
    ended = max(0.0, all_slots - awaited - own)
    return awaited + (ended * awaited / (awaited + own) if awaited + own > 0 else 0.0)


def _kind_of(program: str) -> str:
    return SERVICE if program.startswith("service: ") else _KIND_OF.get(program, REST)


def _sum(members: Iterable[Member]) -> float:
    return sum(member.total for member in members)
