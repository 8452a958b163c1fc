"""Changes that take access away while random faults happen, and what every replica answers."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

from tests.e2e.journey import World
from tests.e2e.people import Browser, Person
from tests.e2e.processes import ServiceProcess
from tests.faults.account_revocations import ACCOUNT_REVOCATIONS
from tests.faults.clients import NO_ANSWER
from tests.faults.fault_counts import Acknowledged, FaultCounts
from tests.faults.member_revocations import MEMBER_REVOCATIONS
from tests.faults.pipelined_checks import CheckConnection
from tests.faults.random_faults import CHEAP, FAULTS, QUIET, FaultScene, choose, happening
from tests.faults.replicated_product import ReplicatedProduct, name_of
from tests.faults.revocation import Revocation
from tests.faults.teams import TeamWithMember
from tests.faults.token_revocations import TOKEN_REVOCATIONS
from tests.waiting import wait_for

KINDS = (*MEMBER_REVOCATIONS, *ACCOUNT_REVOCATIONS, *TOKEN_REVOCATIONS)
CONNECTIONS = 2
CHECKS_EACH = 10
"""The checks on each connection: 20 for each change on each replica."""
PROMPT_SECONDS = 0.005
ATTEMPT_SECONDS = 10.0
"""Longer than a service works on a request: a given up one has no effect later."""
REPEAT_SECONDS = 0.05
LAST_SECONDS = 90.0
"""A change must be in force by then, with all repetitions."""
MOST_START_SECONDS = 2.0
"""Within this time the changes of a round begin."""
FAULT_SECONDS = (1.0, 3.5)
WATCH_SECONDS = 1.3
"""How long every replica is checked after the faults: longer than a lease."""
WATCH_PAUSE_SECONDS = (0.02, 0.2)
"""The first pause between two checks, and the longest: what was missed comes soon after a fault."""
TOKEN_SECONDS = 150
"""Half the life of an access token."""


@dataclass
class FaultyRounds:
    """A running product with one team for each kind of change."""

    scene: FaultScene
    world: World
    revocations: list[Revocation]
    signed_in_at: float
    counts: FaultCounts = field(default_factory=FaultCounts)

    @property
    def replicas(self) -> list[ServiceProcess]:
        """The processes of authz."""
        return self.scene.product.replicas_of("authz")

    async def begin(self, seed: int, *, defect: str | None = None) -> None:
        """Run with or without a defect, and count from nothing."""
        await self.scene.product.plant(defect)
        self.scene.down.clear()
        self.counts = FaultCounts()
        self.scene.choices.seed(seed)

    async def random_round(self, *fixed: str) -> None:
        """Run a round with faults that are chosen now, besides the fixed ones.

        Without a forger they are of the cheap ones. The fixed ones begin first and end last.
        """
        names = CHEAP if self.scene.forger is None else FAULTS
        others = tuple(name for name in names if name not in fixed)
        await self.round((*fixed, *choose(others, self.scene.choices)))

    async def round(self, faults: Sequence[str]) -> None:
        """Give everything, and take all of it away while these faults happen."""
        self.counts.rounds += 1
        named = tuple(faults) or (QUIET,)
        await self.give_all()
        connections = {
            revocation.kind: [
                (process, await CheckConnection.open(process.url))
                for process in self.replicas
                for _ in range(CONNECTIONS)
            ]
            for revocation in self.revocations
        }
        taken: list[Revocation] = []
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            async with happening(self.scene, faults):
                changes = [
                    tasks.create_task(self._take(one, named, connections[one.kind], taken))
                    for one in self.revocations
                ]
                seconds = self.scene.choices.uniform(*FAULT_SECONDS)
                await asyncio.wait(changes, timeout=seconds)
                for process in self.replicas:
                    tasks.create_task(self.watch(process, named, taken, over))
            await asyncio.wait(changes)
            await asyncio.sleep(WATCH_SECONDS)
            over.set()

    async def give_all(self) -> None:
        """Give what will be taken away, and wait until every replica allows it."""
        await self.refresh_tokens()
        await asyncio.gather(*(self._give(one) for one in self.revocations))

        async def allowed() -> bool:
            found = await asyncio.gather(*(self._ask(process) for process in self.replicas))
            wrong = [answers for answers in found if set(answers.values()) != {"allow"}]
            assert not wrong, wrong
            return True

        await wait_for(allowed, what="everything allowed everywhere")

    async def _give(self, revocation: Revocation) -> None:
        """Give once more when a server has just closed the connection."""
        try:
            await revocation.give()
        except NO_ANSWER:
            await revocation.give()

    async def refresh_tokens(self, *, now: bool = False) -> None:
        """Sign everyone in again before a token could end within a round."""
        time = asyncio.get_running_loop().time()
        if time < self.signed_in_at + TOKEN_SECONDS and not now:
            return
        deployment = self.world.deployment
        await self.world.platform.sign_in(deployment.client_id, deployment.client_secret)
        people = {id(person): person for one in self.revocations for person in _people(one)}
        await asyncio.gather(*(person.log_in() for person in people.values()))
        self.signed_in_at = time

    async def acknowledge(self, revocation: Revocation) -> tuple[float, bool, bool]:
        """Send the change until it is in force; the seconds, and whether it was late or repeated.

        A client goes on to another process after an answer that does not come, and after 503.
        """
        clock = asyncio.get_running_loop()
        began = clock.time()
        late = repeated = False
        while True:
            process = self.scene.choices.choice(self.scene.able(revocation.service))
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    answer = await revocation.take(process)
            except NO_ANSWER:
                repeated = True
            else:
                if answer.status in revocation.done:
                    return clock.time() - began, late, repeated
                found = (revocation.kind, answer.status, answer.body)
                assert answer.status in revocation.repeated_on, found
                late = late or answer.status == 202
                repeated = repeated or answer.status != 202
            assert clock.time() < began + LAST_SECONDS, f"{revocation.kind} is not in force"
            await asyncio.sleep(REPEAT_SECONDS)

    async def _take(
        self,
        revocation: Revocation,
        faults: tuple[str, ...],
        connections: Sequence[tuple[ServiceProcess, CheckConnection]],
        taken: list[Revocation],
    ) -> None:
        """Take something away, and check at once on every replica."""
        clock = asyncio.get_running_loop()
        await asyncio.sleep(self.scene.choices.uniform(0, MOST_START_SECONDS))
        beside = asyncio.create_task(self._rename(revocation))
        seconds, late, repeated = await self.acknowledge(revocation)
        await revocation.in_force()
        answered = clock.time()
        request = revocation.request()
        for _, connection in connections:
            connection.send(request, times=CHECKS_EACH)
        prompt = clock.time() - answered <= PROMPT_SECONDS
        taken.append(revocation)
        self.counts.changes.append(
            Acknowledged(
                kind=revocation.kind,
                faults=faults,
                seconds=seconds,
                late=late,
                repeated=repeated,
                prompt=prompt,
            )
        )
        for process, connection in connections:
            answers = await connection.next_answers(CHECKS_EACH)
            connection.close()
            self._count(answers, revocation, faults, f"first checks on {name_of(process)}")
        await beside

    async def _rename(self, revocation: Revocation) -> None:
        """Write a row of the same journal shard while the change is on its way."""
        process = self.scene.choices.choice(self.scene.able("team"))
        name = {"name": f"Crew {self.scene.choices.choice('bcdfghklmnprstv')}"}
        team = revocation.team
        with contextlib.suppress(*NO_ANSWER):
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await team.owner.send_once("PATCH", team.path, name, base=process.url)

    async def watch(
        self,
        process: ServiceProcess,
        faults: tuple[str, ...],
        taken: Sequence[Revocation],
        over: asyncio.Event,
    ) -> None:
        """Check what was taken away on one replica, until it is `over`."""
        pause, longest = WATCH_PAUSE_SECONDS
        while not over.is_set():
            revocations = tuple(taken)
            answers = await self._ask(process, revocations)
            for revocation in revocations:
                if (answer := answers.get(revocation.kind)) is not None:
                    where = f"watched on {name_of(process)}"
                    self._count(Counter({answer: 1}), revocation, faults, where)
            await asyncio.sleep(pause)
            pause = min(longest, pause * 1.3)

    async def _ask(
        self, process: ServiceProcess, revocations: Sequence[Revocation] | None = None
    ) -> dict[str, str]:
        """The answer of a replica to each check, by kind; none when it cannot be reached."""
        revocations = self.revocations if revocations is None else revocations
        try:
            connection = await CheckConnection.open(process.url)
        except OSError:
            return {}
        try:
            for revocation in revocations:
                connection.send(revocation.request(), times=1)
            found = [(one.kind, await connection.next_answers(1)) for one in revocations]
        finally:
            connection.close()
        return {kind: answer for kind, answers in found for answer in answers}

    def _count(
        self, answers: Counter[str], revocation: Revocation, faults: tuple[str, ...], where: str
    ) -> None:
        self.counts.add_answers(
            answers,
            kind=revocation.kind,
            faults=faults,
            refusals=revocation.refusals,
            where=where,
        )


async def prepared(
    product: ReplicatedProduct,
    world: World,
    kinds: Sequence[type[Revocation]],
    *,
    owners: Sequence[Person],
    member: Person,
    signed_in_at: float,
) -> FaultyRounds:
    """One team for each kind of change, with what it needs, of people who signed in then.

    The teams of one owner share a shard of the journal, so their rows follow each other.
    """
    [team, *_] = product.replicas_of("team")
    operator = Browser(world.http, team.internal_url, token=product.secrets.admin_key)

    async def prepare(kind: type[Revocation], owner: Person) -> Revocation:
        created = await owner.send("POST", "/v1/accounts", {"name": "Crew"})
        of_kind = TeamWithMember(owner, member, created.expect(201, 202)["id"])
        revocation = kind(of_kind, world.platform, operator)
        await revocation.prepare()
        return revocation

    preparing = [prepare(kind, owner) for kind, owner in zip(kinds, cycle(owners), strict=False)]
    made = await asyncio.gather(*preparing)
    scene = FaultScene(product, random.Random(1))
    return FaultyRounds(scene, world, list(made), signed_in_at)


def _people(revocation: Revocation) -> tuple[Person, Person]:
    return revocation.team.owner, revocation.team.member
