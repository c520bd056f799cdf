"""Why nobody was signed in through the provider.

The sentence is for the person's eyes. `detail` is for the log: it may hold what the provider said, never a code, a
token or a secret.
"""

from tradewind.domain.errors import TradewindError


class OpenIdRefused(TradewindError):
    """What came back is no proof of who somebody is, or of no use here."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        """`detail` says more than the person should read."""
        super().__init__(sentence, code="OPENID_REFUSED")
        self.detail = detail


class ProviderUnavailable(TradewindError):
    """The provider does not answer, or not as OpenID Connect has it."""

    def __init__(self, detail: str) -> None:
        """One sentence for everybody: they can only wait, and its operator reads the log."""
        super().__init__("The sign-in provider does not answer as it should. Try again later.", code="OPENID_DOWN")
        self.detail = detail
