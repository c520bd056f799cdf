"""One look at the kernel's counters of everything that belongs to a contender, to be compared with a later one."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.attribution import POSTGRES, Look, Member
from benchmarks.census import attribute
from benchmarks.costs import busy_of, own_and_awaited
from benchmarks.installation import Installation
from benchmarks.service import Service
from tradewind.domain.manifests import HOST
from tradewind.runtime.processes.launcher import everyone


@dataclass(frozen=True)
class Glance:
    """Counters of the contender's processes, and how long the whole machine has been busy."""

    members: Look
    machine: float


def glance(service: Service, installation: Installation) -> Glance:
    """Look now. PostgreSQL's processes are all in it, those that serve others too."""
    programs = named(service, installation)
    members = {}
    for kind, processes in attribute(everyone(), programs).items():
        for seen in processes:
            try:
                own, awaited = own_and_awaited(Path(f"/proc/{seen.pid}/stat").read_bytes())
            except (FileNotFoundError, ProcessLookupError):
                continue
            members[seen.pid, seen.started] = Member(kind, is_main=seen.pid in programs, own=own, awaited=awaited)
    return Glance(members, busy_of(Path("/proc/stat").read_bytes()))


def named(service: Service, installation: Installation) -> dict[int, str]:
    """Main processes by pid. What a service runs once for all its environments begins with `service: `."""
    host = {pid: f"service: {name}" for pid, name in installation.host_programs().items()}
    postgres = {pid: POSTGRES for pid, name in service.programs_of(HOST).items() if name == "postgres"}
    return installation.programs() | host | postgres
