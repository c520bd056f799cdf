"""The engine of the control plane's own tables."""

import pytest
import sqlalchemy as sa

from tradewind.domain.errors import CannotStart
from tradewind.store.server import Server


def test_an_error_shows_no_values_of_its_statement():
    """Errors are logged whole, and values hold AirflowConfigurationOptions, which AWS's model marks as sensitive."""
    engine = Server("127.0.0.1", 5432, "postgres", "word").engine()
    assert engine.hide_parameters
    with (
        sa.create_engine("sqlite://", hide_parameters=engine.hide_parameters).connect() as connection,
        pytest.raises(sa.exc.SQLAlchemyError) as raised,
    ):
        connection.execute(sa.text("SELECT * FROM nowhere WHERE value = :value"), {"value": "a-secret"})
    assert "a-secret" not in str(raised.value)
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense:HUSH", "postgresql://me@host:HUSH/", "postgresql://me:HUSH@[::1"])
def test_a_url_that_makes_no_sense_is_told_and_not_repeated(url):
    with pytest.raises(CannotStart, match="cannot use the database URL: it must read") as raised:
        Server.from_url(url)
    assert "HUSH" not in str(raised.value)
    assert raised.value.__suppress_context__
