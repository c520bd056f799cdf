"""What those who let people in work with, in memory: a clock that stands, and tokens that are good once."""


class Clock:
    """Seconds, which a test moves."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


class TokensInMemory:
    """Satisfies UsedTokens. `claimed`: when each token that was used would have ended."""

    def __init__(self):
        self.claimed = {}

    def claim(self, jti, expires):
        assert expires.tzinfo is not None
        if jti in self.claimed:
            return False
        self.claimed[jti] = expires
        return True
