"""What is wrong with a policy document, in AWS's own sentences.

They are the messages of `MalformedPolicyDocument` as IAM gives them. IAM does not document them; they are those
that its users report.
"""

from typing import Final

SYNTAX: Final = "Syntax errors in policy."
VERSION: Final = "The policy must contain a valid version string"
LEGACY: Final = "The policy failed legacy parsing"
NO_ACTIONS: Final = "Policy statement must contain actions."
NO_RESOURCES: Final = "Policy statement must contain resources."
SID_FORM: Final = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
SID_TWICE: Final = "Statement IDs (SID) in a single policy must be unique."
NO_VENDOR: Final = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
TWO_COLONS: Final = "Actions/Condition can contain only one colon."
HAS_PRINCIPAL: Final = "Policy document should not specify a principal."
HAS_RESOURCE: Final = "Has prohibited field Resource"
NO_PRINCIPAL: Final = "Missing required field Principal"
TRUST_ACTIONS: Final = "AssumeRole policy may only specify STS AssumeRole actions."


class MalformedDocument(ValueError):
    """A policy document that is refused; its text is the sentence for the caller."""
