"""Writes of 16 accounts beside plain transactions, and a page of 1,000 members beside `/v1/me`.

The plain transactions make the statements of a renaming on copies of its documents, with the same
indexes, from one process. The product besides checks the request in HTTP, signs the row, publishes
it and marks it as sent, and audit stores it in the same database.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.results import Result, Table
from services.team.domain.members import Membership
from services.team.store import Store
from services.team.store.places import at, of_account
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.mongo import (
    Collection,
    Database,
    DbSession,
    IndexModel,
    Transactions,
    connect,
    create_indexes,
    majority,
    update_expected,
)
from tests.e2e.journey import World
from tests.e2e.people import Person
from tests.e2e.processes import Processes
from tests.patience import PATIENT

WRITERS, ROUNDS, SECONDS = 16, 3, 5.0
MEMBERS, PAGE, READS = 1_000, 50, 100
OPTIONS = ("unique", "partialFilterExpression", "expireAfterSeconds")
PLACES = count(1_000_000)
"""Sequences of rows that are in no other journal."""

Write = Callable[[], Awaitable[None]]


def renaming(person: Person) -> Write:
    """Give the person's account another name."""
    numbers = count()

    async def write() -> None:
        path = f"/v1/accounts/{person.account_id}"
        (await person.send("PATCH", path, {"name": f"Engines {next(numbers)}"})).expect(200)

    return write


async def copies(database: Database) -> dict[str, Collection]:
    """Empty collections with the indexes of those that a renaming reads and writes."""
    made = {}
    for name in ("heads", "accounts", "members", "overrides", "journal"):
        copy = made[name] = majority(database, f"plain_{name}")
        async for index in database[name].list_indexes():
            if index["name"] != "_id_":
                options = {option: index[option] for option in OPTIONS if option in index}
                keys = list(index["key"].items())
                await create_indexes(copy, [IndexModel(keys, name=index["name"], **options)])
    return made


async def plain(
    transactions: Transactions, database: Database, made: Mapping[str, Collection], person: Person
) -> Write:
    """The statements of such a write in one transaction, on copies of the person's rows."""
    account_id, numbers = AccountId(person.account_id), count()
    at_account = at(account_id, account_id)
    account = await database["accounts"].find_one(at_account) or {}
    member = await database["members"].find_one(of_account(account_id)) or {}
    shard = {"shard": account["shard"]}
    row = await database["journal"].find_one(shard, sort=[("seq", -1)]) or {}
    head = {"_id": account_id, "last_seq": 0, "digest": "x" * 43, "sharded_seq": 0}
    for name, document in (("heads", head), ("accounts", account), ("members", member)):
        await made[name].insert_one(document)
    own_member = shard | {"_id": {"$in": [member["_id"]]}}
    own_overrides = {**of_account(account_id), "user_id": {"$in": [member["user_id"]]}}

    async def change(session: DbSession) -> None:
        found = await made["heads"].find_one({"_id": account_id}, session=session) or {}
        stored = await made["accounts"].find_one(at_account, session=session) or {}
        await made["members"].find(own_member, session=session).to_list(None)
        await made["overrides"].find(own_overrides, session=session).to_list(None)
        rev, seq = stored["account_rev"], found["last_seq"]
        changed = {**stored, "account_rev": rev + 1, "name": f"Engines {next(numbers)}"}
        del changed["_id"]
        expected = {**at_account, "account_rev": rev}
        await update_expected(made["accounts"], expected, {"$set": changed}, session)
        advanced = {"last_seq": seq + 1, "digest": head["digest"], "sharded_seq": seq + 1}
        expected = {"_id": account_id, "last_seq": seq}
        await update_expected(made["heads"], expected, {"$set": advanced}, session)
        new = {**row, "_id": f"{account_id}.{seq}", "change_id": account_id, "seq": next(PLACES)}
        await made["journal"].insert_many([new], session=session)

    async def write() -> None:
        await transactions.run(change)

    return write


@dataclass(frozen=True)
class Rate:
    """How often all writers wrote in a second, and the CPU of the database for one write."""

    per_second: float
    database_ms: float


async def rate(writes: Sequence[Write], *, database_pid: int, seconds: float) -> Rate:
    """Let each writer write, one write after another, for some seconds."""
    began, used = time.perf_counter(), cpu_seconds(database_pid)

    async def repeat(write: Write) -> int:
        for done in count():
            if time.perf_counter() - began >= seconds:
                return done
            await write()
        return 0

    done = sum(await asyncio.gather(*map(repeat, writes)))
    took, used = time.perf_counter() - began, cpu_seconds(database_pid) - used
    return Rate(per_second=done / took, database_ms=used * 1000 / done)


def cpu_seconds(pid: int) -> float:
    """The time that a process has computed: its user and system time, in `proc(5)`."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def rates(
    database: Database, people: Sequence[Person], *, database_pid: int, seconds: float
) -> tuple[Rate, Rate]:
    """Writes of the product, and plain ones; the medians of interleaved rounds."""
    transactions = Transactions(database.client)
    made = await copies(database)
    ours = [renaming(person) for person in people]
    theirs = [await plain(transactions, database, made, person) for person in people]
    about: dict[str, Any] = {"database_pid": database_pid, "seconds": seconds}
    found = [(await rate(ours, **about), await rate(theirs, **about)) for _ in range(ROUNDS)]
    return median([one for one, _ in found]), median([one for _, one in found])


def median(found: Sequence[Rate]) -> Rate:
    """The median of each figure."""
    return Rate(
        per_second=statistics.median(one.per_second for one in found),
        database_ms=statistics.median(one.database_ms for one in found),
    )


async def latencies(database: Database, owner: Person, other: Person) -> tuple[float, float]:
    """Median milliseconds of a page among 1,000 members, and of the other's `/v1/me`, in turn.

    There are two users because the gateway limits the requests of one.
    """
    account_id = AccountId(owner.account_id)
    await fill_members(database, account_id, MEMBERS)
    reads = ((owner, f"/v1/accounts/{account_id}/members?limit={PAGE}"), (other, "/v1/me"))
    taken: dict[str, list[float]] = {path: [] for _, path in reads}
    for _ in range(READS):
        for person, path in reads:
            began = time.perf_counter()
            await person.get(path)
            taken[path].append((time.perf_counter() - began) * 1000)
    page, own = map(statistics.median, taken.values())
    return page, own


async def fill_members(database: Database, account_id: AccountId, members: int) -> None:
    """Give an account of one member this number of members."""
    store = Store(database)

    async def fill(session: DbSession) -> None:
        for number in range(1, members):
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


async def measure(product: Processes, seconds: float) -> Table:
    """The writes and the reads."""
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
        pid = product.database.pid
        ours, theirs = await rates(database, people, database_pid=pid, seconds=seconds)
        page, own = await latencies(database, people[0], people[1])
    client.close()
    writes = f"writes/s, {WRITERS} writers, {WRITERS} accounts; plain transactions"
    share = ours.per_second / theirs.per_second
    cpu = ours.database_ms, theirs.database_ms, ours.database_ms / theirs.database_ms
    reads = f"ms, page of {PAGE} of {MEMBERS} members; `GET /v1/me`"
    return Table(
        ("measured", "product", "beside it", "ratio", "goal"),
        [
            (writes, ours.per_second, theirs.per_second, share, "at least 0.5"),
            ("ms of the database's CPU for one of them", *cpu, ""),
            (reads, page, own, page / own, "at most 3"),
        ],
    )


def run(seconds: float = SECONDS) -> Result:
    """Measure, with `seconds` for each round of writes."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name), replicas={"authz": 1})
        try:
            product.start()
            table = asyncio.run(measure(product, seconds))
        finally:
            product.stop()
    return Result(
        "Writes, and a page of members", "python -m benchmarks --only team", tables=[table]
    )


if __name__ == "__main__":
    print(run().markdown())
