"""The API tokens of all accounts in memory, each in less than 300 bytes."""

import hmac
import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from rolecall import Restriction, milliseconds
from shared.auth.api_tokens import restriction_of, token_id_of
from shared.auth.principals import ApiTokenPrincipal
from shared.contracts.policy_objects import ApiTokenObject
from shared.ids import AccountId, TokenId, UserId

_PACKED = struct.Struct(">16s16s16s16sqq")
_FIRST_PURGE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Token(NamedTuple):
    """What is packed: the second half of the hash, three ids, the end and the revision."""

    rest: bytes
    user: bytes
    account: bytes
    membership: bytes
    expires_at: int
    rev: int


class ApiTokens:
    """The newest state of each API token; an older revision never replaces a newer one."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._tokens: dict[int, bytes] = {}
        self._restrictions: dict[int, Restriction] = {}
        self._now = 0
        self._purge_at = _FIRST_PURGE

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self._tokens)

    def clear(self) -> None:
        """Forget every token."""
        self._begin()

    def put(self, token_id: str, rev: int, state: ApiTokenObject | None) -> None:
        """Take the state of a token unless a newer one is known; `None` removes the token."""
        key = _number(token_id)
        known = self._tokens.get(key)
        if known is not None and rev <= _token(known).rev:
            return
        self._restrictions.pop(key, None)
        if state is None:
            self._tokens.pop(key, None)
            return
        self._tokens[key] = _PACKED.pack(
            bytes.fromhex(state.secret_hash[32:]),
            _bytes(state.user_id),
            _bytes(state.account_id),
            _bytes(state.membership_id),
            milliseconds(state.expires_at),
            rev,
        )
        restriction = restriction_of(state.projects, state.grants, read_only=state.read_only)
        if restriction is not None:
            self._restrictions[key] = restriction
        self._now = max(self._now, milliseconds(state.created_at))
        if len(self._tokens) >= self._purge_at:
            self._purge()

    def get(self, token_id: str, *, now: datetime) -> ApiTokenPrincipal | None:
        """The token of this id; `None` if there is none or it has expired."""
        try:
            key = _number(token_id)
        except ValueError:
            return None
        packed = self._tokens.get(key)
        if packed is None:
            return None
        token = _token(packed)
        if token.expires_at <= milliseconds(now):
            return None
        return ApiTokenPrincipal(
            token_id=TokenId(f"tok_{key:032x}"),
            user_id=UserId(f"usr_{token.user.hex()}"),
            account_id=AccountId(f"acc_{token.account.hex()}"),
            membership_id=f"mem_{token.membership.hex()}",
            expires_at=_EPOCH + timedelta(milliseconds=token.expires_at),
            restriction=self._restrictions.get(key),
        )

    def find(self, digest: str, *, now: datetime) -> ApiTokenPrincipal | None:
        """The token with this SHA-256; `None` if there is none or it has expired."""
        token_id = token_id_of(digest)
        packed = self._tokens.get(_number(token_id))
        if packed is None or not hmac.compare_digest(
            _token(packed).rest, bytes.fromhex(digest[32:])
        ):
            return None
        return self.get(token_id, now=now)

    def _purge(self) -> None:
        """Drop what expired before the newest token was made: rarely, for it looks at all."""
        ended = [key for key, one in self._tokens.items() if _token(one).expires_at <= self._now]
        for key in ended:
            del self._tokens[key]
            self._restrictions.pop(key, None)
        self._purge_at = max(_FIRST_PURGE, 2 * len(self._tokens))


def _token(packed: bytes) -> _Token:
    return _Token(*_PACKED.unpack(packed))


def _number(token_id: str) -> int:
    return int(token_id[4:], 16)


def _bytes(identity: str) -> bytes:
    return bytes.fromhex(identity[4:])
