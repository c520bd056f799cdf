"""What benchmarks share during one run: a scratch folder, one service, the stock virtualenv and its databases.

Each is made when first asked for and removed at the end. With `--data-dir` the service is somebody else's: it is used
and left as it is. `side_by_side` keeps installations for the next benchmark that wants the same DAG files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import others
from benchmarks.environment import ENGINES, Environment, fresh_environment
from benchmarks.installation import Installation
from benchmarks.measuring import CannotMeasure, Options, Reading
from benchmarks.others import Player
from benchmarks.runs import await_known
from benchmarks.service import Service, attach, fresh_service
from benchmarks.stock import virtualenv
from benchmarks.stock.database import Databases, migrated
from benchmarks.stock.installation import fresh_installation


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
        self._standing = ExitStack()  # closed by `clear`, before what it stands on
        self._stands: dict[str, Installation] = {}
        self._files: Mapping[str, str] = {}
        self._players: dict[str, Player] = {}

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
            with fresh_installation(contender, self.service, self._migrated(), self.stock(), {}) as installation:
                yield installation

    def side_by_side(self, contenders: Sequence[str], files: Mapping[str, str]) -> Mapping[str, Installation]:
        """Contenders of five slots with these DAGs, all up at once and at rest; one that fails is noted and left out.

        They stay for the next benchmark with the same files; those with other files are stopped first.
        """
        if files != self._files:
            self.clear()
            self._files = files
        for contender in contenders:
            if contender not in self._stands:
                self.say(f"{contender} starts")
                try:
                    self._stands[contender] = self._standing.enter_context(self.engine(contender, files))
                except CannotMeasure as error:
                    self.problems.append(f"{contender}: {error}")
                    self.say(f"{contender}: {error}")
        return {name: self._stands[name] for name in contenders if name in self._stands}

    def clear(self) -> None:
        """Stop what stands side by side."""
        self._stands.clear()
        self._players.clear()
        self._files = {}
        self._standing.close()

    @contextmanager
    def engine(self, contender: str, files: Mapping[str, str]) -> Iterator[Installation]:
        """A contender of five slots that knows these DAGs; one DAG run has succeeded in it."""
        with ExitStack() as stack:
            if contender == "tradewind" and self.options.environment is not None:
                installation: Installation = Environment(self.service, self.options.environment)
                for name, text in files.items():
                    stack.callback(installation.remove, name)
                    installation.put(name, text)
            elif contender in ENGINES:
                members = ENGINES[contender]
                installation = stack.enter_context(
                    fresh_environment(self.service, contender, files=files, members=members)
                )
            else:
                installation = stack.enter_context(
                    fresh_installation(contender, self.service, self._migrated(), self.stock(), files)
                )
            await_known(installation, [Path(name).stem for name in files])
            yield installation

    def player(self, contender: str) -> Player:
        """Prefect or Dagster at work; it stays up as those side by side do."""
        if contender not in self._players:
            self.say(f"{contender} starts")
            self._players[contender] = self._standing.enter_context(others.playing(contender, self.scratch))
        return self._players[contender]

    def stock(self) -> Path:
        """Stock Airflow's virtualenv."""
        return virtualenv.shared()

    def _migrated(self) -> Databases:
        if self._databases is None:
            self.say("a database for stock Airflow")
            self._databases = self._stack.enter_context(migrated(self.service.database_server(), self.stock()))
        return self._databases
