"""The operations, by name: MWAA's twelve, and ours. One file a resource; each takes the services and one call."""

from collections.abc import Callable, Mapping

from tradewind.api.calls import Answer, Call
from tradewind.api.operations import creation, environments, keys, metrics, rest, snapshots, tags, tokens, update
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
OWN_OPERATIONS: Mapping[str, Operation] = {
    "CreateSnapshot": snapshots.create_snapshot,
    "ListSnapshots": snapshots.list_snapshots,
    "GetSnapshot": snapshots.get_snapshot,
    "RestoreSnapshot": snapshots.restore_snapshot,
    "DeleteSnapshot": snapshots.delete_snapshot,
    "ForkEnvironment": snapshots.fork_environment,
    "ListKeys": keys.list_keys,
    "RotateMasterKey": keys.rotate_master_key,
    "RotateFernetKey": keys.rotate_fernet_key,
}
