"""Run by the runtime's Python: nursery, zygotes and tasks' processes with a real DAG file and Airflow's own parser.

The tasks' processes do not become Airflow's task runner: each says who it is and waits to be told to end. Prints what
was seen, as JSON. Arguments: the folder of the bundle.
"""

import json
import os
import random
import select
import signal
import socket
import sys
import time
from pathlib import Path

import psutil

from tradewind_airflow.engine import warmth
from tradewind_airflow.zygotes import nursery as nursery_module
from tradewind_airflow.zygotes import roster, zygote
from tradewind_airflow.zygotes.nursery import Nursery
from tradewind_airflow.zygotes.parsed import File
from tradewind_airflow.zygotes.starting import ZygotesChild, _forked

VERSION = "v1"
CEILING = 1 << 30


def begin():
    """What a task's process does here."""
    import structlog
    from airflow.dag_processing import dagbag

    folder = Path(sys.argv[1]) / "versions" / VERSION
    before = time.process_time()
    bag = dagbag.BundleDagBag(
        dag_folder=str(folder / os.environ["THE_FILE"]), safe_mode=False, load_op_links=False, bundle_path=folder,
        bundle_name="dags",
    )  # fmt: skip
    structlog.get_logger("said.by.task").info("logged")
    said = {
        "pid": os.getpid(), "parent": os.getppid(), "group": os.getpgid(0), "random": random.random(),
        "librarys_random": sys.modules["more_itertools.recipes"]._private_randrange(10**12),
        "dags": sorted(bag.dags), "parse_seconds": time.process_time() - before,
        "term": str(signal.getsignal(signal.SIGTERM)), "own": os.environ.get("OWN"),
        "sockets": sum(link.startswith("socket:") for link in links().values()),
        "given_to_commands": sum(
            link.startswith("socket:") and number > 2 and os.get_inheritable(number) for number, link in links().items()
        ),
    }  # fmt: skip
    print(json.dumps(said), flush=True)
    if os.read(0, 100) == b"linger":
        time.sleep(600)


def links():
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        try:
            found[int(path.name)] = str(path.readlink())
        except OSError:
            continue
    return found


class Task:
    """A task's process, and our ends of its channels."""

    def __init__(self, connection):
        pairs = [socket.socketpair() for _ in range(4)]
        self.requests, self.stdout, self.stderr, self.logs = (pair[1] for pair in pairs)
        self.child = ZygotesChild(_forked(connection, *(pair[0] for pair in pairs)), connection)
        for pair in pairs:
            pair[0].close()
        self.printed, self.said = "", {}
        while not self.printed.endswith("}\n"):
            self.printed += self.stdout.recv(100_000).decode()
        self.said = json.loads(self.printed.splitlines()[-1])

    def tell(self, word):
        self.requests.send(word)
        return self

    def log(self):
        readable, _, _ = select.select([self.logs], [], [], 5)
        return self.logs.recv(100_000).decode() if readable else ""


def first(connection, seconds=60):
    readable, _, _ = select.select([connection], [], [], seconds)
    assert readable, "no answer"
    message = connection.recv(zygote.MESSAGE_MOST)
    return json.loads(message) if message else None


def ask(nursery, name):
    os.environ["THE_FILE"] = name
    connection = nursery.ask(File("dags", VERSION, name), at_once=True)
    return connection, first(connection)


def gone(pid, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def main():  # noqa: PLR0915  (one story, in order)
    warmth.prepare()
    refuse = Path(sys.argv[1], "no-more-processes")
    fork = os.fork

    def fork_if_there_is_room():
        if refuse.exists():
            raise BlockingIOError("Resource temporarily unavailable")
        return fork()

    os.fork = fork_if_there_is_room
    nursery = Nursery.opened(begin, CEILING)
    (nursery_process,) = psutil.Process().children()
    seen = {}

    os.environ["OWN"] = "set after the nursery"
    os.environ["THE_FILE"] = "closed.py"
    first_of_all = nursery.ask(File("dags", VERSION, "closed.py"))
    seen["first"] = first(first_of_all), len(nursery_process.children())
    connection, seen["closed"] = ask(nursery, "closed.py")
    tasks = []
    for _ in range(3):
        task = Task(connection)
        tasks.append({**task.said, "printed": task.printed.splitlines()[:-1], "log": task.log()})
        task.tell(b"end")
        tasks[-1]["status"] = task.child.wait(10)
    seen["tasks"] = tasks

    other, seen["second_slot"] = ask(nursery, "closed.py")
    one, two = Task(connection).tell(b"linger"), Task(other).tell(b"linger")
    seen["at_the_same_time"] = one.said, two.said
    one.child.send_signal(signal.SIGTERM)
    seen["terminated"] = int(one.child.wait(10)), one.child.wait(10).name, gone(two.said["pid"], 0.5)

    third, _ = ask(nursery, "closed.py")
    one = Task(third).tell(b"end")
    gone(one.said["pid"])
    time.sleep(0.2)  # the zygote knows of the end, and its slot has not heard yet
    beside = Task(connection).tell(b"end")
    seen["beside_one_that_ended"] = beside.child.wait(10), one.child.wait(10)

    one = Task(third).tell(b"linger")
    third.send(b'{"odd": true}')
    seen["out_of_step"] = int(one.child.wait(10)), gone(one.said["pid"]), gone(two.said["pid"], 0.5)
    third.close()

    third, _ = ask(nursery, "closed.py")
    refuse.touch()
    seen["no_room"] = ask(nursery, "asks.py")[1], gone(two.said["pid"], 0.5)
    try:
        Task(third)
    except OSError as error:
        seen["no_room_for_a_task"] = str(error), gone(two.said["pid"], 0.5)
    refuse.unlink()

    one = Task(connection).tell(b"linger")
    connection.close()
    seen["slot_gone"] = gone(one.said["pid"]), gone(two.said["pid"], 0.5), gone(two.said["parent"], 0)
    seen["zygotes"] = [one.pid for one in nursery_process.children()]

    psutil.Process(two.said["parent"]).kill()
    seen["zygote_killed"] = int(two.child.wait(10)), gone(two.said["pid"])

    for name in ("asks.py", "raises.py", "leaves.py", "far_away.py"):
        connection, seen[name] = ask(nursery, name)
        connection.close()
    for each in nursery_process.children():  # the last one may be about to end
        gone(each.pid)
    seen["asked_again"] = ask(nursery, "asks.py")[1], len(nursery_process.children())

    connection, seen["again"] = ask(nursery, "closed.py")
    task = Task(connection).tell(b"linger")
    nursery_process.kill()
    seen["nursery_killed"] = int(task.child.wait(10)), gone(task.said["pid"]), gone(task.said["parent"])
    nursery_process.wait(10)
    seen["after"] = nursery.ask(File("dags", VERSION, "closed.py")) is None

    seen["too_large"] = ask(Nursery.opened(begin, 1), "closed.py")[1]
    zygote.IDLE_SECONDS, nursery_module._LOOK_SECONDS = 3.0, 0.3
    impatient = Nursery.opened(begin, CEILING)
    connection, said = ask(impatient, "closed.py")
    seen["idle"] = said["parsed"], first(connection)
    roster.PARSE_SECONDS_MOST = 1.0
    impatient = Nursery.opened(begin, CEILING)
    seen["hangs"] = (
        ask(impatient, "hangs.py")[1],
        [gone(each.pid) for each in psutil.Process().children()[-1].children()],
    )
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
