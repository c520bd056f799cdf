"""PublishMetrics: AWS calls it internal and deprecated, and ignores what is sent. So do we, after checking it."""

from tradewind.api.calls import Answer, Call
from tradewind.api.failures import validation
from tradewind.api.services import Services


def publish_metrics(services: Services, call: Call) -> Answer:
    """Accept for an environment that exists; the model has no ResourceNotFoundException here."""
    if services.environments.find(call["EnvironmentName"]) is None:
        raise validation(f"No environment found with name {call['EnvironmentName']}.")
    return Answer({})
