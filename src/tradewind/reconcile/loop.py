"""The loop: wakes on a notification or each half second, and gives every environment its pass.

One thread looks, a pool works: an environment has at most one pass, and one look at its bucket, at a time. A
notification carries no data. A pass that raises is tried again, later each time (1 s to 30 s); one that succeeds resets
that. The loop holds a lease on the store, so that of two control planes on one database only one reconciles.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa
import structlog

from tradewind.domain.environments import Environment, Phase, Target
from tradewind.reconcile.hands import Hands
from tradewind.reconcile.passes import Passes
from tradewind.reconcile.saving import remove_unwanted
from tradewind.reconcile.sync import AFTER_PROBLEM_SECONDS, Sync
from tradewind.store import Lease, Leases
from tradewind.store.environments import CHANNEL

TICK_SECONDS = 0.5
LOOK_SECONDS = 3.0
LEASE_SECONDS = 15.0
ENDING_SECONDS = 10.0
_WORKERS = 32  # a pass that prepares an update waits for minutes, mostly for other processes
_FOLLOWERS = 8
_FOLLOWED = frozenset({Phase.READY, Phase.DRAINING, Phase.RETURNING})  # in which buckets are followed
_log = structlog.get_logger(__name__)


@dataclass
class Turn:
    """When an environment is due again, and how often its passes have failed in a row."""

    follow_at: float = 0.0
    look_at: float = 0.0
    failures: int = 0
    seen: tuple[object, ...] = ()


def back_off(failures: int) -> float:
    """Seconds until the next try: 1, 2, 4 … 30."""
    return min(30.0, 2.0 ** min(max(0, failures - 1), 5))


def first_line(error: Exception) -> str:
    """What a log line says of an error; some have no words at all."""
    return next(iter(str(error).splitlines()), type(error).__name__)


@dataclass
class Reconciler:
    """`keep_host` is called at every tick: it keeps what the service itself stands on (PostgreSQL, the proxy)."""

    hands: Hands
    leases: Leases
    url: str = field(repr=False)
    keep_host: Callable[[], None]
    turns: dict[str, Turn] = field(default_factory=dict)
    working: dict[str, Future[None]] = field(default_factory=dict)
    following: dict[str, Future[None]] = field(default_factory=dict)
    tidy_at: float = 0.0
    lease: Lease | None = None
    leads_until: float = 0.0  # of the monotonic clock
    sync: Sync = field(init=False)
    passes: Passes = field(init=False)

    def __post_init__(self) -> None:
        self.sync, self.passes = Sync(self.hands), Passes(self.hands)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then running passes are waited for, for some seconds."""
        # a pass begins no step after that, and none that another control plane may be doing
        self.passes = Passes(self.hands, stopping=lambda: stop.is_set() or not self._leads())
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="pass")
        followers = ThreadPoolExecutor(_FOLLOWERS, thread_name_prefix="follow")
        ear: psycopg.Connection[tuple[object, ...]] | None = None
        while not stop.is_set():
            try:
                self.keep_host()
                ear = ear or self._listen()
                self._take_lease()
                if self.lease is not None:
                    self._give_turns(pool, followers)
                    self._tidy()
                for _ in ear.notifies(timeout=TICK_SECONDS, stop_after=1):
                    pass
            except (psycopg.Error, sa.exc.SQLAlchemyError, OSError) as error:
                _log.warning("reconciler", action="disturbed", reason=first_line(error))
                if ear is not None:
                    ear.close()
                    ear = None
                stop.wait(TICK_SECONDS)
            except Exception:  # noqa: BLE001  (whatever it is, the loop goes on: it is the only one)
                _log.exception("reconciler", action="failed")
                stop.wait(TICK_SECONDS)
        for each in (pool, followers):
            each.shutdown(wait=False, cancel_futures=True)
        wait([*self.working.values(), *self.following.values()], timeout=ENDING_SECONDS)
        self._give_back_lease()
        if ear is not None:
            ear.close()

    def _take_lease(self) -> None:
        asked_at = time.monotonic()
        self.lease = self.leases.take("reconciler", LEASE_SECONDS)
        self.leads_until = 0.0 if self.lease is None else asked_at + LEASE_SECONDS

    def _leads(self) -> bool:
        """Whether the lease is certainly ours still: this process may have been stopped for a while."""
        return time.monotonic() < self.leads_until

    def _give_back_lease(self) -> None:
        """So that the next control plane need not wait for its end."""
        if self.lease is not None:
            try:
                self.leases.release(self.lease)
            except sa.exc.SQLAlchemyError as error:
                _log.warning("reconciler", action="lease_kept", reason=first_line(error))

    def _listen(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _give_turns(self, pool: ThreadPoolExecutor, followers: ThreadPoolExecutor) -> None:
        now = time.monotonic()
        environments = self.hands.environments.all()
        for environment in environments:
            key = str(environment.id)
            turn = self.turns.setdefault(key, Turn())
            is_working = self._is_busy(self.working, key)
            tried = None if environment.tried is None else environment.tried.number
            rotation = None if environment.rotation is None else environment.rotation.state
            mark = (environment.target, environment.generation, environment.phase, tried, rotation)
            if turn.seen != mark and not is_working:  # something new is wanted: at once, whatever failed before
                turn.seen, turn.look_at = mark, 0.0
            # A pass may take minutes (an update that is prepared), and its bucket is followed all the while. What is
            # on its way to something else is not: nothing may be put where a pass takes away.
            is_followed = environment.phase in _FOLLOWED and environment.target is Target.PRESENT
            if is_followed and now >= turn.follow_at and not self._is_busy(self.following, key):
                self.following[key] = followers.submit(self._follow, environment, turn)
            waits = self._is_busy(self.following, key) and not is_followed
            if now >= turn.look_at and not waits and not is_working:
                self.working[key] = pool.submit(self._turn, environment, turn)
        for key in self.turns.keys() - {str(environment.id) for environment in environments}:
            if not self._is_busy(self.working, key) and not self._is_busy(self.following, key):
                for known in (self.turns, self.working, self.following):
                    known.pop(key, None)

    @staticmethod
    def _is_busy(futures: Mapping[str, Future[None]], key: str) -> bool:
        return key in futures and not futures[key].done()

    def _turn(self, environment: Environment, turn: Turn) -> None:
        try:
            self.passes.run(environment)
            turn.look_at = time.monotonic() + LOOK_SECONDS
            turn.failures = 0
        except Exception as error:  # noqa: BLE001  (whatever it is, this environment is looked at again)
            turn.failures += 1
            pause = back_off(turn.failures)
            turn.look_at = time.monotonic() + pause  # the bucket is followed all the same
            _log.warning(
                "pass", action="failed", environment=str(environment.id), reason=str(error), again_in=pause,
                exc_info=not isinstance(error, psycopg.Error | sa.exc.SQLAlchemyError),
            )  # fmt: skip

    def _tidy(self) -> None:
        """Remove snapshots that nobody wants any more."""
        if time.monotonic() < self.tidy_at:
            return
        self.tidy_at = time.monotonic() + LOOK_SECONDS
        try:
            remove_unwanted(self.hands)
        except Exception as error:  # noqa: BLE001  (tried again in a moment)
            _log.warning("snapshots", action="kept", reason=first_line(error))

    def _follow(self, environment: Environment, turn: Turn) -> None:
        """Follow the bucket. Whatever goes wrong there must not keep the pass from repairing."""
        seconds = AFTER_PROBLEM_SECONDS
        try:
            seconds = self.sync.follow(environment)
        except Exception as error:  # noqa: BLE001  (a full disk, a database that restarts: told, and tried again)
            _log.warning("bundle", action="failed", environment=str(environment.id), reason=first_line(error))
        turn.follow_at = time.monotonic() + seconds
