"""Clients of the product that repeat each request until it is answered."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.e2e.people import Answer, Browser, Mailbox, Platform
from tests.waiting import wait_for

ANSWER_SECONDS = 120.0
"""How long a client repeats a request, and waits for a mail."""
MAIL_POLL_SECONDS = 0.3
"""The time between two requests for the newest mails."""
NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass
class ClientCounts:
    """What clients met. A write without an answer is in doubt: it may have happened or not."""

    requests: int = 0
    retries: int = 0
    doubts: int = 0
    checks: int = 0
    answered: int = 0
    late: list[float] = field(default_factory=list)
    """Seconds until a change was in force, for each change that was answered with 202."""
    retries_while_down: Counter[str] = field(default_factory=Counter)
    why_repeated: Counter[str] = field(default_factory=Counter)
    server_errors: list[str] = field(default_factory=list)
    wrong_allows: list[str] = field(default_factory=list)
    wrong_denials: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FinalAnswer:
    """The answer to a repeated request, and how many earlier attempts are in doubt."""

    answer: Answer
    doubts: int

    def expect(self, *statuses: int) -> Any:
        """The body, when the status is one of these."""
        return self.answer.expect(*statuses)


class RetryingClient:
    """Repeats a request that was not answered, with growing pauses."""

    def __init__(self, counts: ClientCounts, *, down: Callable[[], Collection[str]]) -> None:
        """Count into `counts`; `down` names the processes that are dead at the moment."""
        self.counts = counts
        self.sending = asyncio.Event()
        """Set for a moment whenever a write is sent."""
        self._down = down

    async def send(
        self,
        browser: Browser,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
    ) -> FinalAnswer:
        """Send until there is an answer; `key` is the Idempotency-Key of each attempt."""
        headers = {} if key is None else {"Idempotency-Key": key}
        deadline = time.monotonic() + ANSWER_SECONDS
        doubts = 0
        pause = 0.1
        while True:
            self.counts.requests += 1
            if method != "GET":
                self.sending.set()
                self.sending.clear()
            try:
                # Not `send`, which asks again after a 503: that attempt may have had its effect.
                answer = await browser.send_once(method, path, body, headers=headers)
            except NO_ANSWER as problem:
                last = repr(problem)
            else:
                if answer.status < 500:
                    return FinalAnswer(answer, doubts)
                last = f"{answer.status} {answer.body}"
                if answer.status == 500:
                    self.counts.server_errors.append(f"{method} {path}: {answer.body}")
            assert time.monotonic() < deadline, f"no answer to {method} {path}, last {last}"
            doubts += method != "GET"
            self.counts.doubts += method != "GET"
            self.counts.retries += 1
            self.counts.why_repeated[f"{method} {path.rpartition('/')[2]}: {last[:120]}"] += 1
            self.counts.retries_while_down.update(self._down())
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 2, 1.0)


class CaughtMails:
    """The mails of the mail catcher, fetched once for all tasks that wait for one."""

    def __init__(self, http: aiohttp.ClientSession, url: Callable[[], str]) -> None:
        """`url` finds the mail catcher, which may move when it is started again."""
        self._http = http
        self._url = url
        self._mails: dict[int, dict[str, Any]] = {}

    async def run(self) -> None:
        """Fetch the newest mails several times a second. Never ends."""
        while True:
            with contextlib.suppress(*NO_ANSWER, ValueError):
                url, newest = f"{self._url()}/api/messages", {"limit": "200"}
                async with self._http.get(url, params=newest) as answer:
                    items = (await answer.json())["items"]
                    self._mails.update({mail["id"]: mail for mail in items})
            await asyncio.sleep(MAIL_POLL_SECONDS)

    async def newest(self, address: str, subject: str) -> dict[str, Any]:
        """The newest mail to `address` whose subject holds `subject`, once there is one."""

        def arrived() -> dict[str, Any] | None:
            for _, mail in sorted(self._mails.items(), reverse=True):
                if mail["to"] == address and subject in mail["subject"].lower():
                    return mail
            return None

        return await wait_for(
            arrived, within=ANSWER_SECONDS, what=f"a mail about {subject} to {address}"
        )

    async def message_ids(self) -> list[str]:
        """The message ids of all caught mails; a mail that came twice counts twice."""
        mails = await Mailbox(self._http, self._url()).all()
        return [mail["message_id"].strip("<>").partition("@")[0] for mail in mails]


class DecisionChecker:
    """A service of the platform that sends the same check to every replica of authz."""

    def __init__(
        self,
        platform: Platform,
        counts: ClientCounts,
        *,
        replicas: tuple[str, ...],
        client: tuple[str, str],
    ) -> None:
        """`client` is the service client's id and secret."""
        self._platform = platform
        self._counts = counts
        self._replicas = replicas
        self._client = client

    async def sign_in(self) -> None:
        """Get a token; repeated until the service answers."""

        async def signed_in() -> bool:
            with contextlib.suppress(*NO_ANSWER):
                await self._platform.sign_in(*self._client)
                return True
            return False

        await wait_for(signed_in, within=ANSWER_SECONDS, what="a token for the service client")

    async def reason(self, base: str, user: str, account: str, permission: str) -> str | None:
        """The reason of one replica's decision; `None` while it gives none."""
        self._counts.checks += 1
        try:
            answer = await self._platform.ask(
                user, permission, account=account, owner=user, base=base
            )
        except NO_ANSWER:
            return None
        if answer.status == 401:
            await self.sign_in()
            return None
        if answer.status >= 500:
            return None
        self._counts.answered += 1
        body = answer.expect(200)
        reason = str(body["context"]["reason"])
        assert body["decision"] is (reason == "allowed"), body
        return reason

    async def reasons(self, user: str, account: str, permission: str) -> list[str | None]:
        """The reason that each replica gives now."""
        asked = (self.reason(base, user, account, permission) for base in self._replicas)
        return list(await asyncio.gather(*asked))

    async def require_denied(self, user: str, account: str, permission: str) -> None:
        """Check right after an acknowledged removal: no replica may allow."""
        for _ in range(3):
            said = await self.reasons(user, account, permission)
            if "allowed" in said:
                self._counts.wrong_allows.append(f"{user} in {account}: {permission} {said}")

    async def require_allowed(self, user: str, account: str, permission: str) -> None:
        """Check right after an acknowledged grant: every replica that answers must allow."""
        said = await self.reasons(user, account, permission)
        if set(said) - {"allowed", None}:
            self._counts.wrong_denials.append(f"{user} in {account}: {permission} {said}")

    async def require_everywhere(
        self, reason: str, user: str, account: str, permission: str
    ) -> None:
        """Wait until each replica decides; require this reason of all of them."""

        async def decided() -> list[str | None] | None:
            said = await self.reasons(user, account, permission)
            return None if None in said else said

        said = await wait_for(decided, what="a decision of every replica")
        assert said == [reason] * len(self._replicas), (user, account, permission, said)
