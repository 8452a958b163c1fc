"""Tests of the users that a service client of the platform provisions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest
from argon2 import PasswordHasher

from services.identity.domain.imported_passwords import COMPARISON_SECONDS
from shared.contracts.calls.identity import NAMED_USERS, USER, NamedUsersRequest
from tests.clocks import SetClock
from tests.services.identity.faults import MeasuredHasher
from tests.services.identity.running import PASSWORD, PRODUCTS_HASHER, running
from tests.support.service import FAR

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.services.identity.running import Identity

PATH = "/v1/provisioning/users"
OLD_PASSWORD = "winter-mango-forty-two"
BCRYPT = bcrypt.hashpw(OLD_PASSWORD.encode(), bcrypt.gensalt(8)).decode()
ARGON2 = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(OLD_PASSWORD)


async def platform(identity: Identity, **fields: Any) -> Platform:
    """A service client of the platform."""
    client = await identity.make_client(scopes=["members:provision"], **fields)
    answer = await identity.get_token(client, {"grant_type": "client_credentials"})
    return Platform(identity, client["id"], answer.expect(200)["access_token"])


class Platform:
    """A client that provisions users."""

    def __init__(self, identity: Identity, client_id: str, token: str) -> None:
        self.identity = identity
        self.id = client_id
        self.token = token

    async def send(self, *users: dict[str, Any], **fields: Any) -> Any:
        body = {"users": list(users), **fields}
        return await self.identity.post(PATH, body, token=self.token)

    async def provision(self, *users: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = (await self.send(*users, **fields)).expect(200)["results"]
        return results


def ana(**fields: Any) -> dict[str, Any]:
    return {
        "external_id": "7f3a",
        "email": "ana@example.com",
        "name": "Ana Diaz",
        "email_verified": True,
    } | fields


async def user_row(identity: Identity, user_id: str) -> dict[str, Any]:
    row: dict[str, Any] | None = await identity.database["users"].find_one({"_id": user_id})
    assert row is not None
    return row


async def stored(identity: Identity) -> list[list[dict[str, Any]]]:
    """The users and the external ids, as they are in the database."""
    names = ("users", "external_ids")
    return [[row async for row in identity.database[name].find().sort("_id", 1)] for name in names]


@pytest.mark.parametrize("hashed", [BCRYPT, ARGON2], ids=["bcrypt", "argon2id"])
async def test_an_imported_password_signs_in_and_gets_our_hash(
    mongo_url: str, database_name: str, hashed: str
) -> None:
    async with running(mongo_url, database_name, wiring=PRODUCTS_HASHER) as identity:
        await _import_and_sign_in(identity, hashed)


async def _import_and_sign_in(identity: Identity, hashed: str) -> None:
    client = await platform(identity)
    [made] = await client.provision(ana(password_hash=hashed))
    assert (made["status"], made["ignored"], made["refusal"]) == ("created", [], None)

    assert (await identity.log_in("ana@example.com", "winter-mango-forty-three")).status == 401
    answers = await asyncio.gather(
        *(identity.log_in("ana@example.com", OLD_PASSWORD) for _ in range(3))
    )

    assert [answer.status for answer in answers] == [200, 200, 200]
    row = await user_row(identity, made["user_id"])
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert row["password_imported"] is False
    (await identity.log_in("ana@example.com", OLD_PASSWORD)).expect(200)
    [again] = await client.provision(ana(password_hash=hashed))
    assert (again["status"], again["ignored"]) == ("unchanged", ["password_hash"])


async def test_a_user_without_a_password_sets_one_by_a_reset(identity: Identity) -> None:
    client = await platform(identity)
    [made] = await client.provision(ana(email_verified=False))
    user = await identity.callers["team"].call(USER, "identity", path={"user_id": made["user_id"]})
    assert user.email_verified is False
    assert (await identity.log_in("ana@example.com")).status == 401
    assert (await identity.forgot("ana@example.com")).status == 202

    token = await identity.mailed_reset("ana@example.com")
    assert (await identity.reset(token, PASSWORD)).status == 204

    session = (await identity.log_in("ana@example.com")).expect(200)
    assert session["user"]["id"] == made["user_id"]
    user = await identity.callers["team"].call(USER, "identity", path={"user_id": made["user_id"]})
    assert user.email_verified is True
    told = await identity.actions_of(made["user_id"])
    assert told.index("user.verified") < told.index("user.password_changed")


async def test_the_owner_of_an_address_keeps_password_name_and_status(identity: Identity) -> None:
    session = await identity.person("ana@example.com", name="Ana")
    client = await platform(identity)
    before = await stored(identity)

    [result] = await client.provision(ana(name="Mallory", password_hash=BCRYPT))

    assert result["status"] == "linked"
    assert result["user_id"] == session["user"]["id"]
    assert result["ignored"] == ["name", "email_verified", "password_hash"]
    assert (await stored(identity))[0] == before[0]
    assert (await identity.log_in("ana@example.com", OLD_PASSWORD)).status == 401
    assert await identity.is_live((await identity.log_in("ana@example.com")).expect(200))
    [again] = await client.provision(ana(name="Mallory", password_hash=BCRYPT))
    assert (again["status"], again["ignored"]) == ("unchanged", result["ignored"])
    [row] = await identity.rows("user.linked")
    assert row.account_id == session["account_id"]
    assert row.actor.id == client.id


async def test_another_client_does_not_change_a_provisioned_user(identity: Identity) -> None:
    first, second = await platform(identity), await platform(identity)
    [made] = await first.provision(ana())

    [linked] = await second.provision(ana(external_id="other", name="X", password_hash=BCRYPT))

    assert (linked["status"], linked["user_id"]) == ("linked", made["user_id"])
    assert (await identity.log_in("ana@example.com", OLD_PASSWORD)).status == 401
    [again] = await second.provision(ana(external_id="other", name="Y", password_hash=ARGON2))
    assert again["status"] == "unchanged"
    row = await user_row(identity, made["user_id"])
    assert (row["name"], row["password_hash"]) == ("Ana Diaz", None)


async def test_a_password_needs_an_address_that_is_verified(identity: Identity) -> None:
    client = await platform(identity)
    [result] = await client.provision(ana(email_verified=False, password_hash=BCRYPT))
    assert result["status"] == "refused"
    assert [error["pointer"] for error in result["refusal"]["errors"]] == ["/password_hash"]
    assert await stored(identity) == [[], []]


async def test_the_client_renames_its_users_and_confirms_their_addresses(
    identity: Identity,
) -> None:
    client = await platform(identity)
    [made] = await client.provision(ana(email_verified=False))

    [changed] = await client.provision(ana(name="Ana Ruiz", password_hash=BCRYPT))

    assert (changed["status"], changed["user_id"]) == ("updated", made["user_id"])
    (await identity.log_in("ana@example.com", OLD_PASSWORD)).expect(200)
    assert await identity.actions_of(made["user_id"]) == [
        *("user.provisioned", "user.renamed", "user.verified", "user.password_imported"),
        "session.started",
    ]


async def test_entries_that_contradict_each_other_are_refused_alone(identity: Identity) -> None:
    client = await platform(identity)
    await client.provision(ana())
    results = await client.provision(
        ana(email="new@example.com"),
        ana(external_id="second"),
        ana(external_id="third", email="new@example.com"),
        ana(external_id="third", email="newer@example.com"),
        ana(external_id="fourth", email="NEW@example.com"),
        ana(external_id="fifth", email="no address", name=""" """),
    )
    codes = [one["refusal"] and one["refusal"]["code"] for one in results]
    assert codes[:3] == ["other-address", "other-external-id", "repeated-in-batch"]
    assert codes[3:] == ["repeated-in-batch", "repeated-in-batch", "invalid"]
    pointers = [error["pointer"] for error in results[5]["refusal"]["errors"]]
    assert pointers == ["/email", "/name"]


async def test_a_dry_run_says_the_same_and_changes_nothing(identity: Identity) -> None:
    session = await identity.person("bo@example.com")
    client = await platform(identity)
    before, rows = await stored(identity), len(await identity.rows())
    entries = [ana(), ana(external_id="b", email="bo@example.com"), ana(external_id="c", email="x")]

    tried = await client.provision(*entries, dry_run=True)

    assert await stored(identity) == before
    assert len(await identity.rows()) == rows
    assert [one["user_id"] for one in tried] == [None, session["user"]["id"], None]
    done = await client.provision(*entries)
    assert [one["status"] for one in done] == [one["status"] for one in tried]


async def test_only_a_client_of_the_whole_platform_provisions_users(identity: Identity) -> None:
    account = "acc_" + "7" * 32
    for bound in ([account], [account, "acc_" + "8" * 32], []):
        client = await platform(identity, account_ids=bound)
        answer = await client.send(ana())
        assert (answer.status, answer.code) == (403, "client-bound")
    other = await identity.make_client()
    token = await identity.get_token(other, {"grant_type": "client_credentials"})
    answer = await identity.post(PATH, {"users": [ana()]}, token=token.expect(200)["access_token"])
    assert (answer.status, answer.code) == (403, "scope-missing")
    assert await stored(identity) == [[], []]


async def test_a_sign_up_that_waits_ends_and_later_ones_are_told(identity: Identity) -> None:
    assert (await identity.sign_up("ana@example.com")).status == 202
    [link] = await identity.mailed_links("ana@example.com")
    client = await platform(identity)
    [made] = await client.provision(ana(email_verified=False))

    assert (await identity.verify(link)).status == 410
    assert (await identity.sign_up("ana@example.com")).status == 202

    [refused] = await identity.rows("user.sign_up_refused")
    assert refused.data["user_id"] == made["user_id"]


async def test_clients_at_the_same_moment_make_one_user(identity: Identity) -> None:
    clients = [await platform(identity) for _ in range(3)]
    answers = await asyncio.gather(*(client.provision(ana()) for client in clients))
    results = [result for [result] in answers]
    assert sorted(result["status"] for result in results) == ["created", "linked", "linked"]
    assert len({result["user_id"] for result in results}) == 1


async def test_a_refused_sign_in_takes_as_long_while_imports_are_left(
    mongo_url: str, database_name: str
) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async with running(mongo_url, database_name, wiring={"pause": pause}) as identity:
        client = await platform(identity)
        await identity.log_in("stranger@example.com")
        await client.provision(ana(password_hash=BCRYPT))
        await identity.log_in("stranger@example.com")
        await identity.log_in("ana@example.com", "wrong-password")
        await identity.log_in("ana@example.com", OLD_PASSWORD)
        await identity.log_in("stranger@example.com")
    assert [seconds > 0.25 for seconds in paused] == [False, True, True, False]


class TimedHasher(MeasuredHasher):
    """The clock moves by the time that the thread was busy."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__()
        self.clock = clock

    async def _run(self, job: Callable[[], Any], *, rank: int) -> Any:
        result = await super()._run(job, rank=rank)
        self.clock.move(self.seconds[-1])
        return result


@pytest.mark.rule("T9")
async def test_a_refusal_takes_one_step_for_each_accepted_hash(
    mongo_url: str, database_name: str
) -> None:
    clock = SetClock(FAR)

    async def pause(seconds: float) -> None:
        clock.move(seconds)

    wiring = {"pause": pause, "hasher": TimedHasher(clock)}
    async with running(mongo_url, database_name, clock=clock, wiring=wiring) as identity:
        client = await platform(identity)
        await identity.person("bo@example.com")
        longest = (BCRYPT.replace("$08$", "$12$"), ARGON2.replace("m=8192,t=1", "m=65536,t=3"))
        for hashed in longest:
            [result] = await client.provision(ana(password_hash=hashed))
            assert result["status"] in {"created", "updated"}
            for email in ("ana@example.com", "bo@example.com", "stranger@example.com"):
                began = clock.boottime()
                assert (await identity.log_in(email, "wrong-\ufb01ligature-password")).status == 401
                took = clock.boottime() - began
                assert took == pytest.approx(COMPARISON_SECONDS, abs=0.01), (email, hashed)


@pytest.mark.rule("T9")
async def test_a_stored_hash_that_cannot_be_compared_is_a_wrong_password(
    mongo_url: str, database_name: str
) -> None:
    """The attempt is counted, recorded and answered as any other."""
    async with running(mongo_url, database_name, logins_per_address=2) as identity:
        client = await platform(identity)
        [made] = await client.provision(ana(password_hash=BCRYPT))
        damages = (f"{BCRYPT[:28]}/{BCRYPT[29:]}", ARGON2[:-5] + "=", "$2b$08$")
        for number, damaged in enumerate(damages):
            await identity.database["users"].update_one(
                {"_id": made["user_id"]}, {"$set": {"password_hash": damaged}}
            )
            sender = {"X-Forwarded-For": f"198.51.100.{number}"}
            answers = [
                await identity.log_in("ana@example.com", OLD_PASSWORD, headers=sender)
                for _ in range(3)
            ]
            assert [answer.status for answer in answers] == [401, 401, 429], damaged
        assert len(await identity.rows("session.refused")) == 6


async def test_team_finds_the_users_that_a_client_names(identity: Identity) -> None:
    client, other = await platform(identity), await platform(identity)
    [made] = await client.provision(ana())
    asked = NamedUsersRequest(
        client_id=client.id, external_ids=("7f3a", "none"), user_ids=(made["user_id"], "usr_x")
    )
    found = await identity.callers["team"].call(NAMED_USERS, "identity", asked)
    assert [one.named for one in found.users] == ["7f3a", made["user_id"]]
    assert {one.user_id for one in found.users} == {made["user_id"]}
    elsewhere = NamedUsersRequest(client_id=other.id, external_ids=("7f3a",))
    found = await identity.callers["team"].call(NAMED_USERS, "identity", elsewhere)
    assert found.users == ()
