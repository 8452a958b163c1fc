"""Access tokens that are refused before their end: revoked ones, and those of a revoked key."""

from datetime import datetime

from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.auth.principals import AccessTokenRef
from shared.contracts.policy_objects import AccessTokenObject


class RefusedTokens:
    """The ids of revoked access tokens while these may be valid, and of every revoked key."""

    def __init__(self) -> None:
        self._ends: dict[str, datetime] = {}
        self._keys: set[str] = set()

    def clear(self) -> None:
        """Forget everything."""
        self._ends.clear()
        self._keys.clear()

    def put_token(self, token_id: str, state: AccessTokenObject | None) -> None:
        """Refuse a token; it never becomes valid again. Those whose time is over are forgotten."""
        if state is None:
            return
        self._ends[token_id] = state.expires_at
        for earlier in list(self._ends):
            if self._ends[earlier] >= state.expires_at - SESSION_END_RETENTION:
                break
            del self._ends[earlier]

    def put_key(self, key_id: str) -> None:
        """Refuse every token that this key has signed."""
        self._keys.add(key_id)

    def keys_beside(self, known: set[str]) -> set[str]:
        """The ids of the revoked signing keys, but for these."""
        return self._keys - known

    def has(self, token: AccessTokenRef) -> bool:
        """Return whether the token is refused."""
        return token.id in self._ends or token.key_id in self._keys
