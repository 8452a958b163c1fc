"""What a user changes in a session is checked again inside the write, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.identity.use_cases import mfa, own_sessions, own_tokens, passkeys
from services.identity.use_cases.ending_sessions import SESSIONS_PER_WRITE
from shared.auth.principals import UserPrincipal
from shared.auth.step_up import StepUpRequired
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import SessionId, TokenId
from shared.journal import WriteResult
from shared.problems import TokenRevoked
from tests.clocks import SetClock
from tests.services.identity.domain.rows import NOON, SESSION, USER
from tests.services.identity.domain.test_factor_take_back import FIRST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.identity.domain.mfa import SecondFactors
    from services.identity.domain.sessions import UserSession
    from services.identity.domain.users import User
    from services.identity.use_cases.context import Ctx

    Change = Callable[[Ctx], Awaitable[Any]]

CALLER = Caller(actor=Actor(type="user", id=USER.id), request=RequestInfo(request_id="req_1"))
PRINCIPAL = UserPrincipal(user_id=USER.id, session_id=SESSION.id)
FRESH = replace(SESSION, proved_at=NOON)
OTHER = SessionId("ses_other")


class Rows:
    """The store and the journal; `live` are the user's sessions, by id."""

    def __init__(self, *sessions: UserSession, meanwhile: UserSession | None = None) -> None:
        self.live = {one.id: one for one in sessions}
        self.meanwhile = meanwhile
        """The session of the request, as the write finds it."""

    async def user(self, _: str, session: object = None) -> User:
        return USER

    async def factors(self, _: str, session: object = None) -> SecondFactors:
        return FIRST

    async def session(
        self, _: str, session_id: SessionId, session: object = None
    ) -> UserSession | None:
        if session is not None and self.meanwhile is not None:
            return self.meanwhile
        return self.live.get(session_id)

    async def active_sessions(self, _: str, session: object, *, limit: int) -> list[UserSession]:
        return list(self.live.values())[:limit]

    async def update_session(self, before: UserSession, after: UserSession, _: object) -> None:
        assert after.ended_at is not None
        del self.live[before.id]

    async def write(self, _: str, change: Any, **__: object) -> WriteResult[Any]:
        write = SimpleNamespace(session=self, now=NOON, rev=1, record=lambda *_: None)
        return WriteResult(result=await change(write), revision=None)

    @property
    def ctx(self) -> Ctx:
        return cast("Ctx", SimpleNamespace(store=self, journal=self, clock=SetClock(NOON)))


CHANGES: dict[str, Change] = {
    "own token": lambda ctx: own_tokens.revoke(ctx, CALLER, PRINCIPAL, TokenId("tok_1")),
    "own session": lambda ctx: own_sessions.end_one(ctx, CALLER, PRINCIPAL, OTHER),
    "all sessions": lambda ctx: own_sessions.end_all(ctx, CALLER, PRINCIPAL, current=True),
    "passkey's name": lambda ctx: passkeys.rename(
        ctx, CALLER, PRINCIPAL, passkey_id="pky_first", name="Phone"
    ),
    "passkey": lambda ctx: passkeys.remove(ctx, CALLER, PRINCIPAL, passkey_id="pky_first"),
    "app": lambda ctx: mfa.remove_totp(ctx, CALLER, PRINCIPAL),
}
OF_FACTORS = [CHANGES["passkey"], CHANGES["app"]]


@pytest.mark.rule("T5")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("end", [{"ended_at": NOON}, {"expires_at": NOON}])
async def test_a_session_that_ends_before_the_write_changes_nothing(
    change: Change, end: dict[str, Any]
) -> None:
    rows = Rows(FRESH, meanwhile=replace(FRESH, **end))
    with pytest.raises(TokenRevoked):
        await change(rows.ctx)


@pytest.mark.rule("T5")
@pytest.mark.parametrize("change", OF_FACTORS)
async def test_a_proof_that_is_over_before_the_write_changes_no_factor(change: Change) -> None:
    old = replace(FRESH, proved_at=NOON - timedelta(days=1))
    with pytest.raises(StepUpRequired):
        await change(Rows(FRESH, meanwhile=old).ctx)


@pytest.mark.parametrize("current", [True, False])
@pytest.mark.parametrize("count", [SESSIONS_PER_WRITE, SESSIONS_PER_WRITE + 1, 250])
async def test_very_many_sessions_end_and_the_own_one_last(count: int, *, current: bool) -> None:
    others = [replace(FRESH, id=SessionId(f"ses_{number}")) for number in range(count)]
    rows = Rows(FRESH, *others)
    await own_sessions.end_all(rows.ctx, CALLER, PRINCIPAL, current=current)
    assert list(rows.live) == ([] if current else [FRESH.id])
