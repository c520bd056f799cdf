"""Who did what, from where, and how it ended: the shape of the audit log, pure.

A record has the shape of CloudTrail's, so that what reads CloudTrail reads ours. Records are chained by
SHA-256, and the chain's head is sealed with a key: what was changed, taken out, put in or cut off shows
(`chain`). What an outsider can cause is limited (`withholding`). Nothing here knows where records are kept.
"""

from tradewind.audit.chain import Broken, Entry, Head, Intact, genesis, head_key, link, seal_head, verify
from tradewind.audit.commands import redact_command
from tradewind.audit.identities import Identity, IdentityType, caller, named, service, unknown
from tradewind.audit.queries import Query, select
from tradewind.audit.records import EventType, Record, document, moment_of, text_of
from tradewind.audit.withholding import Withheld, Withholding

__all__ = [
    "Broken",
    "Entry",
    "EventType",
    "Head",
    "Identity",
    "IdentityType",
    "Intact",
    "Query",
    "Record",
    "Withheld",
    "Withholding",
    "caller",
    "document",
    "genesis",
    "head_key",
    "link",
    "moment_of",
    "named",
    "redact_command",
    "seal_head",
    "select",
    "service",
    "text_of",
    "unknown",
    "verify",
]
