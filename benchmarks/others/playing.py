"""A contender that is not Airflow, up and waiting to be asked."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.measuring import CannotMeasure
from benchmarks.programs import Program, running
from benchmarks.stock import virtualenv
from benchmarks.stock.installation import free_ports
from benchmarks.watching import seconds_until
from benchmarks.workloads import Workload

_HERE = Path(__file__).parent
_LOCKS = _HERE.parent / "locks"
_START_SECONDS = 120.0
_RUN_SECONDS = 600.0


@dataclass(frozen=True)
class Player:
    """One that runs. `how` is what the program is told beside the size of the line."""

    contender: str
    program: Program
    how: Mapping[str, str]

    def seconds(self, workload: Workload) -> float:
        """Run the line once. Raises CannotMeasure when it fails, or for anything but one line."""
        if (workload.dags, workload.lines) != (1, 1):
            raise CannotMeasure(f"cannot measure {self.contender}: it knows one line of tasks only")
        asked = {"tasks": workload.length, "n": workload.n, **self.how}
        answer = json.loads(self.program.ask(json.dumps(asked), _RUN_SECONDS))
        if "seconds" not in answer:
            raise CannotMeasure(f"cannot measure {self.contender}: {answer.get('error', answer)}")
        return float(answer["seconds"])


@contextmanager
def playing(contender: str, scratch: Path) -> Iterator[Player]:
    """Start one; stopped and removed at the end."""
    with PLAYERS[contender](contender, scratch) as player:
        yield player


@contextmanager
def _prefect(contender: str, scratch: Path) -> Iterator[Player]:
    """A local server as it comes (SQLite), and one process that runs flows; analytics are off."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/api"
    with ExitStack() as stack:
        home = _home(stack, scratch)
        root = virtualenv.shared_of("prefect", (_LOCKS / "prefect.txt").read_text())
        environment = _surroundings(root, home) | {
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }
        command = [str(root / "bin" / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        server = stack.enter_context(running("server", command, environment=environment, directory=home))
        http = stack.enter_context(httpx.Client(trust_env=False, timeout=5))
        seconds_until(lambda: _answers(http, f"{url}/health", server), limit=_START_SECONDS, what="Prefect's server")
        yield Player(contender, _talk(stack, root, "prefect_flows.py", environment, home), {})


@contextmanager
def _dagster(contender: str, scratch: Path) -> Iterator[Player]:
    """One process with an instance of its own (SQLite); steps in it, or each in a process (the default)."""
    with ExitStack() as stack:
        home = _home(stack, scratch)
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        root = virtualenv.shared_of("dagster", (_LOCKS / "dagster.txt").read_text())
        environment = _surroundings(root, home) | {"DAGSTER_HOME": str(home)}
        executor = "in_process" if contender == "dagster-in-process" else "multiprocess"
        yield Player(contender, _talk(stack, root, "dagster_jobs.py", environment, home), {"executor": executor})


def _home(stack: ExitStack, scratch: Path) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True)))


def _talk(stack: ExitStack, root: Path, script: str, environment: Mapping[str, str], home: Path) -> Program:
    command = [str(root / "bin" / "python"), str(_HERE / script)]
    return stack.enter_context(running(Path(script).stem, command, environment=environment, directory=home, talks=True))


def _answers(http: httpx.Client, url: str, server: Program) -> bool:
    server.check()
    try:
        return http.get(url).is_success
    except httpx.HTTPError:
        return False


def _surroundings(root: Path, home: Path) -> dict[str, str]:
    return {
        "DO_NOT_TRACK": "1",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": f"{root / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": str(root),
    }


PLAYERS: Mapping[str, Callable[[str, Path], AbstractContextManager[Player]]] = {
    "prefect": _prefect,
    "dagster": _dagster,
    "dagster-in-process": _dagster,
}
