"""What a task can reach of what is not its own: each attempt tells how it ended, for a test to judge.

The run's `conf` says where things are: `read`, `write`, `sockets` (paths), `processes` (ids), `web` (URLs, each with an
Authorization header or ""), `brokers` (port and password), `databases` (libpq's words).
"""

from airflow.sdk import dag, get_current_context, task


def reading(path):
    import os

    if os.path.isdir(path):  # noqa: PTH112  (a folder behind a closed one is none to us either)
        return f"{len(os.listdir(path))} entries"  # noqa: PTH208
    with open(path, "rb") as file:  # noqa: PTH123
        return f"{len(file.read(100))} bytes"


def writing(path):
    import os
    import tempfile

    if os.path.isfile(path):  # noqa: PTH113
        with open(path, "ab"):  # noqa: PTH123
            return "opened"
    descriptor, name = tempfile.mkstemp(dir=path)
    os.close(descriptor)
    os.unlink(name)  # noqa: PTH108
    return "made a file"


def connecting(path):
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    return "connected"


def signalling(pid):
    import os

    os.kill(pid, 0)
    return "would be signalled"


def looking_into(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
        return f"{len(file.read())} bytes"


def getting(wanted):
    import urllib.request

    url, authorization = wanted
    headers = {"Authorization": authorization} if authorization else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return f"status {answer.status}"


def queueing(wanted):
    import redis

    port, password = wanted
    return str(redis.Redis("127.0.0.1", port, password=password or None, socket_timeout=60).keys())


def querying(words):
    import psycopg2

    connection = psycopg2.connect(words)
    connection.close()
    return "connected"


ATTEMPTS = {
    "read": reading, "write": writing, "sockets": connecting, "signals": signalling, "processes": looking_into,
    "web": getting, "brokers": queueing, "databases": querying,
}  # fmt: skip


@dag(schedule=None, tags=["tests"])
def outward():
    @task
    def attempts() -> list:
        """Pairs of what was tried and how it ended: "reached: …" or the error."""
        found = []
        for kind, targets in get_current_context()["dag_run"].conf.items():
            for target in targets:
                try:
                    ended = f"reached: {ATTEMPTS[kind](target)}"
                except Exception as error:  # noqa: BLE001
                    ended = f"{type(error).__name__}: {error}"
                found.append([kind, str(target), ended])
        return found

    attempts()


outward()
