"""What an attacker at the broker must not reach: forged facts, and what is looked at afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from shared.contracts.registry import FACT_TYPES
from shared.contracts.topology import SOURCES
from shared.row_verifier import ALARM
from tests.e2e import journey
from tests.faults.forger import ADDRESS, Forger, Forgery, Kind, consumers
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.journey import Team, World
    from tests.e2e.processes import Processes, ServiceProcess

REFUSED = re.compile(
    r"^rolecall_rows_refused_total\{(?P<labels>[^}]*)\} (?P<count>[0-9.e+]+)$", re.MULTILINE
)
PERMISSION = "instance:view"
CHECKS_AFTER_REMOVAL = 30


def alarms(process: ServiceProcess) -> Counter[str]:
    """How many messages of each source a process has refused."""
    with urllib.request.urlopen(f"{process.internal_url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    counted: Counter[str] = Counter()
    for found in REFUSED.finditer(text):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found["labels"]))
        if labels["channel"] == "bus":
            counted[labels["source"]] += int(float(found["count"]))
    return counted


class Watch:
    """Asks every replica about the stranger, again and again."""

    def __init__(self, world: World, stranger: str, account: str) -> None:
        self.answers: Counter[str] = Counter()
        self._world = world
        self._question = (stranger, account)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.round()

    async def round(self) -> None:
        """Ask each replica once."""
        user, account = self._question
        for base in self._world.deployment.authz:
            await self._ask(user, account, base)

    async def _ask(self, user: str, account: str, base: str) -> None:
        answer = await self._world.platform.ask(user, PERMISSION, account=account, base=base)
        said = str(answer.status) if answer.status != 200 else str(answer.body["decision"])
        self.answers[said] += 1


async def remove(world: World, team: Team, user_id: str) -> Counter[str]:
    """Remove a member; the answers of all replicas after the acknowledgement."""
    path = f"{team.path}/members/{user_id}"

    async def in_force() -> bool:
        return (await team.owner.send("DELETE", path)).status in {204, 404}

    await wait_for(in_force, what="the removal in force")
    watch = Watch(world, user_id, team.account_id)
    for _ in range(CHECKS_AFTER_REMOVAL):
        await watch.round()
    return watch.answers


def records_that_differ(url: str, forged: list[Forgery]) -> list[str]:
    """Compare the audit log with the journals: a record for each row, and none besides."""
    with MongoClient[dict[str, Any]](url) as client:
        rows = {
            json.loads(row["event"])["id"]
            for source in SOURCES
            for row in client[f"rolecall_{source}"]["journal"].find({})
        }
        records = {row["_id"] for row in client["rolecall_audit"]["records"].find({})}
        put_aside = [
            f"{service}: {row['_id']}"
            for service in SOURCES
            for row in client[f"rolecall_{service}"]["inbox_dead"].find({})
        ]
    made_up = {forgery.id for forgery in forged if forgery.kind is not Kind.MOVED}
    return [
        *(f"recorded, not written: {one}" for one in records - rows),
        *(f"written, not recorded: {one}" for one in rows - records),
        *(f"a forged record: {one}" for one in records & made_up),
        *put_aside,
    ]


async def left_after(faults: Callable[[], list[str]], *, seconds: float) -> list[str]:
    """What is still at fault when there was time for everything to arrive."""
    left: list[str] = []

    async def none() -> bool:
        left[:] = await asyncio.to_thread(faults)
        return not left

    with contextlib.suppress(AssertionError):
        await wait_for(none, within=seconds)
    return left


async def require_no_effect(
    product: Processes, world: World, report: Callable[[str], None]
) -> None:
    """Forge facts of every type; nothing changes, and each consumer raises an alarm for each."""
    async with Forger(product) as forger:
        team = await journey.gather_team(world, "standard")
        await team.owner.get(f"{team.path}/audit-events?limit=1")
        stranger = world.person("Mal Stranger")
        await stranger.sign_up()
        forger.victim, forger.stranger = team.mail.user_id, stranger.user_id
        await wait_for(lambda: not forger.missing(), what="a fact of each source")

        watch = Watch(world, stranger.user_id, team.account_id)
        watching = asyncio.create_task(watch.run())
        forged = forger.forgeries()
        for forgery in forged:
            await forger.publish(forgery)
        sent = Counter(forgery.source for forgery in forged)

        def unalarmed() -> list[str]:
            return [
                f"{process.service}-{process.replica}: {counted[source]} of {sent[source]} {source}"
                for source in SOURCES
                for service in consumers(source)
                for process in product.replicas_of(service)
                if (counted := alarms(process))[source] < sent[source]
            ]

        without_alarm = await left_after(unalarmed, seconds=60)
        removed = await remove(world, team, team.mail.user_id)
        watching.cancel()
        database = product.database.url
        differing = await left_after(lambda: records_that_differ(database, forged), seconds=60)

        report(
            f"{len(forged)} forged facts of {len(FACT_TYPES)} types: answers about the stranger "
            f"{dict(watch.answers)}, about the removed member {dict(removed)}, "
            f"records that differ {len(differing)}, processes without an alarm for each "
            f"{len(without_alarm)}"
        )
        assert {forgery.type for forgery in forged} >= set(FACT_TYPES)
        assert watch.answers["True"] == 0
        assert watch.answers["False"] > 0
        assert removed["True"] == 0
        assert removed["False"] > 0
        assert differing == []
        assert without_alarm == []
        assert await world.mailbox.all(ADDRESS) == []
        for source in SOURCES:
            for service in consumers(source):
                for process in product.replicas_of(service):
                    assert ALARM in process.log.read_text(), process.service
