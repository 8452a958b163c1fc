"""How does one service ask another?"""
# ruff: noqa: ASYNC109 - the callers say how long they wait, one deadline over all replicas

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    ThreadedResolver,
)
from pydantic import BaseModel, SecretStr

from shared import context
from shared.auth.internal_tokens import SERVICE_HEADER, InternalSigner
from shared.clock import Clock
from shared.contracts.facts import Actor
from shared.problems import Refusal, Unavailable, refusal_of

TIMEOUT = 2.0
CONNECTIONS = 100
DNS_SECONDS = 1
"""Containers that are made anew have new addresses, and may have each other's."""

_log = logging.getLogger(__name__)
_NOT_US = frozenset({401, 403})


class InternalClient:
    """Calls the internal routes of the other services.

    Each call is signed for its callee and names the principal it is made for: `act`, or else the
    one of the request that is being served. A call that finds a replica gone, silent or saying 503
    goes on to the next address within the same time, so internal POSTs must be repeatable.
    """

    def __init__(
        self,
        *,
        service: str,
        key: SecretStr,
        urls: Mapping[str, Sequence[str]],
        clock: Clock,
    ) -> None:
        """`urls` are the addresses of each service's replicas, without a path."""
        self._signer = InternalSigner(service=service, key=key, clock=clock)
        self._urls = {name: [url.rstrip("/") for url in many] for name, many in urls.items()}
        self._preferred = dict.fromkeys(self._urls, 0)
        self._session: ClientSession | None = None

    async def get(
        self, callee: str, path: str, *, act: Actor | None = None, timeout: float = TIMEOUT
    ) -> Any:
        """The JSON that `GET path` of `callee` answers (None for 204).

        Raises:
            Unavailable: no replica answered within `timeout` seconds.
            Refusal: the callee refused; `code` is the one that it named.
        """
        return await self._ask("GET", callee, path, None, act, timeout)

    async def post(
        self,
        callee: str,
        path: str,
        body: BaseModel | Mapping[str, Any],
        *,
        act: Actor | None = None,
        timeout: float = TIMEOUT,
    ) -> Any:
        """The JSON that `POST path` of `callee` answers; refusals as with `get`."""
        content = (
            body.model_dump_json(by_alias=True)
            if isinstance(body, BaseModel)
            else json.dumps(body, allow_nan=False)
        )
        return await self._ask("POST", callee, path, content.encode(), act, timeout)

    async def delete(
        self, callee: str, path: str, *, act: Actor | None = None, timeout: float = TIMEOUT
    ) -> Any:
        """The JSON that `DELETE path` of `callee` answers; refusals as with `get`."""
        return await self._ask("DELETE", callee, path, None, act, timeout)

    async def close(self) -> None:
        """Close the connections; the client must not be used after it."""
        if self._session is not None:
            await self._session.close()

    async def _ask(
        self,
        method: str,
        callee: str,
        path: str,
        content: bytes | None,
        act: Actor | None,
        timeout: float,
    ) -> Any:
        urls = self._urls.get(callee)
        if not urls:
            raise LookupError(f"the configuration names no internal address of {callee}")
        headers = self._headers(callee, act)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        start = self._preferred[callee]
        # One address is tried twice: behind it may be several replicas, or a connection gone stale.
        attempts = max(len(urls), 2)
        for attempt in range(attempts):
            chosen = (start + attempt) % len(urls)
            share = (deadline - loop.time()) / max(1, len(urls) - attempt)
            if share <= 0:
                break
            try:
                async with asyncio.timeout(share):
                    answer = await self._once(callee, method, urls[chosen] + path, content, headers)
            except (ClientError, OSError, TimeoutError, Unavailable, ValueError):
                # Perhaps another service has this address by now: no connection to it is kept,
                # so that the name is looked up again.
                headers["Connection"] = "close"
                continue
            self._preferred[callee] = chosen
            return answer
        raise Unavailable

    async def _once(
        self,
        callee: str,
        method: str,
        url: str,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> Any:
        session = self._open_session()
        async with session.request(
            method, url, data=content, headers=headers, allow_redirects=False
        ) as response:
            if response.status == 404 and response.headers.get(SERVICE_HEADER) != callee:
                raise Unavailable  # another service has this address now, and no such route
            text = await response.read()
            if response.status == 204:
                return None
            if response.content_type not in {"application/json", "application/problem+json"}:
                raise Unavailable
            document = json.loads(text)
            if response.status < 400:
                return document
            raise self._refused(response.status, url, document)

    def _refused(self, status: int, url: str, problem: Any) -> Refusal:
        """A callee that does not know us is a fault of ours, and no answer to whoever asks."""
        if status in _NOT_US:
            _log.error("internal call refused", extra={"url": url, "status": status})
        if status in _NOT_US or status >= 500 or not isinstance(problem, dict):
            return Unavailable()
        return refusal_of(status, problem)

    def _headers(self, callee: str, act: Actor | None) -> dict[str, str]:
        token = self._signer.token(callee, act=act or context.actor.get())
        known = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Request-ID": context.request_id.get(),
            "traceparent": context.traceparent.get(),
        }
        return {name: value for name, value in known.items() if value is not None}

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    limit=CONNECTIONS,
                    ttl_dns_cache=DNS_SECONDS,
                    # aiodns, the default where there is one, keeps an address as long as the name
                    # server says. Docker's says ten minutes, and a restart may change it.
                    resolver=ThreadedResolver(),
                ),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session
