"""What authz knows of identity, as pages of the snapshot."""

from services.identity.domain import service_clients, sessions
from services.identity.store.service_clients import ServiceClientRows
from services.identity.store.sessions import SessionRows, end_key
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.clock import Clock
from shared.contracts.policy_objects import PolicyObject
from shared.mongo import DbSession

PAGE_SIZE = 500


class SignInSnapshot:
    """The service clients on the first page, then ended sessions in order of their end."""

    def __init__(
        self,
        *,
        clients: ServiceClientRows,
        sessions: SessionRows,
        clock: Clock,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """`page_size` is the number of ended sessions on one page."""
        self._clients = clients
        self._sessions = sessions
        self._clock = clock
        self._page_size = page_size

    async def read(self, place: str, session: DbSession) -> tuple[list[PolicyObject], str | None]:
        """The objects of one page, and the place of the next one: the end of its last session."""
        clients = [] if place else await self._clients.clients(session)
        ended = await self._sessions.ended_sessions(
            since=self._clock.now() - SESSION_END_RETENTION,
            after=place,
            limit=self._page_size,
            session=session,
        )
        items = [
            *map(service_clients.policy_object, clients),
            *map(sessions.policy_object, ended),
        ]
        return items, end_key(ended[-1]) if len(ended) == self._page_size else None
