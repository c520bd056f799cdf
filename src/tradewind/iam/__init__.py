"""Who is calling and whether they may: pure.

For now there is one principal, the account's root, who may do everything. The shape is the one that
policies need: a decision says why, and is usable as a bool. IAM proper grows here.
"""

from tradewind.iam.decisions import Allowed, Decision, Denied
from tradewind.iam.evaluation import authorise
from tradewind.iam.principals import Principal, root_principal

__all__ = ["Allowed", "Decision", "Denied", "Principal", "authorise", "root_principal"]
