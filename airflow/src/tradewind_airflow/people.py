"""Airflow's users as our assertions make them: rows of FAB's tables, without a password.

At each sign-in the *default* roles of a user become exactly those that the assertion names; custom roles, which an
admin gave in Airflow, stay. That is MWAA's rule, and the documented way to DAG-level access (let IAM grant Public,
give a custom role in the UI). One that an admin deleted or renamed, which Airflow's pages and commands allow, is left
out.
"""

import datetime as dt
import hashlib

from airflow.providers.fab.auth_manager.models import Role, User
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tradewind_airflow.assertions import Assertion, AssertionRefused, given_roles
from tradewind_airflow.compat import spent

_ATTEMPTS = 3


def use_once(assertion: Assertion, session: Session) -> None:
    """Spend the assertion: a second use is refused, in every worker of the API server."""
    moment = dt.datetime.fromtimestamp(assertion.expires_at, tz=dt.UTC)
    if not spent.spend(assertion.key, moment, session):
        raise AssertionRefused("cannot sign in: the assertion was used before")


def enter(assertion: Assertion, session: Session) -> User:
    """Find or create the user, set the roles, and return the user. Two first sign-ins at once are fine."""
    for attempt in range(_ATTEMPTS):
        user = _found(assertion.user, session) or _new(assertion.user)
        user.first_name, user.last_name = assertion.name, ""
        user.roles = _roles(user, assertion, session)
        user.last_login = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)  # FAB's column has no zone
        user.login_count = (user.login_count or 0) + 1
        session.add(user)
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        return user
    raise AssertionError("unreachable")


def _found(name: str, session: Session) -> User | None:
    user = session.scalars(select(User).where(func.lower(User.username) == name.lower())).unique().one_or_none()
    if user is None:
        return None
    if user.username != name:
        raise AssertionRefused(
            f"cannot sign in: {user.username!r} is another user, and names may not differ in case only"
        )
    if not user.is_active:
        raise AssertionRefused(f"cannot sign in: the user {name!r} was deactivated in Airflow")
    return user


def _new(name: str) -> User:
    user = User()
    user.username = name
    user.password = None  # no password is right for it
    user.email = f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@users.tradewind.invalid"
    user.active = True
    return user


def _roles(user: User, assertion: Assertion, session: Session) -> list[Role]:
    present = {role.name: role for role in session.scalars(select(Role).where(Role.name.in_(assertion.roles))).unique()}
    held = {role.name: role for role in user.roles}
    return [{**held, **present}[name] for name in given_roles(assertion.roles, present, held)]
