"""Between passes: follow the bucket of every ready environment, and remove versions that nothing names.

A look at an unchanged bucket costs its listing. A bucket that cannot be read changes nothing: the DAGs in force
stay, the problem is logged once until it changes.
"""

import time
from dataclasses import dataclass, field

import structlog

from tradewind.domain.environments import Environment
from tradewind.domain.errors import TradewindError
from tradewind.reconcile.hands import Hands

PRUNE_SECONDS = 300.0
AFTER_PROBLEM_SECONDS = 5.0
_log = structlog.get_logger(__name__)

# Versions that are still needed: by runs that have not ended and the tasks of such runs, by what new runs would
# start on, and by what the DAG processor read last (docs/inside-an-environment.md; a test runs it on Airflow).
VERSIONS_IN_USE = """
    SELECT bundle_version FROM dag_run WHERE state IN ('queued', 'running') AND bundle_version IS NOT NULL
    UNION SELECT v.bundle_version FROM task_instance t JOIN dag_version v ON v.id = t.dag_version_id
          JOIN dag_run r ON r.dag_id = t.dag_id AND r.run_id = t.run_id
          WHERE r.state IN ('queued', 'running') AND v.bundle_version IS NOT NULL
    UNION SELECT bundle_version FROM dag WHERE NOT is_stale AND bundle_version IS NOT NULL
    UNION SELECT version FROM dag_bundle WHERE active AND version IS NOT NULL
"""


@dataclass
class Sync:
    """Follows buckets. Remembers what it reported, so that a problem is told once."""

    hands: Hands
    told: dict[str, str] = field(default_factory=dict)
    pruned: dict[str, float] = field(default_factory=dict)

    def follow(self, environment: Environment) -> float:
        """One look at the bucket. Answers in how many seconds the next one is due."""
        key = str(environment.id)
        try:
            bucket = self.hands.source_bucket(environment)
            snapshot = self.hands.snapshots_of(environment).take(bucket, environment.spec.dag_s3_path)
        except TradewindError as error:
            self._tell(key, error.sentence)
            return AFTER_PROBLEM_SECONDS
        self._tell(key, "; ".join(snapshot.problems))
        if snapshot.version != environment.bundle_version:
            _log.info("bundle", action="changed", environment=key, version=snapshot.version, files=len(snapshot.files))
            self.hands.environments.observe(environment.id, bundle_version=snapshot.version)
        self._prune(environment)
        return bucket.poll_seconds

    def _prune(self, environment: Environment) -> None:
        key = str(environment.id)
        if time.monotonic() - self.pruned.get(key, 0.0) < PRUNE_SECONDS:
            return
        self.pruned[key] = time.monotonic()
        self.hands.runtime.trim_logs(key)
        used = self.hands.databases.strings(environment.database, self.hands.owner(environment), VERSIONS_IN_USE)
        removed = self.hands.snapshots_of(environment).prune(used)
        if removed:
            _log.info("bundle", action="pruned", environment=key, versions=len(removed))

    def _tell(self, key: str, problem: str) -> None:
        if problem and self.told.get(key) != problem:
            _log.warning("bundle", action="problem", environment=key, problem=problem)
        self.told[key] = problem
