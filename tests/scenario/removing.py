"""Environments of a test's own that go without a trace."""

import pwd

import psycopg
import pytest

from tests.conftest import Service
from tests.scenario.insight import environment_id, left_of, superuser


def remove(service: Service, name: str) -> None:
    """Delete an environment; nothing of it is left."""
    id_ = environment_id(service, name)
    service.client().delete_environment(Name=name)
    service.wait_gone(name)
    nothing_left(service, id_)


def nothing_left(service: Service, id_: str) -> None:
    """No file, process, database, role, route or unix user of an environment that was deleted."""
    assert not (service.data / "environments" / id_).exists()
    assert left_of(service.data / "environments" / id_) == []
    with psycopg.connect(superuser(service, "postgres")) as connection:
        query = (
            "SELECT datname FROM pg_database WHERE datname LIKE %(x)s "
            "UNION SELECT rolname FROM pg_roles WHERE rolname LIKE %(x)s"
        )
        assert connection.execute(query, {"x": f"%{id_}%"}).fetchall() == []
    assert id_ not in (service.data / "ca" / "caddy.json").read_text()
    with pytest.raises(KeyError):
        pwd.getpwnam(f"tw-{id_}")
