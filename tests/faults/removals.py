"""Removals of members while one replica of authz is stopped, and what every replica answers."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.e2e.journey import World
from tests.e2e.processes import ServiceProcess
from tests.faults.chaos_proxy import WatchedRequest
from tests.faults.pipelined_checks import CheckConnection
from tests.faults.replicated_product import BUS, ReplicatedProduct
from tests.faults.teams import TeamWithMember
from tests.waiting import wait_for

TEAMS = 5
"""As many members are removed at the same time, each from a team of its own."""
FIRST_CHECKS = 50
CONNECTIONS = 5
TOKEN_SECONDS = 300
"""How long an access token lives."""
WATCH_SECONDS = 1.2
"""How long every replica is checked after a removal: longer than a lease."""
WATCH_PAUSE_SECONDS = 0.02
LEASE_REQUEST = b"POST /internal/lease "
CALL_DELAY_SECONDS = 0.02
"""How much longer a call from authz to team takes each way."""
HEADS_READ_SECONDS = 2 * CALL_DELAY_SECONDS
"""After a lease was asked for through the proxy, team has read the heads for it."""


@dataclass
class Removals:
    """A running product with its teams, and the answers that were counted so far."""

    product: ReplicatedProduct
    world: World
    teams: list[TeamWithMember] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    removals: int = 0
    stopped: int = 0
    cut: int = 0
    signed_in_at: float = 0.0

    @property
    def replicas(self) -> list[ServiceProcess]:
        """The processes of authz."""
        return self.product.replicas_of("authz")

    async def create_teams(self) -> None:
        """Make the teams, with a user each who will be a member."""

        async def create(number: int) -> TeamWithMember:
            owner, member = self.world.person(f"Owner {number}"), self.world.person("Member")
            await asyncio.gather(owner.sign_up(), member.sign_up())
            path = f"/v1/accounts/{owner.account_id}/convert"
            (await owner.send("POST", path, {"name": "Crew"})).expect(200, 202)
            return TeamWithMember(owner, member, owner.account_id)

        self.teams = await asyncio.gather(*(create(number) for number in range(2 * TEAMS)))
        self.signed_in_at = asyncio.get_running_loop().time()

    async def begin(self, defect: str | None) -> None:
        """Run with or without a defect, and count from nothing."""
        await self.product.plant(defect)
        for replica in self.replicas:
            for proxy in self.product.team_links(replica):
                proxy.delay = CALL_DELAY_SECONDS
        self.answers.clear()
        self.removals = self.stopped = self.cut = 0

    async def round(self, choices: random.Random, *, cut: bool) -> None:
        """Remove one half of the members while a replica is stopped, the other half after that.

        With `cut`, the replica has no link to the broker, and it is stopped while the answer with
        its lease is on the way; the second half is removed while its first lease after the stop is
        being granted. So the replica learns of the removals from its leases only.
        """
        await self.refresh_tokens()
        victim = choices.choice(self.replicas)
        await self.join()
        try:
            await self._remove_all(victim, choices, cut=cut)
        finally:
            self.product.link(victim, BUS).heal()

    async def join(self) -> None:
        """Make every member a member again, and wait until every replica allows them."""
        await asyncio.gather(*(team.join() for team in self.teams))

        async def allowed() -> bool:
            sent = [await self._send(process, self.teams, 1) for process in self.replicas]
            answers = await self._read([connection for each in sent for connection in each])
            return answers == {"allow": len(self.replicas) * len(self.teams)}

        await wait_for(allowed, what="the members allowed everywhere")

    async def refresh_tokens(self) -> None:
        """Sign everyone in again before a token could end within a round."""
        now = asyncio.get_running_loop().time()
        if now < self.signed_in_at + TOKEN_SECONDS / 2:
            return
        deployment = self.world.deployment
        await self.world.platform.sign_in(deployment.client_id, deployment.client_secret)
        for team in self.teams:
            await asyncio.gather(team.owner.log_in(), team.member.log_in())
        self.signed_in_at = now

    def table(self, seed: int) -> str:
        """The counts of this run in a sentence."""
        counts = ", ".join(f"{answer} {count}" for answer, count in sorted(self.answers.items()))
        return (
            f"seed {seed}: {self.removals} removals, {self.stopped} with a stopped replica, "
            f"{self.cut} of these with its bus link cut; "
            f"answers after the acknowledgement: {counts}; wrong allows {self.answers['allow']}"
        )

    async def _remove_all(
        self, victim: ServiceProcess, choices: random.Random, *, cut: bool
    ) -> None:
        first_half, second_half = self.teams[:TEAMS], self.teams[TEAMS:]
        lease = await self._cut_off(victim) if cut else None
        if lease is None:
            await asyncio.sleep(choices.random() * 2 * CALL_DELAY_SECONDS)
        os.killpg(victim.pid, signal.SIGSTOP)
        try:
            if lease is not None:
                lease.release()
            await self._remove(first_half)
            connections = await self._send(victim, first_half, FIRST_CHECKS)
            next_lease = self._watch_lease(victim) if cut else None
        finally:
            os.killpg(victim.pid, signal.SIGCONT)
        self.stopped += len(first_half)
        self.cut += len(first_half) if cut else 0
        first_answers = asyncio.create_task(self._read(connections))
        if next_lease is None:
            await asyncio.sleep(choices.random() * 0.3)
        else:
            await _within_seconds(next_lease.sent)
            next_lease.release()
            await asyncio.sleep(HEADS_READ_SECONDS + choices.random() * 0.1)
        await self._remove(second_half)
        await self._watch(victim, second_half, choices)
        self.answers += await first_answers

    def _watch_lease(self, victim: ServiceProcess) -> WatchedRequest:
        lease = WatchedRequest(LEASE_REQUEST)
        for proxy in self.product.team_links(victim):
            proxy.watch(lease)
        return lease

    async def _cut_off(self, victim: ServiceProcess) -> WatchedRequest:
        """Cut the link to the broker; return once team has answered with a lease, not passed on."""
        self.product.link(victim, BUS).cut()
        lease = self._watch_lease(victim)
        await _within_seconds(lease.answered)
        return lease

    async def _send(
        self, process: ServiceProcess, teams: Sequence[TeamWithMember], times: int
    ) -> list[CheckConnection]:
        """Write each team's check to a replica, `times` in all for each team."""
        token = self.world.platform.token or ""
        connections = [
            await CheckConnection.open(process.url) for _ in range(min(CONNECTIONS, times))
        ]
        for team in teams:
            for connection in connections:
                connection.send(team.check.request(token), times=times // len(connections))
        return connections

    async def _read(self, connections: list[CheckConnection]) -> Counter[str]:
        """Count every answer on these connections, and close them."""
        counts: Counter[str] = Counter()
        for answers in await asyncio.gather(*(each.answers() for each in connections)):
            counts += answers
        for connection in connections:
            connection.close()
        return counts

    async def _remove(self, teams: Sequence[TeamWithMember]) -> None:
        """Remove these members at the same time; return when all of it is acknowledged."""
        await asyncio.gather(*(team.remove() for team in teams))
        self.removals += len(teams)

    async def _watch(
        self, victim: ServiceProcess, teams: Sequence[TeamWithMember], choices: random.Random
    ) -> None:
        """Check these members for longer than a lease, most often at the replica that stopped."""
        clock = asyncio.get_running_loop()
        until = clock.time() + WATCH_SECONDS
        while clock.time() < until:
            for process in (victim, victim, victim, choices.choice(self.replicas)):
                self.answers += await self._read(await self._send(process, teams, 1))
            await asyncio.sleep(WATCH_PAUSE_SECONDS)


async def _within_seconds(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()
