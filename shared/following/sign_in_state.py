"""What identity's journal tells a replica: service clients, tokens, keys and ended sessions."""

from collections.abc import Iterable
from datetime import datetime

from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.contracts.policy_objects import (
    PolicyObject,
    PolicyObjectKind,
    ServiceClientObject,
)
from shared.following.api_tokens import ApiTokens
from shared.following.ended_sessions import EndedSessions
from shared.following.newest import NewestStates, read_states
from shared.following.refused_tokens import RefusedTokens

_CLIENT = PolicyObjectKind.SERVICE_CLIENT


class SignInState:
    """Service clients, API tokens, and what ended while an access token may still be valid."""

    def __init__(self) -> None:
        self.api_tokens = ApiTokens()
        self.refused_tokens = RefusedTokens()
        self._sessions = EndedSessions()
        self._newest = NewestStates()

    def clear(self) -> None:
        """Forget everything."""
        self.api_tokens.clear()
        self.refused_tokens.clear()
        self._sessions.clear()
        self._newest.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the new states of a change; see `read_states` for what it raises."""
        latest: datetime | None = None
        for policy_object, state in read_states(policy_objects):
            if policy_object.kind is PolicyObjectKind.API_TOKEN:
                self.api_tokens.put(policy_object.id, policy_object.rev, state)
            elif policy_object.kind is PolicyObjectKind.ACCESS_TOKEN:
                self.refused_tokens.put_token(policy_object.id, state)
            elif policy_object.kind is PolicyObjectKind.SIGNING_KEY:
                self.refused_tokens.put_key(policy_object.id)
            elif policy_object.kind is _CLIENT:
                self._newest.take(policy_object, state)
            elif policy_object.kind is PolicyObjectKind.SESSION:
                taken = self._sessions.put(policy_object, state)
                if taken and state is not None:
                    latest = max(latest or state.ended_at, state.ended_at)
        if latest is not None:
            self._sessions.drop_before(latest - SESSION_END_RETENTION)

    def session_ended(self, session_id: str) -> bool:
        """Return whether this session has ended."""
        return self._sessions.has(session_id)

    def ended_sessions(self) -> list[str]:
        """The sessions that have ended, as far as one of their tokens may still be valid."""
        return self._sessions.ids()

    def ended_sessions_of(self, user_ids: Iterable[str]) -> list[str]:
        """Those of `ended_sessions` that are of these users."""
        return self._sessions.of_users(user_ids)

    def client(self, client_id: str) -> ServiceClientObject | None:
        """The service client of that id, if there is one."""
        client: ServiceClientObject | None = self._newest.get(_CLIENT, client_id)
        return client

    def clients_of(self, account_id: str) -> list[ServiceClientObject]:
        """The service clients that are bound to some accounts, of which this is one."""
        clients = (client for _, client in self._newest.of_kind(_CLIENT))
        return [client for client in clients if account_id in (client.account_ids or ())]
