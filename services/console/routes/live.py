"""What the scripts of signed-in pages follow: events, as the API tells them.

The browser sends its cookies, and the token that they seal stays here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from services.console.adapters.api import ApiRefusal, StreamedAnswer
from services.console.domain import places
from services.console.routes.answers import HEADERS, set_cookie
from services.console.routes.visits import SignedOut, Visit
from shared.http.streams import Stream, StreamedResponse

STALL_SECONDS = 30.0
NO_MORE = 204
"""A browser that gets it does not ask again (WHATWG HTML, 9.2.3)."""

Follow = Callable[[Visit, str | None], Awaitable[StreamedAnswer]]


@dataclass(frozen=True, kw_only=True)
class FeedRoute:
    """A path that a script follows, and the events of the API that it is told."""

    path: str
    follow: Follow


async def live_response(visit: Visit, row: FeedRoute, *, after: str | None) -> web.StreamResponse:
    """Answer with the events of the API; one that it refuses has its status and no text."""
    try:
        answer = await row.follow(visit, after)
    except SignedOut:
        return web.Response(status=NO_MORE, headers=HEADERS)
    except ApiRefusal as refusal:
        return web.Response(status=refusal.status, headers=HEADERS)
    stream = Stream(pieces=answer.pieces, stall_seconds=STALL_SECONDS)
    response = StreamedResponse(stream, HEADERS)
    for cookie, value in visit.kept.items():
        set_cookie(response, cookie, value)
    return response


async def _notifications(visit: Visit, after: str | None) -> StreamedAnswer:
    return await visit.follow("GET", "/v1/me/notifications/stream", after=after)


NOTIFICATIONS = FeedRoute(path=places.LIVE, follow=_notifications)
