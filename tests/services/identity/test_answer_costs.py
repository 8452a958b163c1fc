"""What an answer costs the database does not show which addresses have a user (T9).

A busy machine needs more than one step of time for an answer, so the step alone hides nothing: the
commands must be the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.identity.store import Store
from services.identity.store.decoys import DECOYS_OF_A_PROCESS
from shared.contracts.facts import shard_of
from shared.mongo import transact
from tests.services.identity.running import PASSWORD, running
from tests.support.round_trips import ROUND_TRIPS, Command, new_trace

if TYPE_CHECKING:
    from shared.mongo import DbSession
    from tests.services.identity.running import Identity

PATHS: dict[str, dict[str, str]] = {
    "/v1/signup": {"name": "Ana"},
    "/v1/email/resend": {},
    "/v1/password/forgot": {},
}
SENDERS = ("198.51.100.1", "198.51.100.1", "198.51.100.2", "198.51.100.3")
"""The second request is beyond the sender's share, the last beyond the mailbox's budget."""
MAILED = {
    "/v1/signup": {"known": 2, "waiting": 2, "unknown": 2},
    "/v1/email/resend": {"known": 2, "waiting": 2, "unknown": 0},
    "/v1/password/forgot": {"known": 2, "waiting": 0, "unknown": 0},
}
MAILS = ("sign_up.requested", "user.sign_up_refused", "user.password_reset_requested")
REQUEST_FOR_A_MAIL = [
    *("find counters", "write"),  # the sender is counted
    *("find heads", "find addresses", "find users", "find sign_ups", "find counters"),
    *["write"] * 5,  # two counters, the state, the head and the row of the journal
    "commit",
]
REFUSED_SIGN_IN = [
    *("find counters", "write", "write"),
    *("find addresses", "find users"),
    *("find heads", "write", "write", "commit"),
    "find users",  # whether imported passwords are left
]


def shape(command: Command) -> str:
    """A read of a collection, a write of any, or a commit."""
    match command.name:
        case "find":
            return str(command)
        case "insert" | "update" | "findAndModify":
            return "write"
        case "commitTransaction":
            return "commit"
        case other:
            return other


async def cost(
    identity: Identity,
    path: str,
    body: dict[str, Any],
    sender: str,
    *,
    token: str | None = None,
) -> list[str]:
    """What one request sends to the database before its answer."""
    trace = new_trace()
    headers = {"X-Forwarded-For": sender, "traceparent": trace}
    answer = await identity.post(path, body, token=token, headers=headers)
    assert answer.status == (401 if path == "/v1/login" else 202)
    return [shape(command) for command in ROUND_TRIPS.of[trace]]


@pytest.mark.rule("T9")
async def test_every_request_for_a_mail_costs_the_same_commands(
    mongo_url: str, database_name: str
) -> None:
    """With a user, a sign-up or nothing at the address, within a budget and beyond it."""
    async with running(mongo_url, database_name, mails_per_address=2) as identity:
        for number in range(len(PATHS)):
            await identity.person(f"known{number}@example.com")
            await identity.sign_up(f"waiting{number}@example.com")
        identity.clock.move(7 * 60 * 60)  # to new windows
        before = len(await identity.rows(*MAILS))
        for number, path in enumerate(PATHS):
            for kind, mailed in MAILED[path].items():
                body = {"email": f"{kind}{number}@example.com"} | PATHS[path]
                costs = [await cost(identity, path, body, sender) for sender in SENDERS]
                assert costs == [REQUEST_FOR_A_MAIL] * len(SENDERS), (path, kind)
                after = len(await identity.rows(*MAILS))
                assert after == before + mailed, (path, kind)
                before = after


@pytest.mark.rule("T9")
async def test_a_request_for_another_address_costs_the_same_commands(
    mongo_url: str, database_name: str
) -> None:
    """The first request is mailed; the user's share and the mailbox's budget are used up then."""
    async with running(mongo_url, database_name, mails_per_address=2) as identity:
        await identity.person("known@example.com")
        await identity.sign_up("waiting@example.com")
        costs = []
        for kind in ("known", "waiting", "unknown"):
            person = await identity.person(f"ana@{kind}.example")
            body = {"email": f"{kind}@example.com", "password": PASSWORD}
            for sender in SENDERS:
                token = person["access_token"]
                costs.append(await cost(identity, "/v1/me/email", body, sender, token=token))
            mails = await identity.rows("user.address_link_requested", "user.address_wanted")
            assert len(mails) == len(costs) / len(SENDERS)
        assert costs == costs[:1] * len(costs)
        assert "find sign_ups" in costs[0]


@pytest.mark.rule("T9")
async def test_a_refused_sign_in_costs_the_same_commands(identity: Identity) -> None:
    await identity.person("known@example.com")
    await identity.sign_up("waiting@example.com")
    for email in ("known@example.com", "waiting@example.com", "unknown@example.com"):
        for sender in SENDERS[1:]:
            body = {"email": email, "password": f"not-{PASSWORD}"}
            assert await cost(identity, "/v1/login", body, sender) == REFUSED_SIGN_IN, email


@pytest.mark.rule("T9")
async def test_requests_that_mail_nothing_write_the_same_few_documents(identity: Identity) -> None:
    for number in range(20):
        body = {"email": f"ana{number}@example.com"}
        assert (await identity.post("/v1/password/forgot", body)).status == 202
    decoys = [decoy async for decoy in identity.database["decoys"].find({})]
    assert len(decoys) == DECOYS_OF_A_PROCESS
    assert {key for decoy in decoys for key in decoy} == {"_id", "delete_at", "filler", "writes"}
    assert "ana" not in str(decoys)
    assert min(len(str(decoy)) for decoy in decoys) > 1024  # about the size of a row
    assert len([each async for each in identity.database["counters"].find({})]) == 1  # the sender


@pytest.mark.rule("T9")
async def test_decoys_are_a_part_of_the_transaction(identity: Identity) -> None:
    """A write outside it waits for a commit of its own, so it costs more than a write inside."""

    class StoppedError(Exception):
        """Ends the transaction."""

    async def change(session: DbSession) -> None:
        await Store(identity.database).add_decoys(3, now=identity.clock.now(), session=session)
        raise StoppedError

    with pytest.raises(StoppedError):
        await transact(identity.client, change)
    assert await identity.database["decoys"].count_documents({}) == 0


async def test_processes_do_not_wait_for_the_decoys_of_each_other(identity: Identity) -> None:
    now = identity.clock.now()
    for process in (Store(identity.database), Store(identity.database)):

        async def change(session: DbSession, process: Store = process) -> None:
            await process.add_decoys(DECOYS_OF_A_PROCESS + 1, now=now, session=session)

        await transact(identity.client, change)
    written = await identity.database["decoys"].count_documents({})
    assert written == 2 * DECOYS_OF_A_PROCESS


@pytest.mark.rule("T9")
async def test_what_an_address_is_told_waits_for_the_shard_of_the_address(
    identity: Identity,
) -> None:
    """In the shard of its user, a stranger who keeps that one busy would see that there is one."""
    shards = set()
    for number in range(6):
        email = f"ana{number}@example.com"
        user = (await identity.person(email))["user"]["id"]
        if shard_of(user) == shard_of(email):
            continue
        known = {row.id for row in await identity.rows()}
        assert (await identity.forgot(email)).status == 202
        body = {"email": email, "password": f"not-{PASSWORD}"}
        assert (await identity.post("/v1/login", body)).status == 401
        told = [row for row in await identity.rows() if row.id not in known]
        assert [row.shard for row in told] == [shard_of(email)] * 2
        shards.add(shard_of(email))
    assert len(shards) > 1
