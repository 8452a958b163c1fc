"""The client by which one service calls the internal routes of another."""
# ruff: noqa: ASYNC109 - the caller gives one deadline over all replicas

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, overload
from urllib.parse import quote, urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from pydantic import BaseModel, SecretStr

from shared import context
from shared.auth.internal_tokens import SERVICE_HEADER, InternalSigner
from shared.clock import Clock
from shared.contracts.calls.base import AnswerT, InternalCall, RequestT
from shared.contracts.facts import Actor
from shared.http.internal_answers import unfit_reported
from shared.http.lanes import TooManyAtOnce
from shared.http.replicas import LookUp, Replica, Replicas, look_up
from shared.http.request_spans import call_span
from shared.http.requests import REQUEST_ID_HEADER
from shared.http.unanswered import NoAnswer, UnansweredLog, error_text
from shared.problems import Invalid, Refusal, Unavailable, refusal_of
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

MAX_CONNECTIONS = 100
KEEP_ALIVE_SECONDS = 5.0
"""Shorter than a listener keeps an idle connection, so none is used that is about to close."""
SILENT_REPLICAS = 3
"""One call has the time for this many replicas that do not answer. More would cut each one's time
too short."""

_log = logging.getLogger(__name__)
_CREDENTIAL_REFUSED = frozenset({401, 403})
_NOT_TAKEN = frozenset({TooManyAtOnce.code, Invalid.code})
_NO_PARAMETERS: Mapping[str, str] = {}


class InternalClient:
    """Makes the calls of `shared.contracts.calls`.

    Each call is signed for its callee. It names the principal that it is made for: `act`, or else
    that of the request being served. When a replica is gone, silent or busy, the call goes
    on to the next one within the same time, until all were asked. A POST must therefore be
    repeatable. A call without an answer is logged.
    """

    def __init__(
        self,
        *,
        service: str,
        key: SecretStr,
        urls: Mapping[str, Sequence[str]],
        clock: Clock,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        look_up: LookUp = look_up,
    ) -> None:
        """Make the client; `urls` are the addresses of each service's replicas, without a path."""
        self._signer = InternalSigner(service=service, key=key, clock=clock)
        self._replicas = Replicas(urls, look_up=look_up)
        self._preferred: dict[str, Replica] = {}
        self._unanswered = UnansweredLog(clock=clock)
        self._timeouts = timeouts
        self._session: ClientSession | None = None

    @overload
    async def call(
        self,
        call: InternalCall[None, AnswerT],
        callee: str,
        /,
        *,
        path: Mapping[str, str] = ...,
        act: Actor | None = ...,
        timeout: float | None = ...,
    ) -> AnswerT: ...

    @overload
    async def call(
        self,
        call: InternalCall[RequestT, AnswerT],
        callee: str,
        request: RequestT,
        /,
        *,
        path: Mapping[str, str] = ...,
        act: Actor | None = ...,
        timeout: float | None = ...,
    ) -> AnswerT: ...

    async def call(
        self,
        call: InternalCall[Any, Any],
        callee: str,
        request: BaseModel | None = None,
        /,
        *,
        path: Mapping[str, str] = _NO_PARAMETERS,
        act: Actor | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Make a call to `callee` and return its answer; `path` has the path's parameters.

        Raises:
            Unavailable: no replica answered within `timeout` seconds (`Timeouts.internal_call`).
            AnswerUnfit: the answer does not fit the class of the call; an `Unavailable`.
            Refusal: the callee refused; `code` is the one that it named.
        """
        answer = await self._ask(
            call, callee, request, path=path, act=act, timeout=timeout, read=json.loads
        )
        if call.answer is NoneType:
            return None
        with unfit_reported(call, callee):
            return call.answer.model_validate(answer)

    async def text(
        self,
        call: InternalCall[RequestT, Any],
        callee: str,
        request: RequestT,
        /,
        *,
        timeout: float | None = None,
    ) -> bytes:
        """Make a call and return the text of its answer, which `read_answer` reads.

        Raises:
            Unavailable, Refusal: as `call`.
        """
        text: bytes = await self._ask(
            call, callee, request, path=_NO_PARAMETERS, act=None, timeout=timeout, read=bytes
        )
        return text

    async def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, call: InternalCall[Any, Any], callee: str, *args: Any, **more: Any) -> Any:
        with call_span(call, callee):
            return await self._tried(call, callee, *args, **more)

    async def _tried(
        self,
        call: InternalCall[Any, Any],
        callee: str,
        request: BaseModel | None,
        *,
        path: Mapping[str, str],
        act: Actor | None,
        timeout: float | None,
        read: Callable[[bytes], Any],
    ) -> Any:
        target, content = _target(call, request, path)
        seconds = self._timeouts.internal_call if timeout is None else timeout
        headers = self._headers(callee, act)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        tried: list[Replica] = []
        error = "no address"
        while (left := deadline - loop.time()) > 0:
            replica, others = await self._choose(callee, tried, timeout=left)
            if replica is None:
                break
            tried.append(replica)
            share = replica_seconds(seconds, left=deadline - loop.time(), others=others)
            try:
                async with asyncio.timeout(share):
                    answer = await self._once(
                        call, callee, replica, target, content, headers, read=read
                    )
            except (ClientError, OSError, TimeoutError, NoAnswer, ValueError) as problem:
                error = error_text(problem, url=replica.url, seconds=share)
                # Another service may have this address now. The connection is not kept.
                headers["Connection"] = "close"
                continue
            self._preferred[callee] = replica
            self._unanswered.answered(callee, call.name)
            return answer
        if not call.polled:  # the loop that polls says itself what it lacks, and for how long
            self._unanswered.unanswered(callee, call.name, error=error)
        raise Unavailable

    async def _choose(
        self, callee: str, tried: Sequence[Replica], *, timeout: float
    ) -> tuple[Replica | None, int]:
        """The replica to ask next, if any, and how many others there are still to ask.

        A single one is asked twice: a connection to it may have gone stale, or its name may have
        another address now.
        """
        try:
            async with asyncio.timeout(timeout):
                there = await self._replicas.of(callee, again=bool(tried))
        except TimeoutError:
            return None, 0
        left = [replica for replica in there if replica not in tried]
        preferred = self._preferred.get(callee)
        if preferred in left:
            left = left[left.index(preferred) :] + left[: left.index(preferred)]
        if not left and len(tried) == 1:
            left = there
        return (left[0], len(left) - 1) if left else (None, 0)

    async def _once(
        self,
        call: InternalCall[Any, Any],
        callee: str,
        replica: Replica,
        target: str,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        read: Callable[[bytes], Any],
    ) -> Any:
        session = self._open_session()
        async with session.request(
            call.method,
            replica.url + target,
            data=content,
            headers={**headers, "Host": replica.host},
            allow_redirects=False,
            server_hostname=replica.name,
        ) as response:
            if response.status == 404 and response.headers.get(SERVICE_HEADER) != callee:
                raise NoAnswer("another service has this address")
            text = await response.read()
            if response.status == 204:
                return None
            if response.content_type not in {"application/json", "application/problem+json"}:
                raise NoAnswer(f"status {response.status} without JSON")
            if response.status < 400:
                return read(text)
            raise self._refused(response.status, call, callee, json.loads(text))

    def _refused(
        self, status: int, call: InternalCall[Any, Any], callee: str, problem: Any
    ) -> Refusal | NoAnswer:
        """What to raise. A refusal of this service's credential is not the user's fault.

        Neither is one of its share of the callee: its calls wait there for an absent database. A
        request that does not fit the callee's class is one of another version of the call, which
        another replica may know.
        """
        if status in _CREDENTIAL_REFUSED:
            about = {"callee": callee, "call": call.name, "status": status}
            _log.error("internal call refused", extra=about)
        code = problem.get("code") if isinstance(problem, dict) else None
        not_asked = status in _CREDENTIAL_REFUSED or status >= 500 or code in _NOT_TAKEN
        if not_asked or not isinstance(problem, dict):
            return NoAnswer(f"status {status}, code {code}")
        return refusal_of(status, problem)

    def _headers(self, callee: str, act: Actor | None) -> dict[str, str]:
        token = self._signer.token(callee, act=act or context.actor.get())
        known = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            REQUEST_ID_HEADER: context.request_id.get(),
            "traceparent": context.traceparent.get(),
        }
        return {name: value for name, value in known.items() if value is not None}

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session


def replica_seconds(timeout: float, *, left: float, others: int) -> float:
    """How long one replica is waited for, of the `left` seconds, with `others` still to ask."""
    return min(left, max(left / (1 + others), timeout / SILENT_REPLICAS))


def _target(
    call: InternalCall[Any, Any], request: BaseModel | None, parameters: Mapping[str, str]
) -> tuple[str, bytes | None]:
    """The path with its query, and the body."""
    if request is None if call.request is not NoneType else request is not None:
        raise TypeError(f"{call.name} takes {call.request.__name__}")
    path = call.path.format_map({name: quote(value, safe="") for name, value in parameters.items()})
    if request is None:
        return path, None
    if call.method == "POST":
        return path, request.model_dump_json(by_alias=True, exclude_defaults=True).encode()
    members = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return (f"{path}?{urlencode(members)}" if members else path), None
