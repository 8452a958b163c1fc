"""What identity's journal tells: clients, tokens, keys, ended sessions, and of users."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

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
_DISABLED = PolicyObjectKind.DISABLED_USER
_SECOND_FACTOR = PolicyObjectKind.SECOND_FACTOR


class SignInState:
    """Service clients, API tokens, users of a kind, and what ended while a token may be valid."""

    def __init__(self) -> None:
        self.api_tokens = ApiTokens()
        self.refused_tokens = RefusedTokens()
        self._sessions = EndedSessions()
        self._newest = NewestStates()
        self._users: Mapping[PolicyObjectKind, set[str]] = {
            _DISABLED: set(),
            _SECOND_FACTOR: set(),
        }

    def clear(self) -> None:
        """Forget everything."""
        self.api_tokens.clear()
        self.refused_tokens.clear()
        self._sessions.clear()
        self._newest.clear()
        for users in self._users.values():
            users.clear()

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
            elif policy_object.kind in self._users:
                self._put_user(policy_object, state)
            elif policy_object.kind is PolicyObjectKind.SESSION:
                taken = self._sessions.put(policy_object, state)
                if taken and state is not None:
                    latest = max(latest or state.ended_at, state.ended_at)
        if latest is not None:
            self._sessions.drop_before(latest - SESSION_END_RETENTION)

    def _put_user(self, policy_object: PolicyObject, state: Any) -> None:
        if not self._newest.take(policy_object, state):
            return
        users = self._users[policy_object.kind]
        (users.discard if state is None else users.add)(policy_object.id)

    def user_disabled(self, user_id: str) -> bool:
        """Return whether the operator has disabled this user."""
        return user_id in self._users[_DISABLED]

    @property
    def disabled_users(self) -> Collection[str]:
        """The ids of all disabled users."""
        return self._users[_DISABLED]

    def has_second_factor(self, user_id: str) -> bool:
        """Return whether this user has a second factor; each live session of theirs proved it."""
        return user_id in self._users[_SECOND_FACTOR]

    @property
    def second_factor_users(self) -> Collection[str]:
        """The ids of all users with a second factor."""
        return self._users[_SECOND_FACTOR]

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
