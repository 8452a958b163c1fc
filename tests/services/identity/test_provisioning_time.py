"""Tests of the time that a request of provisioning takes, over users in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.identity.domain.provisioning import UserEntry, UserOutcome
from services.identity.use_cases.provisioning import ROUNDS, SHARDS_AT_ONCE, provision
from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import Actor, Caller, RequestInfo, shard_of
from shared.ids import ClientId, UserId
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.support.service import FAR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from services.identity.domain.users import User
    from services.identity.use_cases.provisioning import UserResult

CLIENT = ClientId("cli_" + "1" * 32)
CALLER = Caller(
    actor=Actor(type="service_client", id=CLIENT), request=RequestInfo(request_id="req_1")
)
PRINCIPAL = ClientPrincipal(client_id=CLIENT, scopes=frozenset({"members:provision"}))
MANY = 300


class Users:
    """The users and external ids of one client; each transaction takes `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.clock = SetClock(FAR)
        self.seconds = seconds
        self.users: dict[str, User] = {}
        self.linked: dict[str, UserId] = {}
        self.writing: Counter[int] = Counter()
        self.most_at_once = 0
        self.broken: Exception | None = None
        """What every transaction ends with, or each in `broken_shard`."""
        self.broken_shard: int | None = None
        self.ctx = cast(
            "Any",
            SimpleNamespace(
                store=self,
                journal=self,
                clock=self.clock,
                timeouts=replace(PATIENT, provisioning=10.0),
            ),
        )

    async def provision(self, number: int) -> list[UserResult]:
        entries = [
            UserEntry(
                external_id=f"u{one}",
                email=f"u{one}@example.com",
                name="Ana",
                email_verified=True,
            )
            for one in range(number)
        ]
        return await provision(self.ctx, CALLER, PRINCIPAL, entries, dry_run=False)

    async def write(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[Any]],
        *,
        caller: Caller,
        effective_everywhere: bool,
    ) -> WriteResult[Any]:
        shard = shard_of(key)
        self.writing[shard] += 1
        assert self.writing[shard] == 1, "two transactions of one request in one shard"
        self.most_at_once = max(self.most_at_once, self.writing.total())
        await asyncio.sleep(0)
        self.clock.move(self.seconds)
        try:
            if self.broken is not None and self.broken_shard in {None, shard}:
                raise self.broken
            write = JournalWrite(
                session=cast("Any", None), now=self.clock.now(), base=0, caller=caller
            )
            return WriteResult(result=await change(write), revision=None)
        finally:
            self.writing[shard] -= 1

    async def users_of_external_ids(
        self, client_id: ClientId, external_ids: Collection[str], session: Any = None
    ) -> dict[str, UserId]:
        return {one: self.linked[one] for one in external_ids if one in self.linked}

    async def users_among(
        self, user_ids: Collection[UserId], session: Any = None
    ) -> dict[UserId, User]:
        return {one.id: one for one in self.users.values() if one.id in set(user_ids)}

    async def holders(self, email_keys: Collection[str], session: Any = None) -> dict[str, User]:
        return {key: self.users[key] for key in email_keys if key in self.users}

    async def external_ids_of_users(
        self, client_id: ClientId, user_ids: Collection[UserId], session: Any = None
    ) -> dict[UserId, str]:
        return {user: one for one, user in self.linked.items() if user in set(user_ids)}

    async def delete_sign_ups_of(self, email_keys: Collection[str], session: Any) -> None:
        """There are none."""

    async def insert_users(self, users: Sequence[User], session: Any) -> None:
        self.users.update({user.email_key: user for user in users})

    async def insert_external_ids(
        self, client_id: ClientId, users: Mapping[str, UserId], session: Any
    ) -> None:
        self.linked.update(users)


async def test_shards_are_written_side_by_side_and_each_by_one_transaction() -> None:
    world = Users()
    results = await world.provision(MANY)
    assert {one.status for one in results} == {UserOutcome.CREATED}
    assert [one.external_id for one in results] == [f"u{number}" for number in range(MANY)]
    assert world.most_at_once == SHARDS_AT_ONCE


async def test_what_is_late_is_not_done_and_a_repeat_does_it() -> None:
    world = Users(seconds=1.0)
    first = Counter(one.status for one in await world.provision(MANY))
    assert first.keys() == {UserOutcome.CREATED, UserOutcome.NOT_DONE}
    assert len(world.users) == first[UserOutcome.CREATED]
    world.seconds = 0.0
    second = Counter(one.status for one in await world.provision(MANY))
    assert second[UserOutcome.UNCHANGED] == first[UserOutcome.CREATED]
    assert second[UserOutcome.CREATED] == first[UserOutcome.NOT_DONE]


async def test_a_request_that_is_sent_again_comes_to_its_end() -> None:
    """What is done needs no transaction, so the time goes to what is not."""
    world = Users(seconds=1.0)
    left = MANY
    while left:
        results = Counter(one.status for one in await world.provision(MANY))
        assert results[UserOutcome.NOT_DONE] < left
        left = results[UserOutcome.NOT_DONE]
    world.seconds = 100.0
    again = await world.provision(MANY)
    assert {one.status for one in again} == {UserOutcome.UNCHANGED}


async def test_an_entry_that_meets_others_each_time_is_not_done() -> None:
    world = Users()
    world.broken = AlreadyThere("users")
    [result] = await world.provision(1)
    assert (result.status, result.user_id) == (UserOutcome.NOT_DONE, None)
    assert ROUNDS > 1


async def test_without_the_database_the_request_is_unavailable() -> None:
    world = Users()
    world.broken = Unavailable()
    with pytest.raises(Unavailable):
        await world.provision(MANY)
    assert world.writing.total() == 0


async def test_a_shard_that_is_unavailable_keeps_no_other_from_being_done() -> None:
    world = Users()
    await world.provision(1)
    [known] = world.users.values()
    world.users.clear()
    world.linked.clear()
    world.broken, world.broken_shard = Unavailable(), shard_of(known.id)

    results = await world.provision(MANY)

    done = Counter(one.status for one in results)
    assert done.keys() <= {UserOutcome.CREATED, UserOutcome.NOT_DONE}
    assert done[UserOutcome.CREATED] == len(world.users) > 0
    assert all(shard_of(user.id) != world.broken_shard for user in world.users.values())
    world.broken = None
    assert {one.status for one in await world.provision(MANY)} == {
        UserOutcome.CREATED,
        UserOutcome.UNCHANGED,
    }
