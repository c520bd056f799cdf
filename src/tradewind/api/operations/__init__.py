"""The twelve operations, by name. One file a resource; each function takes the services and one call."""

from collections.abc import Callable, Mapping

from tradewind.api.calls import Answer, Call
from tradewind.api.operations import creation, environments, metrics, rest, tags, tokens, update
from tradewind.api.services import Services

Operation = Callable[[Services, Call], Answer]

OPERATIONS: Mapping[str, Operation] = {
    "CreateEnvironment": creation.create_environment,
    "GetEnvironment": environments.get_environment,
    "ListEnvironments": environments.list_environments,
    "UpdateEnvironment": update.update_environment,
    "DeleteEnvironment": environments.delete_environment,
    "ListTagsForResource": tags.list_tags_for_resource,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "CreateCliToken": tokens.create_cli_token,
    "CreateWebLoginToken": tokens.create_web_login_token,
    "InvokeRestApi": rest.invoke_rest_api,
    "PublishMetrics": metrics.publish_metrics,
}
