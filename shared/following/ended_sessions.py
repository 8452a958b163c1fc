"""Sessions that have ended: by user, and in the order of their ends."""

import heapq
from collections.abc import Iterable
from datetime import datetime

from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, SessionObject
from shared.following.newest import NewestStates

_SESSION = PolicyObjectKind.SESSION


class EndedSessions:
    """The sessions that ended while one of their tokens may still be valid.

    A look-up, another end and the end of the time walk over what they are about, not over all.
    """

    def __init__(self) -> None:
        self._newest = NewestStates()
        self._of_user: dict[str, dict[str, None]] = {}
        self._by_end: list[tuple[datetime, str]] = []
        """A heap; an entry that is not the newest state of its session is passed over."""

    def clear(self) -> None:
        """Forget all sessions."""
        self._newest.clear()
        self._of_user.clear()
        self._by_end.clear()

    def put(self, policy_object: PolicyObject, state: SessionObject | None) -> bool:
        """Take the end of a session unless a newer state is known; return whether it was taken."""
        session_id = policy_object.id
        known = self._newest.get(_SESSION, session_id)
        if not self._newest.take(policy_object, state):
            return False
        if known is not None:
            self._leave_user(session_id, known)
        if state is not None:
            self._of_user.setdefault(state.user_id, {})[session_id] = None
            heapq.heappush(self._by_end, (state.ended_at, session_id))
        return True

    def has(self, session_id: str) -> bool:
        """Return whether this session has ended."""
        return self._newest.get(_SESSION, session_id) is not None

    def ids(self) -> list[str]:
        """The ids of all sessions, those of one user together."""
        return [session_id for of_user in self._of_user.values() for session_id in of_user]

    def of_users(self, user_ids: Iterable[str]) -> list[str]:
        """The ids of the sessions of these users."""
        return [session_id for each in user_ids for session_id in self._of_user.get(each, ())]

    def drop_before(self, moment: datetime) -> None:
        """Forget the sessions that ended before this moment."""
        while self._by_end and self._by_end[0][0] < moment:
            ended_at, session_id = heapq.heappop(self._by_end)
            known = self._newest.get(_SESSION, session_id)
            if known is not None and known.ended_at == ended_at:
                self._newest.drop(_SESSION, session_id)
                self._leave_user(session_id, known)

    def _leave_user(self, session_id: str, state: SessionObject) -> None:
        of_user = self._of_user[state.user_id]
        del of_user[session_id]
        if not of_user:
            del self._of_user[state.user_id]
