"""Writes of 16 accounts beside plain transactions, and a page of 1,000 members beside `/v1/me`."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import aiohttp

from services.team.domain.members import Membership
from services.team.store import Store
from shared.contracts.facts import shard_of
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.mongo import Database, DbSession, Transactions, connect, majority, update_expected
from tests.e2e.journey import World
from tests.e2e.people import Person
from tests.e2e.processes import Processes
from tests.patience import PATIENT

WRITERS, ROUNDS, SECONDS = 16, 3, 5.0
MEMBERS, PAGE, READS = 1_000, 50, 100
ROW_BYTES = 1_800
"""The size of the journal's row of a renamed account."""

Write = Callable[[], Awaitable[None]]


def renaming(person: Person) -> Write:
    """Give the person's account another name."""
    numbers = count()

    async def write() -> None:
        path = f"/v1/accounts/{person.account_id}"
        (await person.send("PATCH", path, {"name": f"Engines {next(numbers)}"})).expect(200)

    return write


async def plain(transactions: Transactions, database: Database, person: Person) -> Write:
    """The statements of such a write in one transaction, on rows of its own."""
    heads, accounts, members, overrides, journal = (
        majority(database, f"plain_{name}")
        for name in ("heads", "accounts", "members", "overrides", "journal")
    )
    account_id, numbers = person.account_id, count()
    at = {"_id": account_id, "shard": shard_of(account_id)}
    await heads.insert_one({"_id": account_id, "last_seq": 0})
    await accounts.insert_one({**at, "account_rev": 0, "name": "Engines"})
    await members.insert_one({**at, "role": "owner", "name": person.name})

    async def change(session: DbSession) -> None:
        head = await heads.find_one({"_id": account_id}, session=session) or {}
        account = await accounts.find_one(at, session=session) or {}
        await members.find_one(at, session=session)
        await overrides.find_one(at, session=session)
        rev, seq = account["account_rev"], head["last_seq"]
        named = {"$set": {"account_rev": rev + 1, "name": f"Engines {next(numbers)}"}}
        await update_expected(accounts, {**at, "account_rev": rev}, named, session)
        expected = {"_id": account_id, "last_seq": seq}
        await update_expected(heads, expected, {"$set": {"last_seq": seq + 1}}, session)
        row = {"_id": f"{account_id}.{seq}", "shard": at["shard"], "event": "x" * ROW_BYTES}
        await journal.insert_many([row], session=session)

    async def write() -> None:
        await transactions.run(change)

    return write


async def per_second(writes: Sequence[Write]) -> float:
    """How often the writers write in a second, each one after another."""
    began = time.perf_counter()

    async def repeat(write: Write) -> int:
        for done in count():
            if time.perf_counter() - began >= SECONDS:
                return done
            await write()
        return 0

    done = await asyncio.gather(*map(repeat, writes))
    return sum(done) / (time.perf_counter() - began)


async def rates(database: Database, people: Sequence[Person]) -> tuple[float, float]:
    """Writes in a second: of the product, and plain; the medians of interleaved rounds."""
    transactions = Transactions(database.client)
    ours = [renaming(person) for person in people]
    theirs = [await plain(transactions, database, person) for person in people]
    found = [(await per_second(ours), await per_second(theirs)) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in found), statistics.median(one for _, one in found)


async def latencies(database: Database, owner: Person) -> tuple[float, float]:
    """Median milliseconds of a page among 1,000 members, and of `/v1/me`, in turn."""
    account_id = AccountId(owner.account_id)
    store = Store(database)

    async def fill(session: DbSession) -> None:
        for number in range(1, MEMBERS):
            address = f"member.{number}@example.com"
            member = Membership(
                account_id=account_id,
                user_id=UserId(new_id("usr")),
                membership_id=MembershipId(new_id("mem")),
                role="viewer",
                email=address,
                email_key=address,
                name=f"Member {number}",
                joined_at=datetime.now(UTC),
            )
            await store.insert_member(member, rev=1, session=session)

    await Transactions(database.client, seconds=60, attempt_seconds=60).run(fill)
    paths = (f"/v1/accounts/{account_id}/members?limit={PAGE}", "/v1/me")
    taken: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(READS):
        for path in paths:
            began = time.perf_counter()
            await owner.get(path)
            taken[path].append((time.perf_counter() - began) * 1000)
    page, own = (statistics.median(taken[path]) for path in paths)
    return page, own


async def measure(product: Processes) -> str:
    """The rows of the report."""
    deployment = product.deployment()
    client = connect(product.database.url_for("team"), app_name="benchmark", timeouts=PATIENT)
    database: Database = client["rolecall_team"]
    async with aiohttp.ClientSession() as http:
        world = World(deployment, http)
        people = [world.person(f"Writer {number}") for number in range(WRITERS)]
        for person in people:
            await person.sign_up()
            path = f"/v1/accounts/{person.account_id}/convert"
            body = {"name": "Engines", "catalog": "standard"}
            (await person.send("POST", path, body)).expect(200, 202)
        ours, theirs = await rates(database, people)
        page, own = await latencies(database, people[0])
    client.close()
    return (
        "| measured | product | beside it | ratio | goal |\n|---|---|---|---|---|\n"
        f"| writes/s, {WRITERS} writers, {WRITERS} accounts; plain transactions "
        f"| {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} | at least 0.5 |\n"
        f"| ms, page of {PAGE} of {MEMBERS} members; `GET /v1/me` "
        f"| {page:.1f} | {own:.1f} | {page / own:.1f} | at most 3 |"
    )


def run() -> str:
    """Measure; the rows of the report."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name), replicas={"authz": 1})
        try:
            product.start()
            return asyncio.run(measure(product))
        finally:
            product.stop()


if __name__ == "__main__":
    print(run())
