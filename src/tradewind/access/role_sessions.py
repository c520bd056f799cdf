"""Sessions of roles that the service itself makes: credentials of an environment's execution role.

As on MWAA, the role has to trust one of MWAA's services; conditions of its trust policy see the environment's ARN
(`aws:SourceArn`), the account (`aws:SourceAccount`) and what is known of any request, as the time. Nobody's policies
are asked: who may name the role was asked with `iam:PassRole` when the environment was made.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tradewind.access.contexts import request_context
from tradewind.access.execution_roles import CannotIssue, TemporaryCredentials
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.iam import Context, DocumentKind, MalformedDocument, Request, may_assume, parse_document
from tradewind.iam.entities import Entity
from tradewind.iam.principals import service_principal
from tradewind.store.identities import Identities
from tradewind.store.sessions import HolderGone, Session, Sessions

TRUSTED: Final = ("airflow-env.amazonaws.com", "airflow.amazonaws.com")
SESSION_NAME: Final = "AmazonMWAA-airflow"
LIFETIME: Final = timedelta(hours=12)


@dataclass(frozen=True)
class ExecutionRoles:
    """Makes credentials of execution roles; `issue` is what the gateway takes as IssueCredentials."""

    identities: Identities
    sessions: Sessions
    place: Place

    def issue(self, environment: Environment, now: datetime) -> TemporaryCredentials:
        """Twelve hours of the environment's execution role. Raises CannotIssue."""
        arn = environment.spec.execution_role_arn
        name = arn.rsplit("/", 1)[-1]
        role = self.identities.role(name)
        missing = f"cannot give credentials: there is no role {arn}; make it with aws iam create-role"
        if role is None or role.arn != arn:
            raise CannotIssue(missing)
        self._check_trust(role, environment, now)
        try:
            issued = self.sessions.issue(Session(role.id, now, now + LIFETIME, SESSION_NAME))
        except HolderGone as error:
            raise CannotIssue(missing) from error
        self.identities.role_used(role.id, self.place.region, now)
        return TemporaryCredentials(issued.access_key_id, issued.secret, issued.token, issued.expires_at)

    def _check_trust(self, role: Entity, environment: Environment, now: datetime) -> None:
        general = request_context(
            now=now,
            account=self.place.account,
            region=self.place.region,
            address=None,
            is_secure=True,
            agent=None,
            referer=None,
        )
        own = Context.of(
            {
                "aws:SourceAccount": self.place.account,
                "aws:SourceArn": self.place.environment(environment.name),
                "sts:RoleSessionName": SESSION_NAME,
            }
        )
        request = Request("sts:AssumeRole", role.arn, own.over(general))
        try:
            trust = parse_document(role.trust, DocumentKind.TRUST)
        except MalformedDocument as problem:
            raise CannotIssue(f"cannot give credentials: the trust policy of {role.arn}: {problem}") from problem
        callers = [service_principal(name, self.place.account, self.place.partition) for name in TRUSTED]
        if not any(may_assume(trust, caller, request) for caller in callers):
            raise CannotIssue(
                f"cannot give credentials: the trust policy of {role.arn} does not let {' or '.join(TRUSTED)} assume it"
            )
