"""Reading a request's body within the time, size and media type of its route."""

import asyncio

from aiohttp import ClientError, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from shared.http.refusals import (
    BodyBroken,
    BodyMissing,
    BodyTooLarge,
    BodyTooSlow,
    WrongContentType,
)
from shared.http.routes import Route

BODY_SECONDS = 15.0


async def read_body(request: web.Request, route: Route, *, seconds: float) -> bytes:
    """Read the raw body of a route that takes one, within `seconds` in all (`T19`).

    Raises:
        WrongContentType: another media type or charset, or a content coding: a compressed body
            could expand beyond every cap.
        BodyTooLarge, BodyTooSlow, BodyBroken, BodyMissing: see the classes.
    """
    length = request.content_length
    if length is not None and length > route.body_cap:
        raise BodyTooLarge(limit=route.body_cap)
    if not request.body_exists or length == 0:
        raise BodyMissing
    _check_type(request, route)
    try:
        if request.content.is_eof():
            # It arrived together with the headers, as small bodies do: no timer is needed.
            body = request.content.read_nowait()
            if len(body) > route.body_cap:
                raise BodyTooLarge(limit=route.body_cap)
        else:
            async with asyncio.timeout(seconds):
                body = await _read_up_to(request.content, route.body_cap)
    except TimeoutError:
        raise BodyTooSlow from None
    except (ConnectionError, ClientError, HttpProcessingError):
        raise BodyBroken from None
    if not body:
        raise BodyMissing
    return body


async def _read_up_to(content: StreamReader, cap: int) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > cap:
            raise BodyTooLarge(limit=cap)
    return bytes(body)


def _check_type(request: web.Request, route: Route) -> None:
    wrong = WrongContentType(expected=route.media.value)
    coding = request.headers.get("Content-Encoding", "identity").lower()
    sent = request.headers.get("Content-Type")
    if sent is None or not sent.isascii() or coding != "identity":
        raise wrong
    try:
        media, charset = request.content_type, request.charset or "utf-8"
    except (IndexError, ValueError):  # the standard library's parser fails on some parameters
        raise wrong from None
    if media != route.media or charset.lower() not in {"utf-8", "utf8"}:
        raise wrong
