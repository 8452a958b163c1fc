"""Which callers are live, from identity's journal in memory."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from shared.auth.api_tokens import digest_of, new_api_token, token_id_of
from shared.auth.principals import (
    AccessTokenRef,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.contracts.facts import Actor
from shared.contracts.policy_objects import (
    AccessTokenObject,
    ApiTokenObject,
    Contract,
    DisabledUserObject,
    PolicyObject,
    PolicyObjectKind,
    ServiceClientObject,
    SessionObject,
    SigningKeyObject,
)
from shared.following.follower import Follower
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.ids import ClientId, KeyId, SessionId, TokenId, UserId, new_id
from shared.problems import ApiTokenOver, Stale, TokenRevoked
from tests.clocks import SetClock

USER = UserId("usr_1")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ENDED = SessionObject(user_id=USER, ended_at=datetime(2026, 3, 1, tzinfo=UTC))
CLIENT = ServiceClientObject(name="Platform", scopes=("authz:check", "users:act"))


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
def known() -> SignInState:
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
    return known


@pytest.fixture
def callers(known: SignInState, lease: Lease) -> LiveCallers:
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


async def test_a_client_without_the_scope_acts_for_no_user(
    known: SignInState, callers: LiveCallers
) -> None:
    checks = ServiceClientObject(name="Other", scopes=("authz:check",))
    known.put([told_of(PolicyObjectKind.SERVICE_CLIENT, "cli_2", checks)])
    acting = DelegatedPrincipal(
        user_id=USER, session_id=SessionId("ses_live"), client_ids=(ClientId("cli_1"),)
    )
    await callers.check(acting)
    for chain in (("cli_2",), ("cli_1", "cli_2")):
        with pytest.raises(TokenRevoked):
            await callers.check(replace(acting, client_ids=tuple(map(ClientId, chain))))


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


def told_of(kind: PolicyObjectKind, object_id: str, state: Contract) -> PolicyObject:
    return PolicyObject(kind=kind, id=object_id, rev=3, state=state.model_dump(mode="json"))


REVOKED = told_of(PolicyObjectKind.ACCESS_TOKEN, "tok_1", AccessTokenObject(expires_at=NOW))
REVOKED_KEY = told_of(PolicyObjectKind.SIGNING_KEY, "key_1", SigningKeyObject(revoked_at=NOW))


@pytest.mark.parametrize("told", [REVOKED, REVOKED_KEY], ids=lambda told: told.kind)
async def test_a_revoked_token_and_one_of_a_revoked_key_are_refused(
    known: SignInState, callers: LiveCallers, told: PolicyObject
) -> None:
    token = AccessTokenRef(TokenId("tok_1"), KeyId("key_1"))
    other = AccessTokenRef(TokenId("tok_2"), KeyId("key_2"))
    acting = DelegatedPrincipal(
        user_id=USER, session_id=SessionId("ses_live"), client_ids=(ClientId("cli_1"),)
    )
    made_of = replace(acting, access_token=other, made_of=(other, token))
    for caller in (user("ses_live"), client("cli_1"), acting):
        await callers.check(replace(caller, access_token=token))
    await callers.check(made_of)
    known.put([told])
    with pytest.raises(TokenRevoked):
        await callers.check(made_of)
    for caller in (user("ses_live"), client("cli_1"), acting):
        with pytest.raises(TokenRevoked):
            await callers.check(replace(caller, access_token=token))
        await callers.check(replace(caller, access_token=other))
    known.clear()
    assert not known.refused_tokens.has(token)


@pytest.mark.rule("T5")
async def test_the_api_token_of_a_disabled_user_is_over(known: SignInState, lease: Lease) -> None:
    owner, digest = new_id("usr"), digest_of(new_api_token(3))
    token = ApiTokenObject(
        secret_hash=digest,
        user_id=owner,
        account_id=new_id("acc"),
        membership_id=new_id("mem"),
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    known.put([told_of(PolicyObjectKind.API_TOKEN, token_id_of(digest), token)])
    callers = LiveCallers(known, cast("Follower", lease), clock=SetClock(NOW))
    found = await callers.find_api_token(digest)
    assert callers.api_token(found.token_id) == found
    known.put([told_of(PolicyObjectKind.DISABLED_USER, owner, DisabledUserObject(disabled_at=NOW))])
    assert callers.api_token(found.token_id) is None
    with pytest.raises(ApiTokenOver):
        await callers.find_api_token(digest)
    known.clear()  # what is read again does not tell who was enabled meanwhile
    assert (known.user_disabled(owner), [*known.disabled_users]) == (False, [])


def test_revoked_tokens_are_forgotten_when_their_time_is_over(known: SignInState) -> None:
    token = AccessTokenRef(TokenId("tok_1"), KeyId("key_1"))
    for number, after in ((1, 0), (2, 600), (3, 601)):
        end = AccessTokenObject(expires_at=NOW + timedelta(seconds=after))
        known.put([told_of(PolicyObjectKind.ACCESS_TOKEN, f"tok_{number}", end)])
        assert known.refused_tokens.has(token) is (after <= 600)
