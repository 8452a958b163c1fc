"""Checks that a running Rolecall answers: attempts within one deadline, behind a breaker."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from rolecall.aio.breaker import CircuitBreaker
from rolecall.aio.credentials import ClientToken
from rolecall.aio.errors import BusyError, NoAnswerError, RequestRefusedError
from rolecall.aio.groups import KnownGroups
from rolecall.aio.refusals import undecided
from rolecall.aio.transport import Transport
from rolecall.client.evaluations import CheckDecision, UndecidedError, decision_of
from rolecall.client.explanations import (
    EXPLAIN_PATH,
    CheckExplanation,
    explanation_of,
    holders_of,
    who_can_path,
)
from rolecall.client.transport import HttpAnswer
from rolecall.core.who_can import Holder

EVALUATION_PATH = "/access/v1/evaluation"
EVALUATIONS_PATH = "/access/v1/evaluations"
ITEMS_OF_REQUEST = 100
CHECKS_AT_ONCE = 16
CHECK_REFUSED = "check-refused"
"""The reason of a check among several that Rolecall refuses."""
FIRST_PAUSE_SECONDS = 0.05
T = TypeVar("T")

_log = logging.getLogger(__name__)


class RemoteChecks:
    """Asks Rolecall; a failure that another attempt may not have is tried again in time."""

    def __init__(self, transport: Transport, credentials: ClientToken, *, timeout: float) -> None:
        self._transport = transport
        self._credentials = credentials
        self._timeout = timeout
        self._breaker = CircuitBreaker()
        self._has_evaluations = True
        self._groups = KnownGroups()

    async def check(self, evaluation: Mapping[str, Any]) -> CheckDecision:
        """Decide one evaluation.

        Raises:
            UndecidedError: there is no decision by the deadline; its class says why.
        """

        async def attempt(until: float) -> CheckDecision:
            answer = await self._post(EVALUATION_PATH, evaluation, until)
            return _decision(answer.content)

        return await self._in_time(attempt)

    async def check_many(self, evaluations: Sequence[Mapping[str, Any]]) -> list[CheckDecision]:
        """Decide each evaluation by itself, a hundred in one request where Rolecall has that.

        One that Rolecall refuses is not allowed, with the reason `check-refused`.

        Raises:
            UndecidedError: one of them is not decided.
        """
        decisions: list[CheckDecision] = []
        for start in range(0, len(evaluations), ITEMS_OF_REQUEST):
            page = evaluations[start : start + ITEMS_OF_REQUEST]
            found = await self._page(page) if self._has_evaluations and len(page) > 1 else None
            decisions += await self._one_by_one(page) if found is None else found
        return decisions

    async def explain(self, evaluation: Mapping[str, Any]) -> CheckExplanation:
        """Explain one evaluation.

        Raises:
            UndecidedError: there is no explanation by the deadline.
        """
        return await self._read(EXPLAIN_PATH, evaluation, explanation_of)

    async def who_can(self, question: Mapping[str, Any]) -> AsyncIterator[Holder]:
        """Yield the members who may do something; each page has a deadline of its own.

        Raises:
            UndecidedError: there is no answer by the deadline.
        """
        cursor: str | None = None
        while True:
            found, cursor = await self._read(who_can_path(cursor), question, holders_of)
            for holder in found:
                yield holder
            if cursor is None:
                return

    async def _read(
        self, path: str, question: Mapping[str, Any], reader: Callable[[object], T]
    ) -> T:
        async def attempt(until: float) -> T:
            answer = await self._post(path, question, until)
            try:
                return reader(answer.content)
            except UndecidedError as error:
                raise NoAnswerError(str(error)) from error

        return await self._in_time(attempt)

    async def _page(self, page: Sequence[Mapping[str, Any]]) -> list[CheckDecision] | None:
        """Decide a page in one request; `None` if this Rolecall has no such route."""

        async def attempt(until: float) -> list[CheckDecision]:
            body = {"evaluations": list(page)}
            answer = await self._post(EVALUATIONS_PATH, body, until)
            match answer.content:
                case {"evaluations": [*items]} if len(items) == len(page):
                    return [_item(content) for content in items]
            raise NoAnswerError("The answer does not have one decision for each check.")

        try:
            return await self._in_time(attempt)
        except _NoSuchRouteError:
            self._has_evaluations = False
            return None

    async def _one_by_one(self, page: Sequence[Mapping[str, Any]]) -> list[CheckDecision]:
        free = asyncio.Semaphore(CHECKS_AT_ONCE)

        async def one(evaluation: Mapping[str, Any]) -> CheckDecision:
            async with free:
                try:
                    return await self.check(evaluation)
                except RequestRefusedError as error:
                    return _refused(error)

        return list(await asyncio.gather(*map(one, page)))

    async def _in_time(self, attempt: Callable[[float], Awaitable[T]]) -> T:
        """Run attempts until one succeeds, the deadline is near, or the failure is final."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout
        pause = FIRST_PAUSE_SECONDS
        while True:
            self._breaker.require_closed(loop.time())
            try:
                found = await attempt(until)
            except UndecidedError as error:
                if not error.temporary:
                    self._breaker.succeeded()
                    raise
                busy = error if isinstance(error, BusyError) else None
                if busy is not None and busy.of_request:
                    self._breaker.given_up()
                else:
                    self._breaker.failed(loop.time())
                asked = None if busy is None else busy.retry_after
                wait = max(pause * random.uniform(0.5, 1), asked or 0)
                if loop.time() + wait >= until:
                    raise
            except BaseException:
                self._breaker.given_up()
                raise
            else:
                self._breaker.succeeded()
                return found
            await asyncio.sleep(wait)
            pause *= 2

    async def _post(self, path: str, body: Mapping[str, Any], until: float) -> HttpAnswer:
        token = await self._credentials.token(until=until)
        answer, headers = await self._send(path, body, token, until)
        if answer.status == 401:
            # The signing keys may have changed. A new token is worth one more attempt.
            token = await self._credentials.token(until=until, refused=token)
            answer, headers = await self._send(path, body, token, until)
        if answer.status in {404, 405} and path == EVALUATIONS_PATH:
            raise _NoSuchRouteError(f"Rolecall has no {path}.")
        if answer.status != 200:
            raise undecided(answer, headers, names_revision=_names_revision(body))
        return answer

    async def _send(
        self, path: str, body: Mapping[str, Any], token: str, until: float
    ) -> tuple[HttpAnswer, Mapping[str, str]]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer, told = await self._transport.send(
            "POST",
            path,
            headers={**headers, **self._groups.header(_accounts(body))},
            body=json.dumps(body).encode(),
            until=until,
        )
        self._groups.learn(told)
        return answer, told


class _NoSuchRouteError(RequestRefusedError):
    """This Rolecall is of a version without the route."""


def _accounts(body: Mapping[str, Any]) -> Iterator[str | None]:
    """The account of each evaluation, or of the question who can."""
    for each in body.get("evaluations", (body,)):
        properties = each.get("resource", {}).get("properties", {})
        yield properties.get("account_id") or each.get("account_id")


def _names_revision(body: Mapping[str, Any]) -> bool:
    evaluations = body.get("evaluations", (body,))
    return any(each.get("context", {}).get("at_least_revision") is not None for each in evaluations)


def _item(content: object) -> CheckDecision:
    """The decision of one evaluation of several; the others do not depend on it."""
    try:
        return _decision(content)
    except RequestRefusedError as error:
        return _refused(error)


def _refused(error: RequestRefusedError) -> CheckDecision:
    _log.error("one of several permission checks was refused: %s", error)
    return CheckDecision(allowed=False, reason=CHECK_REFUSED)


def _decision(content: object) -> CheckDecision:
    match content:
        case {"context": {"error": {"message": str(message)}}}:
            raise RequestRefusedError(f"Rolecall refused a check: {message}")
    try:
        return decision_of(content)
    except UndecidedError as error:
        raise NoAnswerError(str(error)) from error
