"""What authz knows of identity, as pages of the snapshot."""

from services.identity.domain import api_tokens, revocation, service_clients, sessions
from services.identity.domain.api_tokens import ApiToken
from services.identity.store.api_tokens import SHARD_PAGES, ApiTokenRows
from services.identity.store.revoked_tokens import RevokedTokenRows
from services.identity.store.service_clients import ServiceClientRows
from services.identity.store.sessions import SessionRows, end_key
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.clock import Clock
from shared.contracts.policy_objects import PolicyObject
from shared.journal.snapshot import invalid_cursor
from shared.mongo import DbSession

PAGE_SIZE = 500
TOKENS = "tokens:"
_PARTS = frozenset(map(str, range(len(SHARD_PAGES))))


class SignInSnapshot:
    """Service clients and revoked access tokens first, ended sessions, API tokens by shards."""

    def __init__(
        self,
        *,
        clients: ServiceClientRows,
        revoked: RevokedTokenRows,
        sessions: SessionRows,
        tokens: ApiTokenRows,
        clock: Clock,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """`page_size` is the number of ended sessions, or of API tokens, on one page."""
        self._clients = clients
        self._revoked = revoked
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock
        self._page_size = page_size

    async def read(self, place: str, session: DbSession) -> tuple[list[PolicyObject], str | None]:
        """The objects of one page, and the place of the next one.

        Raises:
            Invalid: there is no such place.
        """
        if place.startswith(TOKENS):
            rest = place.removeprefix(TOKENS)
            return await self._tokens_of(rest, session, room=self._page_size)
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
        tokens, following = await self._tokens_of("0:", session, room=room)
        return items + tokens, following

    async def _first_page(self, session: DbSession) -> list[PolicyObject]:
        clients = await self._clients.clients(session)
        revoked = await self._revoked.revoked_tokens(now=self._clock.now(), session=session)
        return [
            *map(service_clients.policy_object, clients),
            *map(revocation.policy_object, revoked),
        ]

    async def _tokens_of(
        self, place: str, session: DbSession, *, room: int
    ) -> tuple[list[PolicyObject], str | None]:
        """Live tokens from a place on, `room` at most, and the place of the next ones."""
        first, separator, after = place.partition(":")
        if not separator or first not in _PARTS:
            raise invalid_cursor()
        part, now = int(first), self._clock.now()
        found: list[ApiToken] = []
        while part < len(SHARD_PAGES) and len(found) < room:
            left = room - len(found)
            rows = await self._tokens.tokens_of_shards(
                SHARD_PAGES[part], after=after, limit=left, session=session
            )
            found += rows
            part, after = (part, rows[-1].id) if len(rows) == left else (part + 1, "")
        items = [api_tokens.policy_object(token) for token in found if token.live(now)]
        return items, f"{TOKENS}{part}:{after}" if part < len(SHARD_PAGES) else None
