"""Reading a request's body within the time, size and media type of its route."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from shared.http.refusals import (
    BodyBroken,
    BodyMissing,
    BodyTooLarge,
    BodyTooSlow,
    WrongContentType,
)
from shared.http.routes import Media, Route
from shared.http.strict_json import loads
from shared.http.validation import check_json, check_strings, read_form
from shared.problems import Refusal

BODY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """The raw body of a request, or what is wrong with it.

    Its fault is told when it is parsed: a caller that is not admitted learns nothing of it.
    """

    raw: bytes = b""
    fault: Refusal | None = None

    def parse(self, route: Route) -> Any:
        """Return the body that the route takes, or what it reads quickly.

        Raises:
            Refusal: it could not be read, or does not fit.
        """
        if self.fault is not None:
            raise self.fault
        if route.takes is None:
            return None
        if route.media is Media.FORM:
            form = read_form(self.raw)
            return check_strings(route.takes, form, prefix="", strictness=route.strictness)
        if route.reads_quickly is not None:
            usual = route.reads_quickly(self.raw)
            if usual is not None:
                return usual
        value = loads(self.raw)
        return check_json(route.takes, self.raw, value=value, strictness=route.strictness)


def announced_bytes(request: web.Request, route: Route) -> int:
    """The bytes that the body of a request may have; none if the route will not read it."""
    if route.takes is None or not request.body_exists:
        return 0
    length = request.content_length
    if length is None:
        return route.body_cap
    return length if length <= route.body_cap else 0


async def receive_body(
    request: web.Request,
    route: Route,
    *,
    seconds: float,
    waiting: Callable[[], AbstractContextManager[None]],
) -> ReceivedBody:
    """Read the raw body of a route that takes one, within `seconds` in all (`T19`).

    `waiting` is held while the sender has not sent all of it; it may refuse.
    """
    if route.takes is None:
        return ReceivedBody()
    try:
        return ReceivedBody(await _read(request, route, seconds, waiting))
    except (WrongContentType, BodyTooLarge, BodyTooSlow, BodyBroken, BodyMissing) as fault:
        return ReceivedBody(fault=fault)


async def _read(
    request: web.Request,
    route: Route,
    seconds: float,
    waiting: Callable[[], AbstractContextManager[None]],
) -> bytes:
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
        elif request.transport is None:
            # The connection is lost, for which aiohttp's reader has a bare RuntimeError.
            raise BodyBroken
        else:
            with waiting():
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
