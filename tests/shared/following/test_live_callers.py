"""Which callers are live, from identity's journal in memory."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest

from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.contracts.facts import Actor
from shared.contracts.policy_objects import (
    PolicyObject,
    PolicyObjectKind,
    ServiceClientObject,
    SessionObject,
)
from shared.following.follower import Follower
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.ids import ClientId, SessionId, UserId
from shared.problems import Stale, TokenRevoked

USER = UserId("usr_1")
ENDED = SessionObject(user_id=USER, ended_at=datetime(2026, 3, 1, tzinfo=UTC))
CLIENT = ServiceClientObject(name="Platform", scopes=("authz:check",))


@dataclass
class Lease:
    """A follower of which only the lease matters."""

    held: bool = True

    def holds(self) -> bool:
        return self.held


@pytest.fixture
def lease() -> Lease:
    return Lease()


@pytest.fixture
def callers(lease: Lease) -> LiveCallers:
    """One session has ended, and one service client exists."""
    known = SignInState()
    known.put(
        [
            PolicyObject(
                kind=PolicyObjectKind.SESSION,
                id="ses_ended",
                rev=1,
                state=ENDED.model_dump(mode="json"),
            ),
            PolicyObject(
                kind=PolicyObjectKind.SERVICE_CLIENT,
                id="cli_1",
                rev=2,
                state=CLIENT.model_dump(mode="json"),
            ),
        ]
    )
    return LiveCallers(known, cast("Follower", lease))


def user(session_id: str) -> UserPrincipal:
    return UserPrincipal(user_id=USER, session_id=SessionId(session_id))


def client(client_id: str) -> ClientPrincipal:
    return ClientPrincipal(client_id=ClientId(client_id), scopes=frozenset({"authz:check"}))


async def test_a_live_session_and_a_known_client_are_admitted(callers: LiveCallers) -> None:
    await callers.check(user("ses_live"))
    await callers.check(client("cli_1"))


@pytest.mark.parametrize("caller", [user("ses_ended"), client("cli_deleted")])
async def test_an_ended_session_and_a_deleted_client_are_refused(
    callers: LiveCallers, caller: UserPrincipal | ClientPrincipal
) -> None:
    with pytest.raises(TokenRevoked):
        await callers.check(caller)


@pytest.mark.parametrize("caller", [user("ses_live"), user("ses_ended"), client("cli_deleted")])
async def test_without_a_lease_nothing_is_known_of_any_caller(
    callers: LiveCallers, lease: Lease, caller: UserPrincipal | ClientPrincipal
) -> None:
    lease.held = False
    with pytest.raises(Stale):
        await callers.check(caller)


def test_the_actor_of_a_write_is_checked_by_its_session(callers: LiveCallers) -> None:
    callers.check_actor(Actor(type="user", id=USER, session_id="ses_live"))
    callers.check_actor(Actor(type="service", id="team"))
    with pytest.raises(TokenRevoked):
        callers.check_actor(Actor(type="user", id=USER, session_id="ses_ended"))


def test_the_lease_is_tested_after_the_look(lease: Lease) -> None:
    """A process that is stopped after a test of the lease would answer from before the stop."""

    class Slow(SignInState):
        def session_ended(self, session_id: str) -> bool:
            lease.held = False
            return super().session_ended(session_id)

    callers = LiveCallers(Slow(), cast("Follower", lease))
    with pytest.raises(Stale):
        callers.live(session_id="ses_live")
