"""What authz knows of identity, as pages of the snapshot."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.identity.domain import (
    api_tokens,
    disabled_users,
    factor_facts,
    revocation,
    service_clients,
    sessions,
    signing_keys,
)
from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.signing_keys import KeyState
from services.identity.domain.users import User
from services.identity.store.api_tokens import SHARD_PAGES, ApiTokenRows
from services.identity.store.factors import FactorRows
from services.identity.store.revoked_tokens import RevokedTokenRows
from services.identity.store.service_clients import ServiceClientRows
from services.identity.store.sessions import SessionRows, end_key
from services.identity.store.signing_keys import SigningKeyRows
from services.identity.store.users import UserRows
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.clock import Clock
from shared.contracts.policy_objects import PolicyObject
from shared.journal.snapshot import invalid_cursor
from shared.mongo import DbSession

PAGE_SIZE = 500
_PLACES = tuple(
    f"{kind}:{part}" for kind in ("users", "factors", "tokens") for part in range(len(SHARD_PAGES))
)
"""What is told by shards, after the rest, in this order."""
_Row = User | SecondFactors | ApiToken


class _ShardReader(Protocol):
    async def __call__(
        self, shards: Sequence[int], /, *, after: str, limit: int, session: DbSession
    ) -> Sequence[_Row]: ...


class SignInSnapshot:
    """Clients, revoked tokens and keys, then ended sessions, and what shards have."""

    def __init__(
        self,
        *,
        clients: ServiceClientRows,
        revoked: RevokedTokenRows,
        keys: SigningKeyRows,
        sessions: SessionRows,
        users: UserRows,
        factors: FactorRows,
        tokens: ApiTokenRows,
        clock: Clock,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """`page_size` is the number of rows on one page, clients and keys apart."""
        self._clients = clients
        self._revoked = revoked
        self._keys = keys
        self._sessions = sessions
        self._users = users
        self._factors = factors
        self._tokens = tokens
        self._clock = clock
        self._page_size = page_size

    async def read(
        self,
        place: str,
        session: DbSession,
        *,
        shards: frozenset[int] | None = None,
    ) -> tuple[list[PolicyObject], str | None]:
        """The objects of one page, and the place of the next one.

        Raises:
            Invalid: there is no such place.
        """
        if place.startswith(("users:", "factors:", "tokens:")):
            return await self._by_shards(place, session, room=self._page_size)
        first = [] if place else await self._first_page(session)
        ended = await self._sessions.ended_sessions(
            since=self._clock.now() - SESSION_END_RETENTION,
            after=place,
            limit=self._page_size,
            session=session,
        )
        items = [
            *first,
            *map(sessions.policy_object, ended),
        ]
        room = self._page_size - len(ended)
        if room == 0:
            return items, end_key(ended[-1])
        parted, following = await self._by_shards(f"{_PLACES[0]}:", session, room=room)
        return items + parted, following

    async def _first_page(self, session: DbSession) -> list[PolicyObject]:
        clients = await self._clients.clients(session)
        revoked = await self._revoked.revoked_tokens(now=self._clock.now(), session=session)
        return [
            *(service_clients.policy_object(client) for client in clients if client.active),
            *map(revocation.policy_object, revoked),
            *(
                signing_keys.policy_object(key)
                for key in await self._keys.signing_keys(session)
                if key.state is KeyState.REVOKED
            ),
        ]

    async def _by_shards(
        self, place: str, session: DbSession, *, room: int
    ) -> tuple[list[PolicyObject], str | None]:
        """What the shards have from a place on, `room` rows at most, and the next place."""
        name, _, after = place.rpartition(":")
        if name not in _PLACES:
            raise invalid_cursor()
        at, read, now = _PLACES.index(name), list[_Row](), self._clock.now()
        while at < len(_PLACES) and len(read) < room:
            left = room - len(read)
            rows = await self._rows(_PLACES[at], after=after, limit=left, session=session)
            read += rows
            at, after = (at, _id(rows[-1])) if len(rows) == left else (at + 1, "")
        items = [told for row in read if (told := _told(row, now)) is not None]
        return items, f"{_PLACES[at]}:{after}" if at < len(_PLACES) else None

    async def _rows(
        self, place: str, *, after: str, limit: int, session: DbSession
    ) -> Sequence[_Row]:
        kind, _, part = place.partition(":")
        readers: Mapping[str, _ShardReader] = {
            "users": self._users.disabled_users,
            "factors": self._factors.factors_of_shards,
            "tokens": self._tokens.tokens_of_shards,
        }
        return await readers[kind](
            SHARD_PAGES[int(part)], after=after, limit=limit, session=session
        )


def _id(row: _Row) -> str:
    return row.user_id if isinstance(row, SecondFactors) else row.id


def _told(row: _Row, now: datetime) -> PolicyObject | None:
    if isinstance(row, User):
        return disabled_users.policy_object(row)
    if isinstance(row, SecondFactors):
        return factor_facts.policy_object(row) if row.exist else None
    return api_tokens.policy_object(row) if row.live(now) else None
