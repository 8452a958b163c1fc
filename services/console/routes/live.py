"""What the scripts of signed-in pages follow: events, as the API tells them, and states of lists.

The browser sends its cookies, and the token that they seal stays here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from services.console.adapters.api import ApiRefusal
from services.console.adapters.streamed_answers import StreamedAnswer
from services.console.domain import places
from services.console.routes.answers import HEADERS, set_cookie
from services.console.routes.session_ends import SignedOut
from services.console.routes.visits import Visit
from shared.http.streams import Stream, StreamedResponse

STALL_SECONDS = 30.0
NO_MORE = 204
"""A browser that gets it does not ask again (WHATWG HTML, 9.2.3); a script of ours does so, too."""

Follow = Callable[[Visit, str | None], Awaitable[StreamedAnswer]]
StateOf = Callable[[Visit], Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class FeedRoute:
    """A path that a script follows, and the events of the API that it is told."""

    path: str
    follow: Follow

    async def respond(self, visit: Visit, *, after: str | None) -> web.StreamResponse:
        """Answer with the events of the API."""
        answer = await self.follow(visit, after)
        return StreamedResponse(Stream(pieces=answer.pieces, stall_seconds=STALL_SECONDS), HEADERS)


@dataclass(frozen=True, kw_only=True)
class StateRoute:
    """A path that a script asks whether the list of its page is still in the state that it has."""

    path: str
    state: StateOf

    async def respond(self, visit: Visit, *, after: str | None) -> web.StreamResponse:
        """Answer with the state of now."""
        return web.Response(text=await self.state(visit), headers=HEADERS)


LiveRoute = FeedRoute | StateRoute


async def live_response(visit: Visit, row: LiveRoute, *, after: str | None) -> web.StreamResponse:
    """Answer a script; what the API refuses has its status and no text."""
    try:
        response = await row.respond(visit, after=after)
    except SignedOut:
        return web.Response(status=NO_MORE, headers=HEADERS)
    except ApiRefusal as refusal:
        return web.Response(status=refusal.status, headers=HEADERS)
    for cookie, value in visit.kept.items():
        set_cookie(response, cookie, value)
    return response


async def _notifications(visit: Visit, after: str | None) -> StreamedAnswer:
    return await visit.follow("GET", "/v1/me/notifications/stream", after=after)


NOTIFICATIONS = FeedRoute(path=places.LIVE, follow=_notifications)
