"""The account as a whole: its alias, its numbers, and everything in it at once."""

from typing import Any

from tradewind.api.calls import Answer, Call
from tradewind.api.operations.iam.documents import shown
from tradewind.api.operations.iam.paging import page
from tradewind.api.operations.iam.serving import IamServices
from tradewind.api.operations.iam.views import (
    attached_view,
    group_view,
    policy_view,
    role_view,
    user_view,
    version_view,
)
from tradewind.iam import quotas
from tradewind.iam.entities import Entity, EntityKind, ManagedPolicy

_LOCAL, _AWS = "LocalManagedPolicy", "AWSManagedPolicy"
_LISTS = {
    EntityKind.USER: "UserDetailList",
    EntityKind.GROUP: "GroupDetailList",
    EntityKind.ROLE: "RoleDetailList",
}


def list_account_aliases(services: IamServices, call: Call) -> Answer:
    """At most one."""
    found, more = page(call, services.identities.aliases.all(), str)
    return Answer({"AccountAliases": found, **more})


def create_account_alias(services: IamServices, call: Call) -> Answer:
    """A name for the account. It stands in no host name here."""
    services.identities.aliases.create(call["AccountAlias"])
    return Answer({})


def delete_account_alias(services: IamServices, call: Call) -> Answer:
    """The account has none then."""
    services.identities.aliases.delete(call["AccountAlias"])
    return Answer({})


def get_account_summary(services: IamServices, _call: Call) -> Answer:
    """How many there are, and how many there may be. What this service does not have is none."""
    counts = services.identities.counts()
    policies = [policy for policy in services.identities.policies.all() if policy.is_ours]
    numbers = {f"{kind.noun}s": counts[kind] for kind in EntityKind}
    limits = {f"{kind.noun}sQuota": quotas.PER_ACCOUNT[kind] for kind in EntityKind}
    sizes = {f"{kind.noun}PolicySizeQuota": quotas.INLINE_SIZE[kind] for kind in EntityKind}
    attached = {f"AttachedPoliciesPer{kind.noun}Quota": quotas.ATTACHED_PER_ENTITY for kind in EntityKind}
    nothing = dict.fromkeys(
        (
            "AccountMFAEnabled",
            "AccountSigningCertificatesPresent",
            "InstanceProfiles",
            "MFADevices",
            "MFADevicesInUse",
            "Providers",
            "ServerCertificates",
        ),
        0,
    )
    rest = {
        "AccessKeysPerUserQuota": quotas.KEYS_PER_USER,
        "AccountAccessKeysPresent": 1,
        "AssumeRolePolicySizeQuota": quotas.TRUST_SIZE,
        "GroupsPerUserQuota": quotas.GROUPS_PER_USER,
        "Policies": len(policies),
        "PoliciesQuota": quotas.POLICIES_PER_ACCOUNT,
        "PolicySizeQuota": quotas.MANAGED_SIZE,
        "PolicyVersionsInUse": services.identities.policies.versions_in_use(),
        "VersionsPerPolicyQuota": quotas.VERSIONS_PER_POLICY,
    }
    return Answer({"SummaryMap": numbers | limits | sizes | attached | nothing | rest})


def get_account_authorization_details(services: IamServices, call: Call) -> Answer:
    """Users, groups, roles and managed policies with all that they hold, in pages over all of them."""
    filters = set(call.get("Filter") or (*(kind.noun for kind in EntityKind), _LOCAL, _AWS))
    things: list[Entity | ManagedPolicy] = []
    for kind in EntityKind:
        if kind.noun in filters:
            things += services.identities.entities.all(kind)
    things += [each for each in services.identities.policies.all() if (_LOCAL if each.is_ours else _AWS) in filters]
    found, more = page(call, things, _place)
    inline, attached = services.identities.grants.everything()
    answer: dict[str, Any] = {name: [] for name in (*_LISTS.values(), "Policies")}
    for thing in found:
        match thing:
            case Entity():
                holding = _holding(thing, inline.get(thing.id, {}), attached.get(thing.id, []))
                answer[_LISTS[thing.kind]].append(_detail(services, thing) | holding)
            case ManagedPolicy():
                answer["Policies"].append(_policy_detail(services, thing))
    return Answer({**answer, **more})


def _place(thing: Entity | ManagedPolicy) -> str:
    match thing:
        case Entity():
            return f"{thing.kind.value}/{thing.name.lower()}"
        case ManagedPolicy():
            return f"{_LOCAL if thing.is_ours else _AWS}/{thing.name.lower()}"


def _detail(services: IamServices, entity: Entity) -> dict[str, Any]:
    match entity.kind:
        case EntityKind.USER:
            groups = [group.name for group in services.identities.entities.groups_of(entity.name)]
            return user_view(entity) | {"GroupList": groups}
        case EntityKind.GROUP:
            return group_view(entity)
        case EntityKind.ROLE:
            (entity,) = services.identities.entities.shown([entity])
            unlisted = {"MaxSessionDuration", "Description"}
            view = {name: value for name, value in role_view(entity).items() if name not in unlisted}
            return view | {"InstanceProfileList": []}


def _holding(entity: Entity, inline: dict[str, str], attached: list[str]) -> dict[str, Any]:
    documents = [{"PolicyName": name, "PolicyDocument": shown(text)} for name, text in inline.items()]
    return {
        f"{entity.kind.noun}PolicyList": documents,
        "AttachedManagedPolicies": [attached_view(arn) for arn in attached],
    }


def _policy_detail(services: IamServices, policy: ManagedPolicy) -> dict[str, Any]:
    versions = services.identities.policies.versions(policy.arn)
    view = {name: value for name, value in policy_view(policy).items() if name != "Tags"}
    return view | {"PolicyVersionList": [version_view(version) for version in versions]}
