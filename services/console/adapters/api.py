"""The public API, as the console calls it for its visitors."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from services.console.adapters.streamed_answers import (
    NO_ANSWER,
    StreamedAnswer,
    begun,
    file_pieces,
)

SECONDS = 25.0
"""The longest wait for an answer: shorter than the gateway waits for the page."""
QUIET_SECONDS = 20.0
"""The longest wait for an event; the API sends one, or a comment, every five seconds."""
FILE_SECONDS = 60.0
"""The longest wait for the next piece of a file."""
UNAVAILABLE = "unavailable"
NOT_THERE = "*"
"""The state of what does not exist yet."""
MAX_USER_AGENT = 256
MAX_LANGUAGES = 256
_ID = re.compile(r"[A-Za-z0-9_-]{1,2048}", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class ApiRefusal(Exception):  # noqa: N818 - it names what was answered
    """The API refused a request, or did not answer it."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        errors: Mapping[str, str] | None = None,
        retry_after: int | None = None,
        continuation: str = "",
        parts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.errors = dict(errors or {})
        self.retry_after = retry_after
        self.continuation = continuation
        self.parts = dict(parts or {})


@dataclass(frozen=True, kw_only=True)
class ApiAnswer:
    """An answer: its JSON, the tag of the state that it shows, the revision that it made."""

    body: Any
    etag: str | None = None
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """For whom a request is sent: the API counts and records the visitor, not the console."""

    address: str | None
    user_agent: str | None
    languages: str | None
    """The `Accept-Language` of the browser: new users get mails in it."""
    request_id: str

    def headers(self) -> dict[str, str]:
        """The headers that name the visitor."""
        named = {
            "X-Forwarded-For": self.address,
            "User-Agent": _UNPRINTABLE.sub("?", self.user_agent or "")[:MAX_USER_AGENT],
            "Accept-Language": _UNPRINTABLE.sub("?", self.languages or "")[:MAX_LANGUAGES],
            "X-Request-ID": self.request_id,
        }
        return {name: text for name, text in named.items() if text}


@dataclass
class PublicApi:
    """Requests to one address, over connections that are kept."""

    url: str
    _http: aiohttp.ClientSession | None = field(default=None, repr=False)
    _followed: set[aiohttp.StreamReader] = field(default_factory=set, repr=False)
    _draining: bool = field(default=False, repr=False)

    async def open(self) -> None:
        """Make the client; it connects at the first request."""
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=SECONDS),
            # A shared jar would mix visitors; the API sets no cookies.
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        visitor: Visitor,
        token: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request and return the answer's JSON; raises as `answer`."""
        answer = await self.answer(method, path, body, visitor=visitor, token=token, query=query)
        return answer.body

    async def answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        visitor: Visitor,
        token: str | None = None,
        query: Mapping[str, str] | None = None,
        if_match: str | None = None,
        key: str | None = None,
        previewed: str | None = None,
    ) -> ApiAnswer:
        """Send a request; it counts for the state `if_match` alone, and once for each `key`.

        It counts for what a preview has said alone, if `previewed` names one.

        Raises:
            ApiRefusal: it was refused, or there was no answer.
        """
        condition = "If-None-Match" if if_match == NOT_THERE else "If-Match"
        own = {condition: if_match, "Idempotency-Key": key, "If-Preview-Match": previewed}
        headers = _headers(visitor, token) | {name: text for name, text in own.items() if text}
        try:
            async with self._opened().request(
                method,
                self.url + path,
                json=body,
                params=query,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                text = await answer.read()
                if answer.status < 300:
                    return ApiAnswer(
                        body=json.loads(text) if text else None,
                        etag=answer.headers.get("ETag"),
                        revision=answer.headers.get("Rolecall-Revision"),
                    )
                raise _refusal(answer.status, text, answer.headers.get("Retry-After"))
        except NO_ANSWER:
            raise ApiRefusal(status=503, code=UNAVAILABLE) from None

    async def follow(
        self,
        method: str,
        path: str,
        *,
        visitor: Visitor,
        token: str,
        query: Mapping[str, str] | None = None,
        after: str | None,
    ) -> StreamedAnswer:
        """Open an answer of server-sent events; `after` is the last id; raises as `answer`."""
        headers = _headers(visitor, token)
        if after is not None:
            headers["Last-Event-ID"] = after
        answer = await self._open(method, path, headers, query, quiet_seconds=QUIET_SECONDS)
        return await begun(answer, self._events(answer))

    async def download(
        self,
        method: str,
        path: str,
        *,
        visitor: Visitor,
        token: str,
        query: Mapping[str, str] | None = None,
    ) -> StreamedAnswer:
        """Open an answer that may be longer than the memory.

        Raises:
            ApiRefusal: it was refused, or there was no answer.
        """
        headers = _headers(visitor, token)
        answer = await self._open(method, path, headers, query, quiet_seconds=FILE_SECONDS)
        return await begun(answer, file_pieces(answer))

    async def _open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        *,
        quiet_seconds: float,
    ) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._opened().request(
                    method,
                    self.url + path,
                    params=query,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_read=quiet_seconds),
                )
                if answer.status != 200:
                    async with answer:
                        text, wait = await answer.read(), answer.headers.get("Retry-After")
                        raise _refusal(answer.status, text, wait)
        except NO_ANSWER:
            raise ApiRefusal(status=503, code=UNAVAILABLE) from None
        return answer

    def drain(self) -> None:
        """End all answers that are followed; browsers ask another replica."""
        self._draining = True
        for content in self._followed:
            content.set_exception(aiohttp.ClientConnectionError())

    async def _events(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
        """What arrives until either side ends; an answer that breaks off is asked for again."""
        with contextlib.suppress(*NO_ANSWER), contextlib.closing(answer):
            self._followed.add(answer.content)
            try:
                yield b""
                while not self._draining and (piece := await answer.content.readany()):
                    yield piece
            finally:
                self._followed.remove(answer.content)

    def _opened(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise ApiRefusal(status=503, code=UNAVAILABLE)
        return self._http


def _headers(visitor: Visitor, token: str | None) -> dict[str, str]:
    named = visitor.headers()
    return named if token is None else {**named, "Authorization": f"Bearer {token}"}


def path_step(text: str) -> str:
    """Return an id of a form as a step of a path; what cannot be an id names nothing there.

    Two dots would lead to another route.
    """
    return text if _ID.fullmatch(text) else "-"


def _refusal(status: int, text: bytes, retry_after: str | None) -> ApiRefusal:
    problem = json.loads(text)
    if not isinstance(problem, dict):
        raise TypeError
    errors = problem.get("errors", [])
    return ApiRefusal(
        status=status,
        code=str(problem.get("code", "")),
        errors={str(one["pointer"]): str(one["message"]) for one in errors},
        continuation=str(problem.get("continuation", "")),
        parts={
            name: ", ".join(map(str, part)) if isinstance(part, list) else str(part)
            for name, part in problem.items()
        },
        retry_after=int(retry_after) if retry_after and retry_after.isdecimal() else None,
    )
