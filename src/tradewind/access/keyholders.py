"""Whose an access key is and what they may: the root's, users' and those of temporary credentials, in one place.

Everybody who identifies a caller by a key asks here: the API for signatures, the gateway for its sign-in form.
What cannot be an id (a presigned request may hold any text, NUL too) is not looked up: PostgreSQL would raise.
Sources: IAM User Guide, "Unique identifiers" (AKIA, ASIA); the model's `accessKeyIdType`.
"""

import re
from dataclasses import dataclass

from tradewind.domain.arns import Place
from tradewind.iam import Holding, root_principal
from tradewind.store import Account
from tradewind.store.identities import Credential, Identities
from tradewind.store.sessions import Sessions

_TEMPORARY = "ASIA"
_ID = re.compile(r"\w{1,128}", re.ASCII)


@dataclass(frozen=True)
class Keyholders:
    """All keys of the account."""

    account: Account
    place: Place
    identities: Identities
    sessions: Sessions

    def credential(self, access_key_id: str) -> Credential | None:
        """The key with everything that is in force for its holder now. None where nobody has it. Raises Unsealable."""
        account = self.account
        if access_key_id == account.access_key_id:
            root = root_principal(account.account_id, self.place.partition)
            return Credential(account.secret_access_key, None, root, Holding(), None, is_active=True)
        if not _ID.fullmatch(access_key_id):
            return None
        if access_key_id.startswith(_TEMPORARY):
            return self.sessions.credential(access_key_id)
        return self.identities.credential(access_key_id)
