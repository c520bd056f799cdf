"""Who is calling and whether they may: AWS's policy language and its evaluation. Pure.

A document is parsed once and asked many times; a decision says why, in AWS's words, and is usable as a bool.
What is in force for a caller (`Holding`) is looked up elsewhere.
"""

from tradewind.iam.contexts import Context, Request
from tradewind.iam.decisions import Allowed, Decision, Denied
from tradewind.iam.documents import Document, DocumentKind, parse_document, parse_once
from tradewind.iam.errors import MalformedDocument
from tradewind.iam.evaluation import authorise
from tradewind.iam.policies import Holding, Policy
from tradewind.iam.principals import Kind, Principal, root_principal, service_principal
from tradewind.iam.trust import may_assume

__all__ = [
    "Allowed",
    "Context",
    "Decision",
    "Denied",
    "Document",
    "DocumentKind",
    "Holding",
    "Kind",
    "MalformedDocument",
    "Policy",
    "Principal",
    "Request",
    "authorise",
    "may_assume",
    "parse_document",
    "parse_once",
    "root_principal",
    "service_principal",
]
