"""Tags of an environment, by its ARN. At most 50; keys that start with `aws:` are AWS's own."""

from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.services import Services
from tradewind.domain.arns import environment_name
from tradewind.domain.environments import Environment
from tradewind.wire import WireError

_LIMIT = 50


def list_tags_for_resource(services: Services, call: Call) -> Answer:
    """All tags."""
    return Answer({"Tags": dict(_tagged(services, call).tags)})


def tag_resource(services: Services, call: Call) -> Answer:
    """Add or replace tags."""
    environment = _tagged(services, call)
    reserved = [key for key in call["Tags"] if key.lower().startswith("aws:")]
    if reserved:
        raise validation(f"The tag key {reserved[0]} is reserved: keys must not start with aws:.")
    if not services.environments.tag(environment.id, call["Tags"], (), _LIMIT):
        raise validation(f"An environment can have at most {_LIMIT} tags.")
    return Answer({})


def untag_resource(services: Services, call: Call) -> Answer:
    """Remove tags; a key that is not there is fine."""
    environment = _tagged(services, call)
    services.environments.tag(environment.id, {}, tuple(call.get("tagKeys") or ()), _LIMIT)
    return Answer({})


def _tagged(services: Services, call: Call) -> Environment:
    arn = call["ResourceArn"]
    name = environment_name(arn, services.place)
    environment = None if name is None else services.environments.find(name)
    if environment is None:
        raise WireError("ResourceNotFoundException", f"No resource found with ARN {arn}.")
    return environment
