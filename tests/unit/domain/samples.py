"""One environment that tests of many rooms begin from, complete and plausible; `dataclasses.replace` makes others."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from tradewind.domain.environments import Change, ChangeState, Environment, Phase, Ports, Secrets, Target
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.specs import Spec
from tradewind.store.sealing import MasterKey, Sealing

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ID = EnvironmentId("abcdefghjkmn")
SPEC = Spec(
    execution_role_arn="arn:aws:iam::111111111111:role/execution",
    source_bucket_arn="arn:aws:s3:::some-bucket",
    dag_s3_path="dags",
    subnet_ids=("subnet-a", "subnet-b"),
    security_group_ids=("sg-a",),
    airflow_version="3.3.1",
    environment_class="mw1.small",
    min_workers=1,
    max_workers=10,
    schedulers=2,
    min_webservers=2,
    max_webservers=2,
    webserver_access_mode="PRIVATE_ONLY",
    weekly_maintenance_window_start="SUN:03:30",
)
SECRETS = Secrets(
    fernet_key="fernet-secret",
    jwt_secret="jwt-secret",
    api_secret_key="api-secret",
    assertion_secret="assertion-secret-of-32-bytes-or-more",
    broker_password="broker-secret",
    database_password="database-secret",
)
SEALING = Sealing(MasterKey(b"m" * 32))


def environment(*, spec: Spec = SPEC, **changes: Any) -> Environment:
    """A READY environment named `sample`."""
    made = Environment(
        id=ID,
        name="sample",
        spec=spec,
        tags={},
        target=Target.PRESENT,
        generation=1,
        created_at=NOW,
        phase=Phase.READY,
        observed_generation=1,
        address=None,
        ports=Ports(api=18080, broker=16379, credentials=18081),
        secrets=SECRETS,
        change=Change("CREATE", ChangeState.SUCCESS, NOW),
    )
    return dataclasses.replace(made, **changes)
