"""How does a client get its answer while what answers is killed again and again?"""

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

SECONDS = 120.0
"""How long a client asks again, and waits for a mail."""
LOOK_SECONDS = 0.3
"""Between two looks at the mails, each of which fetches many."""
NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass
class Tally:
    """What clients met. A doubt is a write without an answer: it may have happened or not."""

    requests: int = 0
    retries: int = 0
    doubts: int = 0
    checks: int = 0
    answered: int = 0
    late: list[float] = field(default_factory=list)
    """Seconds that changes took to be in force, of those whose answer said "not yet"."""
    retries_while_down: Counter[str] = field(default_factory=Counter)
    server_errors: list[str] = field(default_factory=list)
    wrong_allows: list[str] = field(default_factory=list)
    wrong_denials: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Settled:
    """An answer at last, and how many attempts before it are in doubt."""

    answer: Answer
    doubts: int

    def expect(self, *statuses: int) -> Any:
        """The body, when the status is one of these."""
        return self.answer.expect(*statuses)


class Patience:
    """Asks again whatever was not answered, as a sensible client does."""

    def __init__(self, tally: Tally, *, down: Callable[[], Collection[str]]) -> None:
        """`down` names what is dead at the moment."""
        self.tally = tally
        self.sending = asyncio.Event()
        """Set for a moment whenever a write is sent."""
        self._down = down

    async def insist(
        self,
        browser: Browser,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
    ) -> Settled:
        """Send until somebody answers; `key` is the Idempotency-Key of each attempt."""
        headers = {} if key is None else {"Idempotency-Key": key}
        deadline = time.monotonic() + SECONDS
        doubts = 0
        pause = 0.1
        while True:
            self.tally.requests += 1
            if method != "GET":
                self.sending.set()
                self.sending.clear()
            try:
                answer = await browser.send(method, path, body, headers=headers)
            except NO_ANSWER as problem:
                last = repr(problem)
            else:
                if answer.status < 500:
                    return Settled(answer, doubts)
                last = f"{answer.status} {answer.body}"
                if answer.status == 500:
                    self.tally.server_errors.append(f"{method} {path}: {answer.body}")
            assert time.monotonic() < deadline, f"no answer to {method} {path}, last {last}"
            doubts += method != "GET"
            self.tally.doubts += method != "GET"
            self.tally.retries += 1
            self.tally.retries_while_down.update(self._down())
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 2, 1.0)


class Post:
    """The caught mails, read once for everybody who waits for one."""

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
            await asyncio.sleep(LOOK_SECONDS)

    async def newest(self, address: str, subject: str) -> dict[str, Any]:
        """The newest mail to `address` whose subject holds `subject`, once there is one."""

        def arrived() -> dict[str, Any] | None:
            for _, mail in sorted(self._mails.items(), reverse=True):
                if mail["to"] == address and subject in mail["subject"].lower():
                    return mail
            return None

        return await wait_for(arrived, within=SECONDS, what=f"a mail about {subject} to {address}")

    async def message_ids(self) -> list[str]:
        """Our ids of all caught mails, doubles too."""
        mails = await Mailbox(self._http, self._url()).all()
        return [mail["message_id"].strip("<>").partition("@")[0] for mail in mails]


class Guard:
    """A service of the platform that asks every replica of authz whether somebody may."""

    def __init__(
        self,
        platform: Platform,
        tally: Tally,
        *,
        replicas: tuple[str, ...],
        client: tuple[str, str],
    ) -> None:
        """`client` is the service client's id and secret."""
        self._platform = platform
        self._tally = tally
        self._replicas = replicas
        self._client = client

    async def sign_in(self) -> None:
        """Get a token, however long that takes."""

        async def signed_in() -> bool:
            with contextlib.suppress(*NO_ANSWER):
                await self._platform.sign_in(*self._client)
                return True
            return False

        await wait_for(signed_in, within=SECONDS, what="a token for the service client")

    async def reason(self, base: str, user: str, account: str, permission: str) -> str | None:
        """Why one replica decides as it does; `None` while it gives no decision."""
        self._tally.checks += 1
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
        self._tally.answered += 1
        body = answer.expect(200)
        reason = str(body["context"]["reason"])
        assert body["decision"] is (reason == "allowed"), body
        return reason

    async def reasons(self, user: str, account: str, permission: str) -> list[str | None]:
        """What each replica says right now."""
        asked = (self.reason(base, user, account, permission) for base in self._replicas)
        return list(await asyncio.gather(*asked))

    async def require_denied(self, user: str, account: str, permission: str) -> None:
        """Ask right after an acknowledged removal: whoever answers must not allow."""
        for _ in range(3):
            said = await self.reasons(user, account, permission)
            if "allowed" in said:
                self._tally.wrong_allows.append(f"{user} in {account}: {permission} {said}")

    async def require_allowed(self, user: str, account: str, permission: str) -> None:
        """Ask right after an acknowledged grant: whoever answers must allow."""
        said = await self.reasons(user, account, permission)
        if set(said) - {"allowed", None}:
            self._tally.wrong_denials.append(f"{user} in {account}: {permission} {said}")

    async def require_everywhere(
        self, reason: str, user: str, account: str, permission: str
    ) -> None:
        """Wait until each replica decides, and then with this reason."""

        async def decided() -> list[str | None] | None:
            said = await self.reasons(user, account, permission)
            return None if None in said else said

        said = await wait_for(decided, within=60, what="a decision of every replica")
        assert said == [reason] * len(self._replicas), (user, account, permission, said)
