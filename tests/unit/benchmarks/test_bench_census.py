"""To whom a process belongs."""

from benchmarks.census import attribute, kind_of
from tradewind.runtime.processes.launcher import Seen

#                 pid parent session started
SUPERVISOR = Seen(10, 1, 10, 1)
WORKER = Seen(20, 10, 20, 2)
SLOT = Seen(21, 20, 20, 3)
TASK = Seen(22, 21, 22, 4)  # leads a session of its own
SECOND_WORKER = Seen(30, 10, 30, 2)
ORPHAN = Seen(23, 1, 20, 5)  # its parent has gone, its session has not
STRANGER = Seen(90, 1, 90, 1)
EVERYONE = [STRANGER, ORPHAN, TASK, SLOT, WORKER, SECOND_WORKER, SUPERVISOR]
NAMED = {10: "supervisor", 20: "worker-1", 30: "worker-2"}


def pids(groups):
    return {kind: {seen.pid for seen in members} for kind, members in groups.items()}


def test_a_process_belongs_to_the_nearest_named_ancestor_or_to_its_sessions_leader():
    assert pids(attribute(EVERYONE, NAMED)) == {"supervisor": {10}, "worker": {20, 21, 22, 23, 30}}


def test_nobody_is_counted_twice_and_strangers_not_at_all():
    found = [seen for members in attribute(EVERYONE, NAMED).values() for seen in members]
    assert len(found) == len(set(found)) == len(EVERYONE) - 1
    assert STRANGER not in found


def test_a_table_read_while_pids_were_given_out_anew_ends():
    assert attribute([Seen(5, 6, 5, 1), Seen(6, 5, 6, 1)], NAMED) == {}


def test_numbers_at_the_end_are_no_part_of_a_kind():
    assert [kind_of(name) for name in ("worker-12", "api-server", "dag-processor", "server: PostgreSQL")] == [
        "worker",
        "api-server",
        "dag-processor",
        "server: PostgreSQL",
    ]
