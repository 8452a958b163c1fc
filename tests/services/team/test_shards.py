"""The documents of an account are in its shard, beside replicas of an earlier version, too."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from services.team.store import PolicySnapshot, Store
from services.team.store.places import EVERYWHERE
from shared.clock import SystemClock
from shared.contracts.facts import SHARDS, Fact, ResourceRef, shard_of
from shared.contracts.team import AccountRenamed
from shared.journal import Journal, JournalWrite
from shared.journal.relay import Relay
from shared.mongo import causal_session, connect, majority
from shared.problems import Invalid
from tests.patience import PATIENT
from tests.services.rows import row_of
from tests.services.team.memory import caller_of
from tests.services.team.running import verified
from tests.support.journal_keys import signer
from tests.support.sharded import UnshardedError, around, check_index, sharded
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.services.team.running import Account, Team

HERE = {"shard": 3}
SET = {"$set": {"role": "viewer"}}
REFUSED: list[tuple[str, Callable[[Any], Any]]] = [
    ("find without a shard", lambda rows: rows.find({"account_id": "acc_1"})),
    ("find by id alone", lambda rows: rows.find_one({"_id": "m"})),
    ("find of all", lambda rows: rows.find({})),
    ("shard is last", lambda rows: rows.find({"account_id": "acc_1", **HERE})),
    ("every shard", lambda rows: rows.find({"shard": EVERYWHERE})),
    ("range of shards", lambda rows: rows.find({"shard": {"$gte": 3}})),
    ("update", lambda rows: rows.update_one({"_id": "m"}, SET)),
    ("update of many", lambda rows: rows.update_many({"account_id": "acc_1"}, SET)),
    ("upsert", lambda rows: rows.update_one({"shard": {"$in": [1, 2]}}, SET, upsert=True)),
    ("replacement", lambda rows: rows.replace_one({"_id": "m"}, {**HERE})),
    ("replacement without a shard", lambda rows: rows.replace_one({**HERE}, {"_id": "m"})),
    ("deletion", lambda rows: rows.delete_one({"_id": "m"})),
    ("deletion of many", lambda rows: rows.delete_many({})),
    ("count", lambda rows: rows.count_documents({"account_id": "acc_1"})),
    ("insertion", lambda rows: rows.insert_one({"_id": "m"})),
    ("insertion of many", lambda rows: rows.insert_many([{"_id": "m", **HERE}, {"_id": "n"}])),
    ("bulk update", lambda rows: rows.bulk_write([UpdateOne({"_id": "m"}, SET)])),
    ("bulk insertion", lambda rows: rows.bulk_write([InsertOne({"_id": "m"})])),
    ("bulk replacement", lambda rows: rows.bulk_write([ReplaceOne({**HERE}, {"_id": "m"})])),
    ("bulk deletion", lambda rows: rows.bulk_write([DeleteOne({"_id": "m"})])),
    ("aggregate", lambda rows: rows.aggregate([{"$group": {"_id": None}}])),
    ("aggregate of an account", lambda rows: rows.aggregate([{"$match": {"account_id": "a"}}])),
    ("index", lambda rows: rows.create_indexes([pymongo.IndexModel([("account_id", 1)])])),
    ("another operation", lambda rows: rows.find_one_and_update({**HERE}, SET)),
]


@pytest.mark.parametrize(("_what", "operation"), REFUSED, ids=[what for what, _ in REFUSED])
def test_an_operation_that_would_ask_every_shard_is_refused(
    _what: str, operation: Callable[[Any], Any]
) -> None:
    with pytest.raises(UnshardedError):
        operation(around(SimpleNamespace(name="members")))


async def test_an_operation_of_one_shard_or_of_a_known_look_up_passes(
    mongo_url: str, database_name: str
) -> None:
    client = sharded(connect(mongo_url, app_name="tests", timeouts=PATIENT))
    database = client[database_name]
    members = majority(database, "members")
    await members.insert_one({"_id": "m", **HERE, "account_id": "a", "user_id": "u"})
    await members.update_one({"_id": "m", **HERE}, SET)
    assert await members.count_documents({**HERE, "account_id": "a"}) == 1
    assert await members.find_one({"user_id": "u", "shard": EVERYWHERE}) is not None
    assert await members.aggregate([{"$match": {**HERE}}]).to_list(2)
    check_index("members", {"key": {"shard": 1, "name": 1}})
    await database["catalogs"].find_one({"_id": "c"})
    assert (await members.delete_one({**HERE, "_id": "m"})).deleted_count == 1
    client.close()


async def test_an_id_of_another_account_in_the_same_shard_is_not_found(team: Team) -> None:
    mine = await team.account()
    strangers = (team.stranger("Other") for _ in range(100 * SHARDS))
    owner = next(one for one in strangers if shard_of(one.account_id) == shard_of(mine.id))
    await team.tell(row_of(verified(owner)))
    other = await team.account(owner=owner)
    project = (await other.owner.send("POST", f"{other.path}/projects", {"name": "P"})).expect(201)
    await other.invite("ana@example.com", "viewer")
    [invitation] = (await other.owner.get(f"{other.path}/invitations"))["items"]

    for method, path in (
        ("GET", f"{mine.path}/projects/{project['id']}"),
        ("DELETE", f"{mine.path}/invitations/{invitation['id']}"),
        ("GET", f"{mine.path}/members/{other.owner.user_id}"),
    ):
        (await mine.owner.send(method, path)).expect(404)


class EarlierReplica:
    """A replica of the version before: its documents have no shard, and it leaves no mark."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.journal = Journal(
            team.client,
            team.database,
            source="team",
            signer=signer("team"),
            relay=Relay(team.database, team.bus, holder="earlier", clock=SystemClock()),
            clock=team.clock,
        )

    async def replace(self, account: Account, name: str, key: str, **changed: Any) -> None:
        """Change a document of the account, as that version saves it."""
        await self.journal.start()
        rows = self.team.database[name]

        async def change(write: JournalWrite) -> None:
            stored = await rows.find_one({"_id": key}, session=write.session)
            assert stored is not None
            del stored["shard"]
            await rows.replace_one({"_id": key}, stored | changed, session=write.session)
            write.record(
                Fact(
                    payload=AccountRenamed(account_name="Engines"),
                    resource=ResourceRef(type="account", id=account.id),
                    account_id=account.id,
                )
            )

        await self.journal.write(
            account.id, change, caller=caller_of("owner"), effective_everywhere=False
        )


async def test_a_write_finds_what_an_earlier_replica_saved_just_before(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    key = f"{account.id}/{member.user_id}"
    await EarlierReplica(team).replace(account, "members", key, role="viewer")

    removed = await account.owner.send("DELETE", f"{account.path}/members/{member.user_id}")

    removed.expect(204)
    assert await team.database["members"].find_one({"_id": key}) is None


async def test_a_read_finds_soon_what_an_earlier_replica_saved(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    key = f"{account.id}/{member.user_id}"
    await EarlierReplica(team).replace(account, "members", key, role="viewer")

    async def role() -> bool:
        answer = await account.owner.send("GET", f"{account.path}/members/{member.user_id}")
        return answer.status == 200 and answer.body["role"] == "viewer"

    await wait_for(role, what="the member with the role that an earlier replica gave")


async def pages(
    snapshot: PolicySnapshot,
    team: Team,
    between: Callable[[], Awaitable[None]] | None = None,
    shards: frozenset[int] | None = None,
) -> list[tuple[str, str | None, str]]:
    """What all pages of a snapshot have; something may happen after the first member."""
    found: list[tuple[str, str | None, str]] = []
    place = ""
    async with causal_session(team.client) as session:
        while True:
            items, following = await snapshot.read(place, session, shards=shards)
            found += [(str(item.kind), item.account_id, item.id) for item in items]
            if following is None:
                return found
            if between is not None and "member" in {item.kind for item in items}:
                await between()
                between = None
            place = following


async def test_a_snapshot_has_documents_that_get_their_shard_between_two_pages(
    team: Team,
) -> None:
    account = await team.account()
    people = [await account.join("viewer", f"Ana {n}") for n in range(3)]
    store = Store(team.database)
    complete = await pages(PolicySnapshot(team.database, store), team)
    snapshot = PolicySnapshot(team.database, store, page_size=1)
    numbers = [f"{account.id}/{person.user_id}" for person in people]
    await team.database["members"].update_many({}, {"$unset": {"shard": ""}})

    async def number() -> None:
        await team.database["members"].update_many(
            {"_id": {"$in": numbers}}, {"$set": {"shard": shard_of(account.id)}}
        )

    assert set(await pages(snapshot, team, number)) == set(complete)
    assert len(complete) == len(set(complete))


async def test_a_cursor_of_an_earlier_version_begins_the_snapshot_again(team: Team) -> None:
    snapshot = PolicySnapshot(team.database, Store(team.database))
    async with causal_session(team.client) as session:
        with pytest.raises(Invalid):
            await snapshot.read("5:acc_1/usr_1", session)


async def test_a_snapshot_of_some_shards_leaves_the_accounts_of_others_out(team: Team) -> None:
    """Catalogs are in each, and a document without its number, which may be of any shard."""
    accounts = [await team.account() for _ in range(4)]
    own = {account.id for account in accounts}
    snapshot = PolicySnapshot(team.database, Store(team.database), page_size=3)
    # Documents of other tests may have no number.
    whole = [row for row in await pages(snapshot, team) if row[0] == "catalog" or own & {*row}]
    for part in ({shard_of(accounts[0].id)}, {shard_of(each.id) for each in accounts[1:]}):
        read = await pages(snapshot, team, shards=frozenset(part))
        found = [row for row in read if row[0] == "catalog" or own & {*row}]
        assert found == [
            (kind, account_id, each)
            for kind, account_id, each in whole
            if kind == "catalog" or shard_of(account_id or each) in part
        ]
        assert {kind for kind, *_ in found} >= {"catalog", "account", "member"}
    unnumbered = {"_id": accounts[0].id}
    await team.database["accounts"].update_one(unnumbered, {"$unset": {"shard": ""}})
    found = await pages(snapshot, team, shards=frozenset({shard_of(accounts[1].id)}))
    assert accounts[0].id in {each for kind, _, each in found if kind == "account"}
