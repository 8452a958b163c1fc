"""The documents of a user are in the user's shard, beside replicas of an earlier version, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.identity.store import Store
from shared.clock import SystemClock
from shared.contracts.facts import Fact, ResourceRef, shard_of
from shared.contracts.identity import UserRenamed
from shared.ids import SessionId, UserId, new_id
from shared.indexes import Index, build_indexes
from shared.journal import Journal, JournalWrite
from shared.journal.relay import Relay
from shared.links import Link, Links
from shared.mongo import transact
from shared.secret_keys import secret_bytes
from tests.services.identity.domain.rows import USER
from tests.services.identity.running import PASSWORD, SECRETS
from tests.services.team.memory import caller_of
from tests.support.journal_keys import signer
from tests.waiting import wait_for

if TYPE_CHECKING:
    from shared.mongo import DbSession
    from tests.services.identity.running import Identity

ANA = "ana@example.com"
EARLIER_ADDRESS = Index(
    collection="users",
    keys=(("email_key", 1),),
    name="verified_address",
    unique=True,
    partial={"verified": True},
)
"""By this index an earlier version keeps an address to one user."""


class EarlierReplica:
    """A replica of the version before: it knows neither shards nor the collection of addresses."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.journal = Journal(
            identity.client,
            identity.database,
            source="identity",
            signer=signer("identity"),
            relay=Relay(identity.database, identity.bus, holder="earlier", clock=SystemClock()),
            clock=identity.clock,
        )

    async def add(self, name: str, document: dict[str, Any], *, user_id: str) -> None:
        """Add a document of a user, in the transaction of a fact."""
        await self.journal.start()

        async def change(write: JournalWrite) -> None:
            added = {field: value for field, value in document.items() if field != "shard"}
            await self.identity.database[name].insert_one(added, session=write.session)
            payload = UserRenamed(user_id=user_id, email=ANA, name="Ana", account_id="acc_1")
            write.record(Fact(payload=payload, resource=ResourceRef(type="user", id=user_id)))

        await self.journal.write(
            user_id, change, caller=caller_of("ana"), effective_everywhere=False
        )


async def forget_number(identity: Identity, name: str, key: str) -> None:
    """Leave a document as an earlier replica has just written it: nothing has looked for it yet."""
    changed = await identity.database[name].update_one({"_id": key}, {"$unset": {"shard": ""}})
    assert changed.modified_count == 1


async def session_of(identity: Identity, user_id: str) -> dict[str, Any]:
    [row] = await identity.database["sessions"].find({"user_id": user_id}).to_list(2)
    return dict(row)


async def numbers(identity: Identity, name: str) -> set[tuple[str, int]]:
    """The user and the shard of each document."""
    rows = [row async for row in identity.database[name].find({})]
    return {(row.get("user_id", row["_id"]), row["shard"]) for row in rows}


async def test_users_and_sessions_are_in_the_shard_of_their_user(identity: Identity) -> None:
    people = [await identity.person(f"ana{number}@example.com") for number in range(3)]
    await identity.log_in("ana0@example.com")
    expected = {(one["user"]["id"], shard_of(one["user"]["id"])) for one in people}
    assert await numbers(identity, "users") == expected
    assert await numbers(identity, "sessions") == expected
    sessions = [row async for row in identity.database["sessions"].find({})]
    assert len(sessions) == 4
    assert {row["shard"] == shard_of(row["_id"]) for row in sessions} == {True}


async def test_each_user_has_one_document_of_the_address(identity: Identity) -> None:
    people = [await identity.person(f"ana{number}@example.com") for number in range(3)]
    proof = identity.stand_ins.invite("bo@example.com", "email")
    body = {"name": "Bo", "password": PASSWORD, "invitation": proof}
    people.append((await identity.post("/v1/signup", body)).expect(201))
    stored = [row async for row in identity.database["addresses"].find({})]
    assert {row["_id"]: row["user_id"] for row in stored} == {
        one["user"]["email"]: one["user"]["id"] for one in people
    }
    assert {key for row in stored for key in row} == {"_id", "user_id"}


async def test_a_user_and_the_address_are_saved_both_or_neither(identity: Identity) -> None:
    """What ends the transaction between the two statements leaves an address that is free."""

    class EndedError(Exception):
        """Ends the transaction."""

    store = Store(identity.database)

    async def ended(session: DbSession) -> None:
        await store.insert_users([USER], session)
        raise EndedError

    with pytest.raises(EndedError):
        await transact(identity.client, ended)
    for name in ("users", "addresses"):
        assert await identity.database[name].count_documents({}) == 0
    assert (await identity.person(ANA))["user"]["email"] == ANA


async def test_an_address_that_names_no_user_has_none(identity: Identity) -> None:
    """Nothing follows from the id that is looked up in its place."""
    store = Store(identity.database)
    person = await identity.person(ANA)
    assert await store.user_of("bo@example.com") is None
    assert await store.user_of(person["user"]["id"]) is None


async def test_a_session_of_another_user_in_the_same_shard_is_not_ended(
    identity: Identity,
) -> None:
    first = await identity.person(ANA)
    number = shard_of(first["user"]["id"])
    beside = UserId(next(i for i in iter(lambda: new_id("usr"), "") if shard_of(i) == number))
    row = await session_of(identity, first["user"]["id"])
    await identity.database["sessions"].insert_one({**row, "_id": new_id("ses"), "user_id": beside})
    token = (await identity.log_in(ANA)).expect(200)["access_token"]
    new = "quiet-otters-paint-maps"
    (await identity.change_password(token, PASSWORD, new)).expect(204)
    left = identity.database["sessions"].find({"ended": False})
    assert {row["user_id"] async for row in left} == {first["user"]["id"], beside}


async def test_a_session_of_an_earlier_version_is_refreshed_by_its_token(
    identity: Identity,
) -> None:
    """Its id is in any shard."""
    person = await identity.person(ANA)
    row = await session_of(identity, person["user"]["id"])
    earlier = next(i for i in iter(lambda: new_id("ses"), "") if shard_of(i) != row["shard"])
    await identity.database["sessions"].insert_one({**row, "_id": earlier})
    token = Links(secret_bytes(SECRETS["refresh_key"]), "refresh").token(Link(earlier, 1))
    for _ in range(2):
        answer = await identity.post("/v1/token/refresh", {"refresh_token": token})
        token = answer.expect(200)["refresh_token"]


async def test_a_sign_in_at_an_earlier_replica_counts_at_once(identity: Identity) -> None:
    person = await identity.person(ANA)
    user_id = person["user"]["id"]
    row = await session_of(identity, user_id)
    for name, key in (("sessions", row["_id"]), ("users", user_id)):
        await forget_number(identity, name, key)
    me = await identity.send("GET", "/v1/me", token=person["access_token"])
    assert me.expect(200)["id"] == user_id

    await forget_number(identity, "sessions", row["_id"])
    body = {"refresh_token": person["refresh_token"]}
    refreshed = (await identity.post("/v1/token/refresh", body)).expect(200)
    assert refreshed["refresh_token"] != person["refresh_token"]
    store = Store(identity.database)
    assert await store.session(UserId(user_id), SessionId(row["_id"])) is not None


async def test_a_reset_ends_a_session_that_an_earlier_replica_began_just_before(
    identity: Identity,
) -> None:
    person = await identity.person(ANA)
    user_id = person["user"]["id"]
    row = await session_of(identity, user_id)
    await EarlierReplica(identity).add("sessions", {**row, "_id": new_id("ses")}, user_id=user_id)
    await identity.forgot(ANA)
    reset = await identity.reset(await identity.mailed_reset(ANA), "quiet-otters-paint-maps")
    assert reset.status == 204
    assert await identity.database["sessions"].count_documents({"ended": False}) == 0


async def moved_to_an_earlier_replica(identity: Identity, email: str) -> str:
    """A user of the address whom an earlier replica has added."""
    person = await identity.person(email)
    user_id = str(person["user"]["id"])
    users = identity.database["users"]
    row = await users.find_one({"_id": user_id})
    assert row is not None
    await users.delete_one({"_id": user_id})
    await identity.database["addresses"].delete_one({"_id": email})
    await EarlierReplica(identity).add("users", row, user_id=user_id)
    return user_id


async def test_a_user_of_an_earlier_replica_signs_in_soon(identity: Identity) -> None:
    user_id = await moved_to_an_earlier_replica(identity, ANA)

    addresses = identity.database["addresses"]

    async def adopted() -> bool:
        return await addresses.find({}).to_list(2) == [{"_id": ANA, "user_id": user_id}]

    # Failed sign-ins count, so the address is watched until it is there.
    await wait_for(adopted, what="the address of a user whom an earlier replica added")
    assert (await identity.log_in(ANA)).status == 200


async def test_two_versions_give_an_address_to_one_user(identity: Identity) -> None:
    """An earlier replica finds the address free in `users`, this one in `addresses`.

    The index stays, as in an old database: dropping it beside a running service can block both.
    """
    await build_indexes(identity.database, EARLIER_ADDRESS)
    await identity.sign_up(ANA)
    [link] = await identity.mailed_links(ANA)
    first = await moved_to_an_earlier_replica(identity, "bo@example.com")
    users = identity.database["users"]
    await users.update_one({"_id": first}, {"$set": {"email_key": ANA, "email": ANA}})
    await identity.database["addresses"].delete_many({})

    assert (await identity.verify(link)).status == 410

    assert [row["_id"] async for row in users.find({})] == [first]
    assert await identity.database["addresses"].find_one({"_id": ANA}) in (
        None,
        {"_id": ANA, "user_id": first},
    )
