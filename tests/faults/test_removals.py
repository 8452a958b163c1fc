"""When a removal has been acknowledged, does any replica of authz still allow the member?

In half of the removals one replica is stopped before, and continued right after the answer: its
first answers are what counts. In half of those its link to the broker is cut too.
"""

import asyncio
import os
import random
import secrets
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.journey import World
from tests.e2e.people import Answer, Link, Person
from tests.e2e.processes import HOST, Processes, ServiceProcess
from tests.faults.chaos_proxy import ChaosProxy
from tests.faults.planted import DEFECTS
from tests.faults.questions import Line, Question
from tests.waiting import wait_for

REMOVALS = int(os.environ.get("ROLECALL_TEST_REMOVALS", "200"))
SEED = int(os.environ.get("ROLECALL_TEST_SEED") or secrets.randbelow(10**9))
TEAMS = 5
"""As many members are removed at the same time, each from a team of its own."""
FIRST_ANSWERS = 50
TOKEN_SECONDS = 300
"""How long an access token lives."""
WATCH_SECONDS = 1.2
"""How long every replica is watched after a removal: longer than a lease."""
LINES = 5
LEASE_SECONDS = "1"
REPLY_DELAY = 0.02
"""What a call from authz to team takes longer each way, so that a stop meets it on its way."""


class Linked(Processes):
    """Three replicas of authz, each with links of its own to the broker and to team."""

    def __init__(self, folder: Path, *, options: Mapping[str, Mapping[str, str]]) -> None:
        """The proxies are added by whoever has the event loop that they run in."""
        super().__init__(folder, options=options)
        self.bus: list[ChaosProxy] = []
        self.team: list[ChaosProxy] = []

    def configure(self) -> None:
        """Put the proxies between."""
        super().configure()
        [team] = self.replicas_of("team")
        for process in self.replicas_of("authz"):
            variables = dict(process.variables)
            for name, port, proxy in (
                ("ROLECALL_AUTHZ_AMQP_URL", self.broker.port, self.bus[process.replica]),
                ("ROLECALL_AUTHZ_INTERNAL_URLS", team.internal_port, self.team[process.replica]),
            ):
                variables[name] = variables[name].replace(f":{port}", f":{proxy.port}")
            process.variables = variables

    async def plant(self, defect: str | None) -> None:
        """Start team and authz anew, one of them with the defect."""
        changed = [*self.replicas_of("team"), *self.replicas_of("authz")]
        for process in changed:
            process.module = f"services.{process.service}"
            process.arguments = ()
            if defect is not None and DEFECTS[defect][0] == process.service:
                process.module, process.arguments = "tests.faults.planted", (defect,)
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in changed))
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in changed))


@dataclass
class Seat:
    """A team with an owner, and a member who is removed again and again."""

    owner: Person
    member: Person

    @property
    def path(self) -> str:
        """The team's address."""
        return f"/v1/accounts/{self.owner.account_id}"

    @property
    def question(self) -> Question:
        """What is asked about the member."""
        return Question(self.member.user_id, self.owner.account_id)

    async def join(self) -> None:
        """Invite by link, and accept."""
        body = {"email": self.member.email, "role": "developer", "delivery": "link"}
        answer = await self.owner.send("POST", f"{self.path}/invitations", body)
        link = Link.in_text(answer.expect(201)["link"]["url"])
        joined = await self.member.send("POST", "/v1/invitations/accept", link.body)
        joined.expect(200, 202)

    async def remove(self) -> None:
        """Remove the member, and return with the acknowledgement: 204, nothing less.

        After 202 (made, not yet in force) whoever wants to know asks again: 503 until it is in
        force, then 404, because nobody is told that a member is gone before that.
        """
        path = f"{self.path}/members/{self.member.user_id}"
        answer = await self.owner.send("DELETE", path)
        if answer.status != 202:
            answer.expect(204)
            return

        async def in_force() -> Answer | None:
            again = await self.owner.send("DELETE", path)
            return None if again.status in {202, 503} else again

        (await wait_for(in_force, within=30, what="the removal in force")).expect(404)


@dataclass
class Trial:
    """A running product, the seats, and what came out so far."""

    product: Linked
    world: World
    seats: list[Seat] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    removals: int = 0
    stopped: int = 0
    cut: int = 0
    signed_in_at: float = 0.0

    @property
    def replicas(self) -> list[ServiceProcess]:
        return self.product.replicas_of("authz")

    async def sit_down(self) -> None:
        """Make the teams, with a member each."""

        async def one(number: int) -> Seat:
            owner, member = self.world.person(f"Owner {number}"), self.world.person("Member")
            await owner.sign_up()
            await member.sign_up()
            path = f"/v1/accounts/{owner.account_id}/convert"
            (await owner.send("POST", path, {"name": "Crew"})).expect(200, 202)
            return Seat(owner=owner, member=member)

        self.seats = [await one(number) for number in range(2 * TEAMS)]

    async def begin(self, defect: str | None) -> None:
        """Start with or without a defect, and count from nothing."""
        await self.product.plant(defect)
        for proxy in self.product.team:
            proxy.delay = REPLY_DELAY
        await self.sign_in_again()
        self.said.clear()
        self.removals = self.stopped = self.cut = 0

    async def sign_in_again(self) -> None:
        """Get tokens that outlive a round."""
        deployment = self.world.deployment
        await self.world.platform.sign_in(deployment.client_id, deployment.client_secret)
        for seat in self.seats:
            await seat.owner.log_in()
            await seat.member.log_in()
        self.signed_in_at = asyncio.get_running_loop().time()

    async def join(self) -> None:
        """Every seat is taken, and every replica says so."""
        await asyncio.gather(*(seat.join() for seat in self.seats))

        async def allowed() -> bool:
            asked = [await self.ask(process, self.seats, 1) for process in self.replicas]
            said = await self.read([line for lines in asked for line in lines])
            return said == {"allow": len(self.replicas) * len(self.seats)}

        await wait_for(allowed, within=30, what="the members allowed everywhere")

    async def ask(self, process: ServiceProcess, seats: Sequence[Seat], times: int) -> list[Line]:
        """Put each seat's question to a replica, `times` in all for each seat."""
        token = self.world.platform.token or ""
        lines = [await Line.to(process.url) for _ in range(min(LINES, times))]
        for seat in seats:
            for line in lines:
                line.ask(seat.question.request(token), times=times // len(lines))
        return lines

    async def read(self, lines: list[Line]) -> Counter[str]:
        """Every answer on these lines."""
        said: Counter[str] = Counter()
        for answers in await asyncio.gather(*(line.answers() for line in lines)):
            said += answers
        for line in lines:
            line.close()
        return said

    async def remove(self, seats: Sequence[Seat]) -> None:
        """Remove these members at the same time; returns when all of it is acknowledged."""
        await asyncio.gather(*(seat.remove() for seat in seats))
        self.removals += len(seats)

    async def round(self, dice: random.Random, *, cut: bool) -> None:
        """Remove one half while a replica stands still, the other half when it has come back."""
        if asyncio.get_running_loop().time() > self.signed_in_at + TOKEN_SECONDS / 2:
            await self.sign_in_again()
        victim = dice.choice(self.replicas)
        bus = self.product.bus[victim.replica]
        asleep, awake = self.seats[:TEAMS], self.seats[TEAMS:]
        await self.join()
        if cut:
            bus.cut()
            # What is on its way to team now, or back, is most likely a lease.
            async with asyncio.timeout(10):
                await self.product.team[victim.replica].next_request()
        await asyncio.sleep(dice.random() * 2 * REPLY_DELAY)
        os.killpg(victim.pid, signal.SIGSTOP)
        try:
            await self.remove(asleep)
            lines = await self.ask(victim, asleep, FIRST_ANSWERS)
        finally:
            os.killpg(victim.pid, signal.SIGCONT)
        self.stopped += len(asleep)
        self.cut += len(asleep) if cut else 0
        # Its lease row lapsed: the next removals meet its first grant on the way.
        first = asyncio.create_task(self.read(lines))
        await asyncio.sleep(dice.random() * 0.3)
        await self.remove(awake)
        clock = asyncio.get_running_loop()
        until = clock.time() + WATCH_SECONDS
        while clock.time() < until:
            # The one that was away has the worst chance to know: it is asked most.
            for process in (victim, victim, victim, dice.choice(self.replicas)):
                self.said += await self.read(await self.ask(process, awake, 1))
        self.said += await first
        bus.heal()

    def table(self) -> str:
        """What came out."""
        said = ", ".join(f"{what} {count}" for what, count in sorted(self.said.items()))
        return (
            f"seed {SEED}: {self.removals} removals, {self.stopped} with a stopped replica, "
            f"{self.cut} of these with its bus link cut; "
            f"answers after the acknowledgement: {said}; wrong allows {self.said['allow']}"
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    folder: Path = tmp_path_factory.mktemp("removals")
    limits = {"mails_per_address": "10000", "lease_seconds": LEASE_SECONDS}
    options = {"team": limits, "identity": limits | {"mails_per_ip": "100000"}}
    product = Linked(folder, options=options)
    [team] = product.replicas_of("team")
    async with AsyncExitStack() as stack:
        for port, proxies in (
            (product.broker.port, product.bus),
            (team.internal_port, product.team),
        ):
            for _ in product.replicas_of("authz"):
                proxies.append(await stack.enter_async_context(ChaosProxy(HOST, port)))
        try:
            await asyncio.to_thread(product.start)
            deployment = await asyncio.to_thread(product.deployment)
            timeout = aiohttp.ClientTimeout(total=30)
            http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
            trial = Trial(product, World(deployment, http))
            await trial.sit_down()
            yield trial
        finally:
            await asyncio.to_thread(product.stop)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
async def test_no_replica_allows_a_removed_member_after_the_acknowledgement(
    trial: Trial, report
) -> None:
    await trial.begin(None)
    dice = random.Random(SEED)
    while trial.removals < REMOVALS:
        await trial.round(dice, cut=trial.stopped // TEAMS % 2 == 1)
    report(trial.table())

    assert trial.said["allow"] == 0, trial.table()
    assert trial.said["deny"] > 0
    assert set(trial.said) <= {"deny", "503"}, trial.table()
    assert trial.stopped >= REMOVALS // 2
    assert trial.cut >= REMOVALS // 4 - TEAMS


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", DEFECTS)
async def test_each_planted_defect_allows_somebody(trial: Trial, report, defect: str) -> None:
    await trial.begin(defect)
    dice = random.Random(SEED)
    while trial.said["allow"] == 0 and trial.removals < 3 * REMOVALS:
        await trial.round(dice, cut=trial.stopped // TEAMS % 2 == 1)
    report(f"{defect}: {trial.table()}")

    assert trial.said["allow"] > 0, trial.table()
