"""What the script of a signed-in page follows: the user's notifications, as the API tells them.

The browser sends its cookies, and the token that they seal stays here.
"""

from aiohttp import web

from services.console.adapters.api import ApiRefusal
from services.console.routes.answers import HEADERS, set_cookie
from services.console.routes.visits import SignedOut, Visit
from shared.http.streams import Stream, StreamedResponse

FOLLOWED = "/v1/me/notifications/stream"
STALL_SECONDS = 30.0
NO_MORE = 204
"""A browser that gets it does not ask again (WHATWG HTML, 9.2.3)."""


async def live_response(visit: Visit, *, after: str | None) -> web.StreamResponse:
    """Answer with the events of the API; one that it refuses has its status and no text."""
    try:
        pieces = await visit.follow(FOLLOWED, after=after)
    except SignedOut:
        return web.Response(status=NO_MORE, headers=HEADERS)
    except ApiRefusal as refusal:
        return web.Response(status=refusal.status, headers=HEADERS)
    stream = Stream(pieces=pieces, stall_seconds=STALL_SECONDS)
    response = StreamedResponse(stream, HEADERS)
    for cookie, value in visit.kept.items():
        set_cookie(response, cookie, value)
    return response
