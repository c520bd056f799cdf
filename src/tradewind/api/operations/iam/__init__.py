"""IAM's operations by name. One file a subject; docs/iam-api.md lists all of them and what is left out.

Those that are the same for users, groups and roles are made once for each kind. Every refusal of the store or of the
rules becomes AWS's error in one place (`serving.answering`).
"""

from collections.abc import Mapping

from tradewind.api.operations.iam import absent, accounts, groups, keys, policies, roles, tags, users
from tradewind.api.operations.iam.attachments import attachment_operations, boundary_operations
from tradewind.api.operations.iam.inline import inline_operations
from tradewind.api.operations.iam.serving import IamOperation, IamServices, answering
from tradewind.api.operations.iam.simulation import SIMULATION_OPERATIONS
from tradewind.api.operations.iam.tags import entity_tags
from tradewind.iam.entities import EntityKind

__all__ = ["IAM_OPERATIONS", "IamOperation", "IamServices"]

_OPERATIONS: Mapping[str, IamOperation] = {
    "CreateUser": users.create_user,
    "GetUser": users.get_user,
    "UpdateUser": users.update_user,
    "DeleteUser": users.delete_user,
    "ListUsers": users.list_users,
    "CreateGroup": groups.create_group,
    "GetGroup": groups.get_group,
    "UpdateGroup": groups.update_group,
    "DeleteGroup": groups.delete_group,
    "ListGroups": groups.list_groups,
    "ListGroupsForUser": groups.list_groups_for_user,
    "AddUserToGroup": groups.add_user_to_group,
    "RemoveUserFromGroup": groups.remove_user_from_group,
    "CreateRole": roles.create_role,
    "GetRole": roles.get_role,
    "UpdateRole": roles.update_role,
    "UpdateRoleDescription": roles.update_role_description,
    "UpdateAssumeRolePolicy": roles.update_assume_role_policy,
    "DeleteRole": roles.delete_role,
    "ListRoles": roles.list_roles,
    "CreatePolicy": policies.create_policy,
    "GetPolicy": policies.get_policy,
    "DeletePolicy": policies.delete_policy,
    "ListPolicies": policies.list_policies,
    "CreatePolicyVersion": policies.create_policy_version,
    "GetPolicyVersion": policies.get_policy_version,
    "ListPolicyVersions": policies.list_policy_versions,
    "DeletePolicyVersion": policies.delete_policy_version,
    "SetDefaultPolicyVersion": policies.set_default_policy_version,
    "ListEntitiesForPolicy": policies.list_entities_for_policy,
    "TagPolicy": tags.tag_policy,
    "UntagPolicy": tags.untag_policy,
    "ListPolicyTags": tags.list_policy_tags,
    **entity_tags(EntityKind.USER),
    **entity_tags(EntityKind.ROLE),
    **{name: made for kind in EntityKind for name, made in inline_operations(kind).items()},
    **{name: made for kind in EntityKind for name, made in attachment_operations(kind).items()},
    **boundary_operations(EntityKind.USER),
    **boundary_operations(EntityKind.ROLE),
    "CreateAccessKey": keys.create_access_key,
    "ListAccessKeys": keys.list_access_keys,
    "UpdateAccessKey": keys.update_access_key,
    "DeleteAccessKey": keys.delete_access_key,
    "GetAccessKeyLastUsed": keys.get_access_key_last_used,
    "ListAccountAliases": accounts.list_account_aliases,
    "CreateAccountAlias": accounts.create_account_alias,
    "DeleteAccountAlias": accounts.delete_account_alias,
    "GetAccountSummary": accounts.get_account_summary,
    "GetAccountAuthorizationDetails": accounts.get_account_authorization_details,
    "GetAccountPasswordPolicy": absent.get_account_password_policy,
    "GetLoginProfile": absent.get_login_profile,
    "ListInstanceProfiles": absent.none_of_account("InstanceProfiles"),
    "ListInstanceProfilesForRole": absent.list_instance_profiles_for_role,
    "ListMFADevices": absent.none_of_user("MFADevices"),
    "ListOpenIDConnectProviders": absent.none_of_account("OpenIDConnectProviderList", is_paged=False),
    "ListSAMLProviders": absent.none_of_account("SAMLProviderList", is_paged=False),
    "ListSSHPublicKeys": absent.none_of_user("SSHPublicKeys"),
    "ListServerCertificates": absent.none_of_account("ServerCertificateMetadataList"),
    "ListServiceSpecificCredentials": absent.list_service_specific_credentials,
    "ListSigningCertificates": absent.none_of_user("Certificates"),
    "ListVirtualMFADevices": absent.none_of_account("VirtualMFADevices"),
    "CreateServiceLinkedRole": absent.create_service_linked_role,
    **SIMULATION_OPERATIONS,
}
IAM_OPERATIONS: Mapping[str, IamOperation] = {name: answering(made) for name, made in _OPERATIONS.items()}
