"""Sends reports to the audit log: together where several wait, and again with the same ids."""

import asyncio
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from rolecall.aio.credentials import ClientToken
from rolecall.aio.errors import BusyError, NoAnswerError, RequestRefusedError
from rolecall.aio.refusals import undecided
from rolecall.aio.report_types import AuditEvent, MemberUsage, ReportOutcome
from rolecall.aio.transport import Transport
from rolecall.client.evaluations import UndecidedError
from rolecall.client.transport import HttpAnswer

REPORTS = {
    "events": ("/v1/audit/events", "audit:write"),
    "usage": ("/v1/usage", "usage:write"),
}
"""The path and the scope of each kind."""
MOST_REPORTS = 1_000
"""Of one request."""
MOST_BYTES = 1_000_000
"""Of the reports of one request; the API takes four megabytes. More would hold the event loop."""
REPORT_SECONDS = 10.0
"""The least time of a request: it may have a thousand reports."""
FIRST_PAUSE_SECONDS = 0.05

Waiting = tuple[bytes, asyncio.Future[ReportOutcome]]
Told = ReportOutcome | UndecidedError


class ReportSender:
    """Reports of one kind. Those that wait at the same time share a request.

    A failure that another attempt may not have is tried again with the same ids, in time. A report
    is never recorded twice.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: ClientToken,
        *,
        path: str,
        member: str,
        timeout: float,
    ) -> None:
        """Send to this path, as the `member` of the body."""
        self._transport = transport
        self._credentials = credentials
        self._path = path
        self._member = member
        self._timeout = max(timeout, REPORT_SECONDS)
        self._waiting: list[Waiting] = []
        self._sending: asyncio.Task[None] | None = None

    async def add(self, report: AuditEvent | MemberUsage) -> ReportOutcome:
        """Send one report with the others that wait.

        Raises:
            UndecidedError: it is not known to be recorded, or the request is refused.
            TypeError, ValueError: the report is not JSON.
        """
        outcome: asyncio.Future[ReportOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((_text(report), outcome))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_waiting())
        return await outcome

    async def send(self, reports: Sequence[AuditEvent | MemberUsage]) -> list[ReportOutcome]:
        """Send reports; the outcomes have their order.

        Raises:
            UndecidedError: not all of them are known to be recorded; the same again is safe.
            TypeError, ValueError: a report is not JSON.
        """
        return await self._send([_text(report) for report in reports])

    async def close(self) -> None:
        """Wait for what is being sent."""
        if self._sending is not None:
            with suppress(asyncio.CancelledError):
                await self._sending

    async def _send(self, reports: Sequence[bytes]) -> list[ReportOutcome]:
        outcomes: list[ReportOutcome] = []
        for page in _pages(reports):
            outcomes += await self._in_time(page)
        return outcomes

    async def _send_waiting(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            try:
                for outcome, told in zip(
                    (outcome for _, outcome in together),
                    await self._each([report for report, _ in together]),
                    strict=True,
                ):
                    _tell(outcome, told)
            finally:
                for _, outcome in together:
                    outcome.cancel()  # of no effect on one that has its result

    async def _each(self, reports: Sequence[bytes]) -> Sequence[Told]:
        """Send them together. After a refusal of the whole request each is sent alone."""
        try:
            return await self._send(reports)
        except UndecidedError as error:
            if not isinstance(error, RequestRefusedError) or len(reports) == 1:
                return [error for _ in reports]
        found: list[Told] = []
        for report in reports:
            found += await self._each([report])
        return found

    async def _in_time(self, page: Sequence[bytes]) -> list[ReportOutcome]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._attempt(page, until)
            except UndecidedError as error:
                asked = error.retry_after if isinstance(error, BusyError) else None
                wait = max(pause * random.uniform(0.5, 1), asked or 0)
                if not error.temporary or loop.time() + wait >= until:
                    raise
            await asyncio.sleep(wait)
            pause *= 2

    async def _attempt(self, page: Sequence[bytes], until: float) -> list[ReportOutcome]:
        body = b'{"%s":[%s]}' % (self._member.encode(), b",".join(page))
        token = await self._credentials.token(until=until)
        answer, headers = await self._post(body, token, until)
        if answer.status == 401:
            # The signing keys may have changed. A new token is worth one more attempt.
            token = await self._credentials.token(until=until, refused=token)
            answer, headers = await self._post(body, token, until)
        if answer.status != 200:
            raise undecided(answer, headers)
        match answer.content:
            case {"results": [*results]} if len(results) == len(page):
                return [_outcome(told) for told in results]
        raise NoAnswerError("The answer does not have one result for each report.")

    async def _post(
        self, body: bytes, token: str, until: float
    ) -> tuple[HttpAnswer, Mapping[str, str]]:
        return await self._transport.send(
            "POST",
            self._path,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=body,
            until=until,
        )


def _tell(outcome: asyncio.Future[ReportOutcome], told: Told) -> None:
    if outcome.done():
        return  # its caller has left
    if isinstance(told, UndecidedError):
        outcome.set_exception(told)
    else:
        outcome.set_result(told)


def _text(report: AuditEvent | MemberUsage) -> bytes:
    return json.dumps(report.body(), allow_nan=False).encode()


def _pages(reports: Sequence[bytes]) -> Iterator[list[bytes]]:
    page: list[bytes] = []
    size = 0
    for report in reports:
        if page and (len(page) == MOST_REPORTS or size + len(report) > MOST_BYTES):
            yield page
            page, size = [], 0
        page.append(report)
        size += len(report)
    if page:
        yield page


def _outcome(told: object) -> ReportOutcome:
    match told:
        case {"id": str(own), "status": "recorded" | "repeated"}:
            return ReportOutcome(id=own, recorded=True)
        case {"id": str(own), "status": "refused", "refusal": {"code": code, "detail": detail}}:
            return ReportOutcome(id=own, recorded=False, code=str(code), detail=str(detail))
    raise NoAnswerError("The answer has a result that is not one.")
