"""One database is restored to an earlier moment than the others, each in turn; then all at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from deploy.mongo import DATABASES
from rolecall.cli import main
from shared.contracts.topology import SOURCES
from tests.e2e.journey import SETTINGS, Team, World, accept, gather_team, in_force, invite
from tests.faults.clients import ClientCounts, DecisionChecker
from tests.faults.restore_drill import (
    OPERATOR,
    REASON,
    DrilledProduct,
    Journals,
    RestoredDatabases,
    in_thread,
    lost_as_logged,
)
from tests.faults.team_scenario import PROBES
from tests.lengths import SOAK
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from pathlib import Path

    from tests.e2e.people import Person

pytestmark = pytest.mark.usefixtures("unmeasured")

PROBE = PROBES["developer"]
CATALOG = "standard"
HEADINGS = ("restored", "lost rows", "told", "logged", "wrong", "mails again", "settled s")


def repeats(mails: list[str]) -> int:
    """How many of the mails came again."""
    return len(mails) - len(set(mails))


@dataclass
class Crew:
    """A team, of which Bea was removed and which Fay joined after the backup."""

    team: Team
    fay: Person

    @property
    def bea(self) -> Person:
        """A member at the moment of the backup alone."""
        return self.team.mail


@dataclass
class RestoreDrill:
    """The running product, and the figures of its restores."""

    databases: RestoredDatabases
    world: World
    checker: DecisionChecker
    counts: ClientCounts
    lines: list[tuple[str, ...]] = field(default_factory=list)

    async def restore(self, services: Collection[str]) -> None:
        """Let a team live on after a backup of these databases, restore them, and compare."""
        loop, databases = asyncio.get_running_loop(), self.databases
        await self._sign_in()
        crew = Crew(await gather_team(self.world, CATALOG), self.world.person("Fay Later"))
        await self.settled()
        await in_thread(databases.copy, services)
        early = await in_thread(databases.journals)
        messages = await in_thread(databases.messages)
        await self._live_on(crew)
        await self.settled()
        late, mails = await in_thread(databases.journals), await self._mails()
        if set(services) < set(DATABASES):  # else the rows that caused later ones are lost, too
            messages = await in_thread(databases.messages)
        logs = {name: one.log.stat().st_size for name, one in databases.product.services.items()}
        wrong = len(self.counts.wrong_allows)
        never = crew.fay if "team" in services else crew.bea
        await in_thread(databases.stop)
        async with self._never_allowed(never, crew.team.account_id):
            await in_thread(databases.restore)
            begun = loop.time()
            await self.settled(within=600)
        settled = loop.time() - begun
        lost = await self._compare_records(services, early, late)
        logged = sum(
            lost_as_logged(databases.product, "audit", since=logs["audit-0"])
            for _ in {*services} - {"audit"}
        )
        assert await in_thread(databases.put_aside) == []
        assert messages <= await in_thread(databases.messages)
        await self._sign_in()
        await self._compare_decisions(crew)
        if "audit" in services:
            await self._accept_the_log(crew)
        await self._go_on(crew, services)
        again = await self._mails()
        assert set(mails) <= set(again)
        self.lines.append(
            (
                ", ".join(services),
                str(sum(map(len, lost.values()))),
                str(len(services)),
                str(logged),
                str(len(self.counts.wrong_allows) - wrong),
                str(repeats(again) - repeats(mails)),
                f"{settled:.1f}",
            )
        )

    async def settled(self, within: float = 120) -> None:
        """Wait until every row is consumed and recorded, and no mail waits."""

        def settled() -> bool:
            waits = self.databases.waiting()
            assert not waits, waits
            return True

        await wait_for(lambda: in_thread(settled), within=within, what="everything settled")

    async def _sign_in(self) -> None:
        await self.checker.sign_in()

    async def _mails(self) -> list[str]:
        found = await self.world.mailbox.all()
        return [mail["message_id"] for mail in found]

    async def _live_on(self, crew: Crew) -> None:
        """Change what each of the databases has."""
        team, owner = crew.team, crew.team.owner
        removed = await owner.send("DELETE", f"{team.path}/members/{crew.bea.user_id}")
        await in_force(owner, removed, 204)
        await crew.fay.sign_up()
        deliveries = SETTINGS[CATALOG].deliveries
        link = await invite(self.world, team, crew.fay, "developer", deliveries, "email")
        await accept(team, crew.fay, link)
        (await team.link.send("POST", "/v1/logout")).expect(202, 204)
        (await owner.send("GET", f"{team.path}/audit-events?limit=50")).expect(200)

    @contextlib.asynccontextmanager
    async def _never_allowed(self, person: Person, account: str) -> AsyncIterator[None]:
        """Ask each replica about a person again and again: none may ever allow."""

        decided = 0

        async def ask() -> None:
            nonlocal decided
            while True:
                with contextlib.suppress(AssertionError):  # such as a token that is over
                    said = await self.checker.reasons(person.user_id, account, PROBE)
                    if "allowed" in said:
                        self.counts.wrong_allows.append(f"{person.user_id} in {account}: {said}")
                    decided += any(said)
                await asyncio.sleep(0.05)

        asking = asyncio.create_task(ask())
        try:
            yield
            assert not asking.done(), "it asks to the end"
            assert decided, "a replica has decided"
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _compare_records(
        self, services: Collection[str], early: Journals, late: Journals
    ) -> dict[str, set[str]]:
        """Compare the audit log with all rows there ever were; return those that are lost.

        Rows can be lost to the log only with audit's database, and then those alone that are also
        lost to their sources.
        """
        recorded = await in_thread(self.databases.recorded)
        lost = {service: late.after(early, service) for service in services}
        missing = {source: set(late.rows[source]) - recorded for source in SOURCES}
        assert missing == {
            source: lost.get(source, set()) if "audit" in services else set() for source in SOURCES
        }
        for service in services:
            [*_, told] = sorted(
                await in_thread(self.databases.told, service), key=lambda one: one["order"]
            )
            assert told["actor"]["name"] == OPERATOR
            assert told["reason"] == REASON
            heads = json.loads(told["after"])["heads"]
            gone = [late.rows[service][one] for one in lost[service]]
            assert all(seq > heads.get(str(shard), 0) for _, shard, seq in gone)
        return lost

    async def _compare_decisions(self, crew: Crew) -> None:
        """Each replica decides as the members are stored."""
        team = crew.team
        members = await in_thread(self.databases.members, team.account_id)
        for person in (team.owner, crew.bea, team.link, crew.fay):
            reason = "allowed" if person.user_id in members else "not-a-member"
            await self.checker.require_everywhere(reason, person.user_id, team.account_id, PROBE)

    async def _accept_the_log(self, crew: Crew) -> None:
        """Let the logs go on, which do not continue their checkpoints from between."""
        account, databases = crew.team.account_id, self.databases
        [audit] = databases.product.replicas_of("audit")
        where = [f"--url={audit.internal_url}", f"--key={databases.product.secrets.admin_key}"]

        async def alarm() -> bool:
            return account in await in_thread(databases.inconsistent)

        await wait_for(alarm, within=120, what="the alarm of the log")
        assert await in_thread(main, ["audit", "accept-restore", "all", "--yes", *where]) == 0

        async def over() -> bool:
            if found := await in_thread(databases.inconsistent):
                await in_thread(main, ["audit", "accept-restore", "all", "--yes", *where])
            return not found

        await wait_for(over, within=120, what="logs that go on")

    async def _go_on(self, crew: Crew, services: Collection[str]) -> None:
        """What was lost is done again; sessions that had ended are not alive."""
        team, owner, account = crew.team, crew.team.owner, crew.team.account_id
        token = {"refresh_token": team.link.refresh_token}
        refused = await owner.send("POST", "/v1/token/refresh", token)
        assert refused.status == 401, (services, refused)
        await owner.log_in()
        if "team" in services:
            removed = await owner.send("DELETE", f"{team.path}/members/{crew.bea.user_id}")
            await in_force(owner, removed, 204)
            await self.checker.require_denied(crew.bea.user_id, account, PROBE)
        gil = self.world.person("Gil Newest")
        await gil.sign_up()
        deliveries = SETTINGS[CATALOG].deliveries
        link = await invite(self.world, team, gil, "developer", deliveries, "email")
        await accept(team, gil, link)
        await self.checker.require_everywhere("allowed", gil.user_id, account, PROBE)
        await self.settled()


if SOAK:  # it starts the whole product six times

    @pytest.mark.timeout(3600)
    async def test_a_database_older_than_the_others_allows_and_drops_nothing(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        product = DrilledProduct(tmp_path)
        databases: RestoredDatabases | None = None
        drill: RestoreDrill | None = None
        try:
            await in_thread(product.start)
            deployment: Any = await in_thread(product.deployment)
            databases, counts = RestoredDatabases(product), ClientCounts()
            async with aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=30),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=5),
            ) as http:
                world = World(deployment, http)
                checker = DecisionChecker(
                    world.platform,
                    counts,
                    replicas=deployment.authz,
                    client=(deployment.client_id, deployment.client_secret),
                )
                drill = RestoreDrill(databases, world, checker, counts)
                for services in (*([one] for one in DATABASES), list(DATABASES)):
                    await drill.restore(services)
        finally:
            if databases is not None:
                databases.close()
            await in_thread(product.stop)
            lines = [HEADINGS, *(drill.lines if drill else ())]
            report("\n".join("  ".join(cell.ljust(12) for cell in line) for line in lines))
        assert counts.wrong_allows == []
