"""PostgreSQL: the service's own tables, their queries and migrations, leases, and the server itself.

`Store` is what the rooms above use. Queries are short transactions; nothing here calls a network
service or starts a process inside one. A change that the reconciler should look at sends a notification
without data: it means "look", never "this changed".
"""

from tradewind.store.accounts import Account, Accounts
from tradewind.store.environments import AddressTaken, EnvironmentExists, Environments
from tradewind.store.identities import Credential, Identities
from tradewind.store.leases import Lease, Leases
from tradewind.store.sessions import Sessions
from tradewind.store.tokens import UsedTokens

__all__ = [
    "Account",
    "Accounts",
    "AddressTaken",
    "Credential",
    "EnvironmentExists",
    "Environments",
    "Identities",
    "Lease",
    "Leases",
    "Sessions",
    "UsedTokens",
]
