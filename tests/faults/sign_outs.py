"""Sessions that end while the broker or a process of team is frozen, and what is still accepted."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.journey import World
from tests.e2e.people import PASSWORD, Answer, Link, Person
from tests.e2e.processes import Processes, ServiceProcess
from tests.faults.clients import NO_ANSWER
from tests.faults.planted_sign_outs import DEFECTS
from tests.waiting import wait_for

WRITERS = 2
"""Writers for each target: they send one request after the other."""
FRESH_REQUESTS = 4
"""The requests that each target gets at once right after the answer."""
WRITER_PAUSE_SECONDS = 0.05
"""The pause of a writer: enough requests in every phase, and time for the processes to answer."""
BEFORE_SECONDS = 0.3
AFTER_SECONDS = 1.3
"""How long the writers continue after the answer: longer than a lease."""
LEASE_SECONDS = "1"
PLANTED_LEASE_SECONDS = "20"
"""Beside a planted defect: a process that was frozen for seconds still has its lease."""
NEW_PASSWORD = "quiet-otters-paint-maps-9"


@dataclass(frozen=True)
class Target:
    """A request that a live session may make, to one process."""

    service: str
    base: str
    method: str
    path: str
    body: Any = None


@dataclass
class SignOuts:
    """A running product, one user, and the answers that were counted so far."""

    product: Processes
    world: World
    http: aiohttp.ClientSession
    user: Person
    accepted: Counter[str] = field(default_factory=Counter)
    """By service, the requests that were sent after the answer and accepted."""
    answers: Counter[str] = field(default_factory=Counter)
    """The status of every request that was sent after the answer."""
    endings: Counter[str] = field(default_factory=Counter)
    choices: random.Random = field(default_factory=random.Random)
    late: int = 0
    """Ends that were not in force when they were answered (202, 503)."""

    def begin(self, seed: int) -> None:
        """Count from nothing."""
        self.choices.seed(seed)
        self.accepted.clear()
        self.answers.clear()
        self.endings.clear()
        self.late = 0

    async def plant(self, defect: str | None) -> None:
        """Run with this defect, or without any; restart only what differs."""
        changed: list[ServiceProcess] = []
        for process in (*self.product.replicas_of("identity"), *self.product.replicas_of("team")):
            module = f"services.{process.service}"
            arguments: tuple[str, ...] = ()
            lease = LEASE_SECONDS
            if defect is not None and process.service in DEFECTS[defect]:
                module = "tests.faults.planted_sign_outs"
                arguments = (defect, process.service)
                lease = PLANTED_LEASE_SECONDS
            if (process.module, tuple(process.arguments)) != (module, arguments):
                process.module, process.arguments = module, arguments
                name = f"ROLECALL_{process.service}_LEASE_SECONDS".upper()
                process.variables = {**process.variables, name: lease}
                changed.append(process)
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in changed))
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in changed))

    async def round(self, kind: str, *, frozen_team: bool) -> None:
        """End a session in this way while the broker is frozen, and count what is accepted."""
        victim = self.again()
        await victim.log_in()
        end = await ENDINGS[kind](self, victim)
        await self._ready(victim)
        ended_at: list[float] = []
        clock = asyncio.get_running_loop().time
        frozen = [self.product.broker.pid]
        if frozen_team:
            frozen.append(self.product.replicas_of("team")[0].pid)
        with stopped(frozen[:1]):
            writers = [
                asyncio.create_task(self._write(victim, target, ended_at))
                for target in self._targets(victim)
                for _ in range(WRITERS)
            ]
            await asyncio.sleep(BEFORE_SECONDS)
            with stopped(frozen[1:]):
                in_force = await end()
                ended_at.append(clock())
                fresh = [
                    asyncio.create_task(self._send(victim, target, ended_at))
                    for target in self._targets(victim)
                    for _ in range(FRESH_REQUESTS)
                ]
                await asyncio.sleep(0.05)
            await asyncio.sleep(AFTER_SECONDS)
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
            await asyncio.gather(*fresh)
        if in_force:
            self.endings[kind] += 1
        else:
            self.late += 1

    def table(self, seed: int) -> str:
        """The counts of this run in a sentence."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.endings.items()))
        counts = ", ".join(f"{status} {count}" for status, count in sorted(self.answers.items()))
        accepted = ", ".join(f"{name} {count}" for name, count in sorted(self.accepted.items()))
        return (
            f"seed {seed}: sessions ended by {kinds}; {self.late} late; answers to requests sent"
            f" afterwards: {counts}; accepted: {accepted or 'none'}"
        )

    def again(self) -> Person:
        """The same user, for another session."""
        user = self.user
        return Person(self.http, user.base, mailbox=user.mailbox, name=user.name, email=user.email)

    def _targets(self, victim: Person) -> Iterator[Target]:
        account = f"/v1/accounts/{self.user.account_id}"
        for process in self.product.replicas_of("team"):
            name = {"name": f"Crew {self._letter()}"}
            yield Target("team", process.url, "PATCH", account, name)
            yield Target("team", process.url, "GET", "/v1/me/accounts")
        for process in self.product.replicas_of("identity"):
            name = {"name": f"Ana {self._letter()}"}
            yield Target("identity", process.url, "PATCH", "/v1/me", name)
        for process in self.product.replicas_of("audit"):
            yield Target("audit", process.url, "GET", f"{account}/audit-events")
        question = {
            "subject": {"type": "user", "id": self.user.user_id},
            "action": {"name": "view"},
            "resource": {
                "type": "account",
                "id": self.user.account_id,
                "properties": {"account_id": self.user.account_id},
            },
        }
        for process in self.product.replicas_of("authz"):
            yield Target("authz", process.url, "POST", "/access/v1/evaluation", question)

    def _letter(self) -> str:
        return self.choices.choice("bcdfghklmnprstv")

    async def _ready(self, victim: Person) -> None:
        """Wait until every target accepts the session."""

        async def accepted() -> bool:
            sent = await asyncio.gather(
                *(
                    victim.send_once(each.method, each.path, each.body, base=each.base)
                    for each in self._targets(victim)
                )
            )
            return all(answer.status < 300 for answer in sent)

        await wait_for(accepted, what="the session accepted everywhere")

    async def _write(self, victim: Person, target: Target, ended_at: Sequence[float]) -> None:
        while True:
            await self._send(victim, target, ended_at)
            await asyncio.sleep(WRITER_PAUSE_SECONDS)

    async def _send(self, victim: Person, target: Target, ended_at: Sequence[float]) -> None:
        after = bool(ended_at)
        try:
            answer = await victim.send_once(
                target.method, target.path, target.body, base=target.base
            )
        except NO_ANSWER:
            return
        if after:
            self.answers[str(answer.status)] += 1
            if answer.status < 400:
                self.accepted[target.service] += 1


End = Callable[[], Awaitable[bool]]
"""Ends the session, and returns whether its end is in force everywhere."""


async def by_sign_out(signs: SignOuts, victim: Person) -> End:
    """The user signs out; after a 202 the sign-out is repeated until it is in force."""

    async def end() -> bool:
        async def in_force() -> Answer | None:
            answer = await victim.send_once("POST", "/v1/logout")
            return None if answer.status in {202, 503} else answer

        (await wait_for(in_force, what="the sign-out in force")).expect(204)
        return True

    return end


async def by_another_password(signs: SignOuts, victim: Person) -> End:
    """The user changes the password in another session."""
    elsewhere = signs.again()
    await elsewhere.log_in()

    async def end() -> bool:
        body = {"current": PASSWORD, "new": NEW_PASSWORD}
        changed = await elsewhere.send("POST", "/v1/me/password", body)
        changed.expect(204, 202)
        back = {"current": NEW_PASSWORD, "new": PASSWORD}
        (await elsewhere.send("POST", "/v1/me/password", back)).expect(204, 202)
        return changed.status == 204

    return end


async def by_password_reset(signs: SignOuts, victim: Person) -> End:
    """The user resets the password by a mailed link."""
    assert victim.mailbox is not None
    known = len(
        [
            mail
            for mail in await victim.mailbox.all(victim.email)
            if "reset" in mail["subject"].lower()
        ]
    )
    (await victim.send("POST", "/v1/password/forgot", {"email": victim.email})).expect(202)
    mail = await victim.mailbox.newest(victim.email, "reset", count=known + 1)
    token = Link.in_text(mail["text"]).token

    async def end() -> bool:
        body = {"token": token, "password": PASSWORD}
        reset = await victim.send("POST", "/v1/password/reset", body)
        reset.expect(200, 202, 204)
        return reset.status != 202

    return end


async def by_a_stolen_refresh_token(signs: SignOuts, victim: Person) -> End:
    """An old refresh token comes back after its successor was used."""
    old = {"refresh_token": victim.refresh_token}
    for _ in range(2):
        body = {"refresh_token": victim.refresh_token}
        victim.signed_in((await victim.send("POST", "/v1/token/refresh", body)).expect(200))

    async def end() -> bool:
        async def in_force() -> Answer | None:
            answer = await victim.send_once("POST", "/v1/token/refresh", old)
            return None if answer.status == 503 else answer

        (await wait_for(in_force, what="the end in force")).expect(401)
        return True

    return end


ENDINGS: dict[str, Callable[[SignOuts, Person], Awaitable[End]]] = {
    "sign-out": by_sign_out,
    "another password": by_another_password,
    "password reset": by_password_reset,
    "a stolen refresh token": by_a_stolen_refresh_token,
}
"""Each prepares its ending, and returns what ends the session."""


@contextmanager
def stopped(groups: Sequence[int]) -> Iterator[None]:
    """Stop these process groups for the time of the block."""
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[SignOuts]:
    """A running product with two processes of team and authz each, and a user with an account."""
    limits = {
        "mails_per_address": "10000",
        "lease_seconds": LEASE_SECONDS,
        "requests_at_once": "1000",
    }
    options = {"team": limits, "identity": limits | {"mails_per_ip": "100000"}}
    product = Processes(folder, replicas={"authz": 2, "team": 2}, options=options)
    try:
        await asyncio.to_thread(product.start)
        deployment = await asyncio.to_thread(product.deployment)
        timeout = aiohttp.ClientTimeout(total=30)
        connections = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connections) as http:
            world = World(deployment, http)
            user = world.person("Ana")
            await user.sign_up()
            yield SignOuts(product, world, http, user)
    finally:
        await asyncio.to_thread(product.stop)
