"""The routes of the user's own sessions."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.identity.domain.devices import UNKNOWN_DEVICE, UNKNOWN_NETWORK
from services.identity.domain.sessions import UserSession
from services.identity.use_cases import own_sessions
from services.identity.use_cases.context import Ctx
from shared.http.access import Session
from shared.http.paging import Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, SessionId
from shared.problems import NotFound


class SessionsToEnd(Body):
    """Which sessions end."""

    current: Literal["true", "false"] = Field(
        default="false", description="Whether the session of the request ends as well"
    )


class SessionView(Answer):
    """A sign-in that has not ended.

    `last_used_at` is the last sign-in or refresh, so it is exact to five minutes. `network` is
    where that came from, and `place` what the operator calls it.
    """

    id: SessionId
    current: bool
    """Whether this is the session of the request."""
    device: str
    network: str
    place: str | None
    account_id: AccountId
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime
    """The end of the session if it is not used."""


async def list_sessions(ctx: Ctx, call: Call[None, PageQuery]) -> Page[SessionView]:
    """List the user's live sessions."""
    last, limit = read_cursor(call), call.query.limit
    found = await own_sessions.page(
        ctx, call.user, before=None if last is None else last[1], limit=limit + 1
    )
    page, following = found[:limit], None
    if len(found) > limit:
        following = write_cursor(call, (page[-1].id, page[-1].id))
    items = [_shown(ctx, session, current=call.user.session_id) for session in page]
    return Page[SessionView](items=items, next_cursor=following)


def _shown(ctx: Ctx, session: UserSession, *, current: SessionId) -> SessionView:
    return SessionView(
        id=session.id,
        current=session.id == current,
        device=session.device or UNKNOWN_DEVICE,
        network=session.network or UNKNOWN_NETWORK,
        place=ctx.places.place_of(session.network),
        account_id=session.account_id,
        started_at=session.started_at,
        last_used_at=session.last_used_at,
        expires_at=session.expires_at,
    )


async def end_one(ctx: Ctx, call: Call[None, None]) -> Reply:
    """End one session."""
    session_id = SessionId(call.path["session_id"])
    return Reply(written=await own_sessions.end_one(ctx, call.caller, call.user, session_id))


async def end_all(ctx: Ctx, call: Call[None, SessionsToEnd]) -> Reply:
    """End the user's other sessions, or all."""
    current = call.query.current == "true"
    return Reply(written=await own_sessions.end_all(ctx, call.caller, call.user, current=current))


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/sessions",
        handler=list_sessions,
        operation_id="listMySessions",
        summary="List the user's sessions, the newest first",
        tag="me",
        access=Session(),
        query=PageQuery,
        gives=Page[SessionView],
    ),
    Route(
        method="DELETE",
        path="/v1/me/sessions",
        handler=end_all,
        operation_id="endMySessions",
        summary="End the user's other sessions, or all",
        tag="me",
        access=Session(),
        query=SessionsToEnd,
        effective_everywhere=True,
    ),
    Route(
        method="DELETE",
        path="/v1/me/sessions/{session_id}",
        handler=end_one,
        operation_id="endMySession",
        summary="End a session of the user",
        tag="me",
        access=Session(),
        refuses=(NotFound,),
        effective_everywhere=True,
    ),
)
