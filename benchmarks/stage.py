"""What benchmarks share during one run: a scratch folder, one service, the stock virtualenv and its databases.

Each is made when first asked for and removed at the end. With `--data-dir` the service is somebody else's: it is used
and left as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.environment import Environment, fresh_environment
from benchmarks.installation import Installation
from benchmarks.measuring import CannotMeasure, Options, Reading
from benchmarks.service import Service, attach, fresh_service
from benchmarks.stock import virtualenv
from benchmarks.stock.celery import fresh_installation
from benchmarks.stock.database import Databases, migrated


class Stage:
    """One run's. `contenders` are those of the benchmark at hand."""

    def __init__(
        self, options: Options, scratch: Path, stack: ExitStack, contenders: Sequence[str], say: Callable[[str], None]
    ) -> None:
        self.options = options
        self.scratch = scratch
        self.contenders = contenders
        self.say = say
        self.problems: list[str] = []
        self._stack = stack
        self._service: Service | None = None
        self._databases: Databases | None = None

    def guarded(self, what: str, readings: Iterator[Reading]) -> Iterator[Reading]:
        """One turn. What cannot be measured in it is noted, and the next turn goes on."""
        try:
            yield from readings
        except CannotMeasure as error:
            self.problems.append(f"{what}: {error}")
            self.say(f"{what}: {error}")

    @property
    def service(self) -> Service:
        """The service that environments and stock installations share."""
        if self._service is None:
            given = self.options.data_dir
            self.say("a service" if given is None else "the service that runs")
            self._service = (
                attach(given)
                if given is not None
                else self._stack.enter_context(fresh_service(self.scratch / "shared"))
            )
        return self._service

    @contextmanager
    def installation(self, contender: str) -> Iterator[Installation]:
        """A contender, ready: one DAG run has succeeded in it."""
        if contender == "tradewind" and self.options.environment is not None:
            yield Environment(self.service, self.options.environment)
        elif contender == "tradewind":
            with fresh_environment(self.service) as environment:
                yield environment
        else:
            with fresh_installation(contender, self.service, self._migrated(), self.stock()) as installation:
                yield installation

    def stock(self) -> Path:
        """Stock Airflow's virtualenv."""
        return virtualenv.shared()

    def _migrated(self) -> Databases:
        if self._databases is None:
            self.say("a database for stock Airflow")
            self._databases = self._stack.enter_context(migrated(self.service.database_server(), self.stock()))
        return self._databases
