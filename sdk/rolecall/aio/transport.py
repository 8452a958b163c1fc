"""Requests over one pool of connections: redirects are errors, and sizes are bounded."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from rolecall.aio.errors import NoAnswerError, NotOpenError
from rolecall.client.transport import MAX_ANSWER_BYTES, HttpAnswer, is_loopback, usable_address

CONNECTIONS = 64


class Transport:
    """The connections to one Rolecall. Open it before use and close it afterwards."""

    def __init__(self, base_url: str, *, allow_http: bool) -> None:
        self._base_url = usable_address(base_url, allow_http=allow_http)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the pool of connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            # A proxy of the environment tunnels https. It would read plain http.
            trust_env=self._base_url.startswith("https:") and not is_loopback(self._base_url),
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        until: float,
    ) -> tuple[HttpAnswer, Mapping[str, str]]:
        """Send one request and read its whole answer; `until` is a time of the event loop.

        Raises:
            NoAnswerError: there is no whole answer by then.
        """
        try:
            async with (
                asyncio.timeout_at(until),
                self._opened().request(
                    method,
                    self._base_url + path,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                content = await _whole(response)
                return HttpAnswer(response.status, content), response.headers
        except TimeoutError as error:
            raise NoAnswerError(f"{self._base_url} did not answer in time.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswerError(f"{self._base_url} does not answer: {error}") from error

    @asynccontextmanager
    async def stream(
        self, path: str, *, headers: Mapping[str, str], connect_seconds: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an answer that is read while it lasts.

        Raises:
            NoAnswerError: there are no headers of an answer in time.
        """
        try:
            async with asyncio.timeout(connect_seconds):
                response = await self._opened().get(
                    self._base_url + path, headers=headers, allow_redirects=False
                )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise NoAnswerError(f"{self._base_url} does not answer: {error}") from error
        try:
            yield response
        finally:
            response.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise NotOpenError
        return self._session


async def _whole(response: aiohttp.ClientResponse) -> Any:
    read = bytearray()
    async for piece in response.content.iter_chunked(65_536):
        read += piece
        if len(read) > MAX_ANSWER_BYTES:
            raise ValueError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    try:
        return json.loads(read)
    except ValueError:
        return None
