"""What a reader of the policy stream is told of sign-ins: ended sessions, and of users."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.authz.domain.change_log import NumberedChange
from services.authz.domain.stream_events import StreamScope, account_of
from services.authz.use_cases.context import Ctx
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.contracts.policy_objects import PolicyObjectKind
from shared.following.sign_in_state import SignInState

NAMES_OF_EVENT = 200
DISABLED, SECOND_FACTOR = "user.disabled", "user.second_factor"
SignInEvent = tuple[str, dict[str, Any]]
"""The name and the content of one event."""
_OF_USERS: Mapping[PolicyObjectKind, str] = {
    PolicyObjectKind.DISABLED_USER: DISABLED,
    PolicyObjectKind.SECOND_FACTOR: SECOND_FACTOR,
}
"""The event that tells of each kind."""
_HOLDS: Mapping[str, Callable[[SignInState, str], bool]] = {
    DISABLED: SignInState.user_disabled,
    SECOND_FACTOR: SignInState.has_second_factor,
}


@dataclass
class SignInEvents:
    """The events of one reader, who learns of the users in their scope alone."""

    ctx: Ctx
    scope: StreamScope
    goes_on: bool = False
    """Whether the stream goes on from an earlier one, of which this reader does not know."""
    told: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The users of whom this reader was told, by the event."""

    def of_members(self, user_ids: Sequence[str]) -> Iterator[SignInEvent]:
        """What is known of the sign-ins of these members, who may be new to the reader."""
        sign_ins = self.ctx.sign_ins
        yield from _ended(sign_ins.ended_sessions_of(user_ids))
        for name, holds in _HOLDS.items():
            unsure = [
                each
                for each in user_ids
                if self.goes_on or each in self.told[name] or holds(sign_ins, each)
            ]
            yield from self._users(name, unsure)

    def of_all(self) -> Iterator[SignInEvent]:
        """What is known of all sign-ins."""
        sign_ins = self.ctx.sign_ins
        yield from _ended(sign_ins.ended_sessions())
        yield from self._users(DISABLED, sorted(sign_ins.disabled_users))
        yield from self._users(SECOND_FACTOR, sorted(sign_ins.second_factor_users))

    def of_new_members(self, change: NumberedChange) -> Iterator[SignInEvent]:
        """What may not have been told before of the members of a change."""
        if self.scope.account_ids is not None:
            members = {
                each.id: None
                for each in change.objects
                if each.kind is PolicyObjectKind.MEMBER
                and each.state is not None
                and self.scope.covers(each.kind, each.id, account_of(each))
            }
            yield from self.of_members(list(members))

    def of_change(self, change: NumberedChange) -> Iterator[SignInEvent] | None:
        """What a change of sign-ins tells; `None`: it is another one."""
        kind = change.objects[0].kind
        if kind is PolicyObjectKind.SESSION:
            users = {each.id: (each.state or {})["user_id"] for each in change.objects}
            told = set(filter(self._tells_of_user, set(users.values())))
            return _ended([each for each, user_id in users.items() if user_id in told])
        if kind in _OF_USERS:
            affected = [one.id for one in change.objects if self._tells_of_user(one.id)]
            return self._users(_OF_USERS[kind], affected)
        return None

    def _tells_of_user(self, user_id: str) -> bool:
        """Whether the reader learns of this user: a bound client learns of its members'."""
        bound, policy = self.scope.account_ids, self.ctx.policy
        return bound is None or any(policy.has_membership(each, user_id) for each in bound)

    def _users(self, name: str, user_ids: Sequence[str]) -> Iterator[SignInEvent]:
        for page in _pages(user_ids):
            states = {each: _HOLDS[name](self.ctx.sign_ins, each) for each in page}
            self.told[name] |= {each for each, holds in states.items() if holds}
            yield name, {"users": states}


def _ended(session_ids: Sequence[str]) -> Iterator[SignInEvent]:
    seconds = int(SESSION_END_RETENTION.total_seconds())
    for page in _pages(session_ids):
        yield "session.ended", {"sessions": list(page), "seconds": seconds}


def _pages(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), NAMES_OF_EVENT):
        yield names[at : at + NAMES_OF_EVENT]
