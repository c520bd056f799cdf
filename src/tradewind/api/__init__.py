"""The MWAA API: one readable chain per request (identify, authorise, decode, check, operate, encode).

`operations/` holds one file a resource. The API writes what is wanted and answers from the store; it
never makes anything itself.
"""

from tradewind.api.app import create_app
from tradewind.api.services import Services

__all__ = ["Services", "create_app"]
