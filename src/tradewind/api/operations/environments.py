"""GetEnvironment, ListEnvironments and DeleteEnvironment."""

import base64
import json
import re

from tradewind.api import views
from tradewind.api.calls import Answer, Call
from tradewind.api.failures import no_environment, validation
from tradewind.api.services import Services
from tradewind.domain.environments import Environment

_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z_-]{0,79}")
_PAGE = 25  # the model's maximum for MaxResults, and MWAA's page


def existing(services: Services, name: str) -> Environment:
    """The environment of that name. Raises ResourceNotFoundException."""
    environment = services.environments.find(name)
    if environment is None:
        raise no_environment(name)
    return environment


def get_environment(services: Services, call: Call) -> Answer:
    """The environment; the steps under way and done, and the latest dry run, travel in headers of ours."""
    environment = existing(services, call["Name"])
    done = services.environments.checkpoints(environment.id, environment.generation)
    progress = {"step": environment.progress, "done": [{"step": step, "seconds": round(s, 2)} for step, s in done]}
    headers = {"x-tradewind-progress": json.dumps(progress), "x-tradewind-environment-id": str(environment.id)}
    if environment.trial is not None:
        headers["tradewind-dry-run"] = json.dumps(views.trial(environment.trial))
    return Answer({"Environment": views.environment(environment, services.place, services.host(environment))}, headers)


def list_environments(services: Services, call: Call) -> Answer:
    """Names in byte order, a page at a time. The token names the last one shown, so pages stay right under change."""
    limit = call.get("MaxResults") or _PAGE
    names = services.environments.names(_after(call.get("NextToken")), limit + 1)
    answer: dict[str, object] = {"Environments": names[:limit]}
    if len(names) > limit:
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps({"after": names[limit - 1]}).encode()).decode()
    return Answer(answer)


def delete_environment(services: Services, call: Call) -> Answer:
    """Ask for deletion, in whatever status. Asking twice is fine (the model marks the operation idempotent)."""
    environment = existing(services, call["Name"])
    services.environments.want_absent(environment.id)
    return Answer({})


def _after(token: str | None) -> str | None:
    if not token:
        return None
    try:
        after = json.loads(base64.urlsafe_b64decode(token.encode()))["after"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise validation("The NextToken is not valid.") from error
    if not isinstance(after, str) or not _NAME.fullmatch(after):
        raise validation("The NextToken is not valid.")
    return after
