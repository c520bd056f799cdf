"""What may be used no more: assertions that opened a session, and tokens whose person logged out.

Airflow has a table of revoked tokens from 3.2 on, and empties it of what has expired. Before that it has none: logging
out takes the cookie away and the token stays good until it expires, as in stock. Assertions are good once everywhere:
there their marks lie among FAB's Flask sessions, of which nothing of ours is one (`tradewind:` is before each), and
each mark takes those away that have expired.
"""

import datetime as dt

from sqlalchemy import column, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

try:
    from airflow.models.revoked_token import RevokedToken
except ImportError:  # Airflow before 3.2
    RevokedToken = None  # type: ignore[assignment,misc]

_SESSIONS = table("session", column("session_id"), column("data"), column("expiry"))
_PREFIX = "tradewind:"


def spend(key: str, expires_at: dt.datetime, session: Session) -> bool:
    """Mark the key as used until then, and commit. False when it was used before."""
    try:
        if RevokedToken is not None:
            session.add(RevokedToken(jti=key, exp=expires_at))
        else:
            _mark_among_sessions(key, expires_at.replace(tzinfo=None), session)  # Flask's column has no zone
        session.commit()
    except IntegrityError:
        session.rollback()
        return False
    return True


def is_revoked(key: str) -> bool:
    """Whether the person who held the token with this key has logged out."""
    return RevokedToken is not None and bool(RevokedToken.is_revoked(key))


def _mark_among_sessions(key: str, expires_at: dt.datetime, session: Session) -> None:
    now = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)
    has_expired = _SESSIONS.c.session_id.startswith(_PREFIX) & (_SESSIONS.c.expiry < now)
    session.execute(_SESSIONS.delete().where(has_expired))
    session.execute(_SESSIONS.insert().values(session_id=f"{_PREFIX}{key}", data=b"", expiry=expires_at))
