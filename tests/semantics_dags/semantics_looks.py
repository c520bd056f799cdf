"""What a task can say about the process it runs in, and tasks that leave behind, speak, and keep silent.

Nothing here asks anything at import: whether a DAG file's parse is closed is the file's own affair.
"""

import os
import random
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import get_current_context, task

LEAKED: list[str] = []


def open_descriptors() -> list[int]:
    return sorted(int(path.name) for path in Path("/proc/self/fd").iterdir())


def sockets() -> list[dict]:
    """Every open socket: its number, its family, and whom it is connected to."""
    import socket

    found = []
    for number in open_descriptors():
        try:
            target = str(Path(f"/proc/self/fd/{number}").readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            with socket.socket(fileno=os.dup(number)) as one:
                try:
                    peer = str(one.getpeername())
                except OSError:
                    peer = "not connected"
                found.append({"fd": number, "family": one.family.name, "peer": peer})
    return found


def seen(at_import: dict) -> dict:
    """All that a task can say about the process it runs in."""
    import ctypes
    import locale
    import logging
    import resource
    import secrets
    import signal
    import socket
    import sys
    import threading
    import uuid

    links = {}
    for number in open_descriptors():
        try:
            links[number] = str(Path(f"/proc/self/fd/{number}").readlink())
        except OSError:
            continue
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    ti = get_current_context()["ti"]
    drawn = {
        "random": random.random(),
        "import": at_import.get("drawn"),
        "uuid4": str(uuid.uuid4()),
        "secrets": secrets.token_hex(8),
        "urandom": os.urandom(8).hex(),
    }
    try:
        import numpy as np

        drawn["numpy"] = float(np.random.random())  # noqa: NPY002  (the global state is what is asked for)
    except ImportError:
        pass
    mask = int(status["SigBlk"], 16)
    umask = os.umask(0)
    os.umask(umask)
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "group": os.getpgid(0),
        "session": os.getsid(0),
        "parents_group": os.getpgid(os.getppid()),
        "executed_in": at_import.get("pid"),
        "executed_at": at_import.get("time"),
        "drawn": drawn,
        "sockets": sockets(),
        "files": links,
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "kernel_threads": int(status["Threads"]),
        "parents_title": Path(f"/proc/{os.getppid()}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip(),
        "title": Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode().strip(),
        "name": status["Name"].strip(),
        "cwd": str(Path.cwd()),
        "umask": umask,
        "blocked_signals": mask,
        "signals": {
            name: str(signal.getsignal(getattr(signal, name)))
            for name in (
                "SIGTERM",
                "SIGINT",
                "SIGUSR1",
                "SIGUSR2",
                "SIGCHLD",
                "SIGALRM",
                "SIGPIPE",
                "SIGHUP",
                "SIGQUIT",
                "SIGSEGV",
            )
        },
        "wakeup_fd": signal.set_wakeup_fd(-1),
        "environ": dict(os.environ),
        "context_variables": {k: v for k, v in os.environ.items() if k.startswith("AIRFLOW_CTX_")},
        "log_url": ti.log_url,
        "try_number": ti.try_number,
        "hostname": ti.hostname,
        "path": sys.path,
        "argv": sys.argv,
        "excepthook": sys.excepthook is sys.__excepthook__,
        "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
        "limits": {
            name: resource.getrlimit(getattr(resource, name))
            for name in ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_STACK", "RLIMIT_NPROC")
        },
        "nice": os.nice(0),
        "locale": locale.setlocale(locale.LC_ALL),
        "socket_timeout": socket.getdefaulttimeout(),
        "root_level": logging.getLogger().level,
        "leaked": list(LEAKED),
        "oom_score_adj": Path("/proc/self/oom_score_adj").read_text().strip(),
        "loaded_airflow_models": sorted(m for m in sys.modules if m.startswith("airflow.models.taskinstance")),
    }


def tasks(at_import: dict) -> None:
    """Two looks, a task that leaves behind what a process can, three looks more; tasks that speak."""

    @task
    def look() -> dict:
        return seen(at_import)

    @task
    def leak() -> dict:
        """Leave behind all that a process can leave behind."""
        import signal
        import socket
        import sys

        before = seen(at_import)
        os.environ["SEM_LEAKED"] = "yes"
        os.chdir("/")
        os.umask(0o077)
        random.seed(1)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        socket.setdefaulttimeout(1.5)
        sys.path.insert(0, "/leaked")
        LEAKED.append("yes")
        return before

    @task(retries=1, retry_delay=0)
    def speak() -> str:
        """Say something by each of the ways there are."""
        import logging
        import subprocess
        import sys

        import structlog

        print("printed to stdout")
        print("printed to stderr", file=sys.stderr)
        log = logging.getLogger("sem.speaker")
        log.debug("said at debug")
        log.info("said at %s", "info")
        log.warning("said at warning")
        log.error("said at error")
        structlog.get_logger("sem.structured").info("said with fields", answer=42)
        subprocess.run(["/bin/echo", "echoed by a child"], check=True)
        os.write(1, b"written to descriptor 1\n")
        sys.stdout.write("no newline at the end")
        if get_current_context()["ti"].try_number == 1:
            raise ValueError("the first try fails")
        return "spoken"

    @task
    def speak_at_length() -> int:
        for number in range(3000):
            print(f"line {number} " + "x" * 200)
        print("the last line")
        return 3000

    secret = task(task_id="speak_a_secret")(_speak_a_secret)
    bash = BashOperator(
        task_id="bash", append_env=True,
        bash_command='echo "pid $$ parent $PPID of $AIRFLOW_CTX_TASK_ID"; echo to-stderr >&2; pwd; '
        'echo "$AIRFLOW_CTX_DAG_ID.$AIRFLOW_CTX_TASK_ID.$AIRFLOW_CTX_TRY_NUMBER {{ ti.task_id }}"',
    )  # fmt: skip
    looks = [look.override(task_id=f"look_{number}")() for number in (1, 2)]
    after = [look.override(task_id=f"look_after_{number}")() for number in (1, 2, 3)]
    looks >> leak() >> after
    speak()
    speak_at_length()
    secret()
    bash  # noqa: B018


def _speak_a_secret() -> str:
    from airflow.sdk.log import mask_secret

    mask_secret("verysecretword")
    print("it is verysecretword")
    return "said"
