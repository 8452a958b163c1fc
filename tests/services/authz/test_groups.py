"""Tests of replicas that are divided into groups: each decides about the accounts that it holds."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import product
from typing import Any

import pytest
import pytest_asyncio

from rolecall.aio import LeaseOverError
from rolecall.aio.follower import PolicyFollower
from rolecall.aio.groups import DividedError
from rolecall.aio.local_groups import LocalGroups
from rolecall.aio.transport import Transport
from services.authz.adapters.group_calls import HOPS_HEADER
from services.authz.domain.groups import GROUP_HEADER
from shared.cancellation import end
from shared.contracts.calls.authz import NEW_TOKEN
from shared.contracts.groups import shards_in, shards_of_group
from shared.runtime.listeners import listen
from tests.services.authz.conftest import evaluation
from tests.services.authz.divided import (
    ACCOUNTS,
    GROUPS,
    Places,
    account_in,
    tell_of_accounts,
    three_groups,
)
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CLIENT,
    CY,
    SESSION,
    STANDARD,
    catalog,
    no_member,
    service_client,
)
from tests.services.authz.streams import GivenToken, policy_stream
from tests.waiting import wait_for

BATCH = "/access/v1/evaluations"
PAIRS = [(asked, group) for asked, group in product(range(1, GROUPS + 1), ACCOUNTS)]
"""The group that is asked, and the group that holds the account."""


@pytest_asyncio.fixture(loop_scope="module")
async def divided(world):
    tell_of_accounts(world)
    async with three_groups(world) as replicas:
        yield replicas


def of(account_id: str) -> dict[str, Any]:
    return {"account_id": account_id}


async def test_each_replica_answers_rightly_about_the_accounts_of_every_group(world, divided):
    for asked, group in PAIRS:
        replica, account_id = divided[asked], ACCOUNTS[group]
        for user, expected in ((BO, "allowed"), (CY, "not-a-member")):
            said = await world.check(replica, user, "instance:write", of=of(account_id))
            assert said.status == 200, said.body
            assert said.body["context"]["reason"] == expected
            assert said.body["decision"] is (expected == "allowed")
        assert said.headers.get(GROUP_HEADER) == (None if asked == group else f"{group}/3")


async def test_a_group_answers_for_accounts_that_do_not_exist_in_its_part(world, divided):
    unknown = f"acc_{10**30:032x}"
    answers = [
        await world.check(replica, BO, "instance:write", of=of(unknown))
        for replica in divided.values()
    ]
    assert [one.body["context"]["reason"] for one in answers] == ["no-account"] * GROUPS
    assert sum(GROUP_HEADER in one.headers for one in answers) == GROUPS - 1


async def test_every_other_question_reaches_the_group_of_its_account(world, divided):
    client = world.client_token()
    for asked, group in PAIRS:
        replica, account_id = divided[asked], ACCOUNTS[group]
        question = evaluation(BO, "instance:write", **of(account_id))
        at_point = f"/accounts/{account_id}/access/v1/evaluation"
        named = evaluation(BO, "instance:write", account_id=None)
        asks = [
            (at_point, named, lambda body: body["decision"]),
            ("/access/v1/search/action", question, lambda body: len(body["results"]) > 1),
            ("/v1/authz/explain", question, lambda body: body["decision"]),
            (
                "/v1/authz/who-can",
                {"account_id": account_id, "permission": "instance:write"},
                lambda body: {one["user_id"] for one in body["items"]} == {ANA, BO},
            ),
        ]
        for path, body, right in asks:
            said = await world.post(replica, body, path=path, token=client)
            assert said.status == 200, (path, said.body)
            assert right(said.body), (path, said.body)


async def test_a_user_asks_any_replica_about_themselves(world, divided):
    for asked, group in PAIRS:
        token = world.user_token(BO, SESSION, ACCOUNTS[group])
        said = await world.check(
            divided[asked], BO, "instance:write", token=token, of={"account_id": None}
        )
        assert said.body["decision"] is True


async def test_services_inside_ask_any_replica(world, divided):
    for asked, group in PAIRS:
        body = {
            "user_id": BO,
            "session_id": SESSION,
            "account_id": ACCOUNTS[group],
            "permission": "instance:write",
        }
        said = await world.ask_inside(divided[asked], body)
        assert (said.status, said.body["allowed"]) == (200, True)
        limits = {**body, "permission": "api_token:write_own", "limits": {}}
        token = await world.ask_inside(
            divided[asked], limits, path=NEW_TOKEN.path, caller="identity"
        )
        assert (token.status, token.body["member"]) == (200, True)


async def test_the_refusal_of_another_group_is_the_answer(world, divided):
    """The other group verifies the caller by itself; its refusal keeps its status and code."""
    for asked, group in PAIRS:
        body = evaluation(BO, "instance:write", **of(ACCOUNTS[group]))
        body["context"] = {"at_least_revision": f"team.{world.team.store.epoch}.99.1"}
        said = await world.post(divided[asked], body)
        assert (said.status, said.body["code"]) == (400, "bad-request")
        body["context"] = {"at_least_revision": "nothing"}
        said = await world.post(divided[asked], body)
        assert (said.status, said.body["code"]) == (400, "bad-request")


def items(*pairs: tuple[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "subject": {"type": "user", "id": user},
            "resource": {"type": "instance", "id": "i-1", "properties": of(ACCOUNTS[group])},
        }
        for user, group in pairs
    ]


@pytest.mark.parametrize(
    ("semantic", "asked", "expected"),
    [
        ("execute_all", [(BO, 1), (CY, 2), (BO, 3), (CY, 1), (BO, 2)], [1, 0, 1, 0, 1]),
        ("deny_on_first_deny", [(BO, 3), (BO, 1), (CY, 2), (BO, 2), (BO, 1)], [1, 1, 0]),
        ("deny_on_first_deny", [(BO, 2), (BO, 3)], [1, 1]),
        ("permit_on_first_permit", [(CY, 3), (CY, 3), (CY, 1), (BO, 2), (BO, 1)], [0, 0, 0, 1]),
    ],
)
async def test_a_batch_about_several_groups_is_answered_in_its_order(
    world, divided, semantic, asked, expected
):
    body = {
        "action": {"name": "write"},
        "evaluations": items(*asked),
        "options": {"evaluations_semantic": semantic},
    }
    for replica in divided.values():
        said = await world.post(replica, body, path=BATCH)
        assert said.status == 200, said.body
        assert [one["decision"] for one in said.body["evaluations"]] == list(map(bool, expected))


async def test_what_is_wrong_with_one_evaluation_stays_in_its_place(world, divided):
    """Evaluations that name no account, or cannot be read, are of no group."""
    body = {
        "action": {"name": "write"},
        "evaluations": [
            *items((BO, 1)),
            "not an object",
            *items((BO, 2)),
            {"subject": {"type": "user", "id": BO}, "resource": {"type": "instance", "id": "i"}},
            *items((CY, 3)),
        ],
    }
    for replica in divided.values():
        said = await world.post(replica, body, path=BATCH)
        assert [one["context"]["reason"] for one in said.body["evaluations"]] == [
            "allowed",
            "bad-request",
            "allowed",
            "no-account",
            "not-a-member",
        ]


async def test_a_bound_client_learns_of_no_other_account_through_a_group(world, divided):
    client = service_client(BOUND_CLIENT, account_ids=[ACCOUNTS[1]])
    await world.identity.change(client)
    token = world.client_token(BOUND_CLIENT)
    body = {"action": {"name": "write"}, "evaluations": items((BO, 1), (BO, 2), (BO, 3))}
    for replica in divided.values():
        said = await world.post(replica, body, path=BATCH, token=token)
        reasons = [one["context"]["reason"] for one in said.body["evaluations"]]
        assert reasons == ["allowed", "account-not-bound", "account-not-bound"]
        alone = await world.check(replica, BO, "instance:write", token=token, of=of(ACCOUNTS[3]))
        assert (alone.status, alone.body["code"]) == (403, "account-not-bound")


async def test_without_the_other_group_the_answer_is_503_and_never_a_decision(world):
    tell_of_accounts(world)
    places = Places()
    for socket in places.sockets[2]:
        socket.close()
    async with AsyncExitStack() as stack:
        for group in (1, 3):
            replica = await stack.enter_async_context(
                world.replica(f"g{group}", group=group, at=places.sockets[group], **_named(places))
            )
            for user in (BO, CY):
                said = await world.check(replica, user, "instance:write", of=of(ACCOUNTS[2]))
                assert (said.status, said.body["code"]) == (503, "stale")
            batch = {"action": {"name": "write"}, "evaluations": items((BO, group), (BO, 2))}
            assert (await world.post(replica, batch, path=BATCH)).status == 503
            own = await world.check(replica, BO, "instance:write", of=of(ACCOUNTS[group]))
            assert own.body["decision"] is True


def _named(places: Places) -> dict[str, Any]:
    """The settings that name the places, of which some are closed."""
    gone = "http://127.0.0.1:9"
    urls, internal = [], []
    for group in range(1, GROUPS + 1):
        inside, public = places.sockets[group]
        closed = public.fileno() == -1
        urls.append((gone if closed else f"http://127.0.0.1:{public.getsockname()[1]}",))
        internal.append((gone if closed else f"http://127.0.0.1:{inside.getsockname()[1]}",))
    return {"group_urls": tuple(urls), "group_internal_urls": tuple(internal)}


async def test_a_change_waits_for_the_replicas_of_its_group_only(world, divided):
    for group, account_id in ACCOUNTS.items():
        _, receipt = await world.team.change(no_member(BO, account_id))
        assert [one.replica for one in receipt.replicas] == [f"authz/g{group}"]
        for replica in divided.values():
            said = await world.check(replica, BO, "instance:write", of=of(account_id))
            assert said.body["decision"] is False


async def test_a_catalog_is_in_force_in_every_group_before_it_is_acknowledged(world, divided):
    _, receipt = await world.team.change(catalog(STANDARD.id))
    assert sorted(one.replica for one in receipt.replicas) == ["authz/g1", "authz/g2", "authz/g3"]
    _, ended = await world.identity.change(service_client(CLIENT, scopes=[]))
    assert len(ended.replicas) == GROUPS
    for asked, group in PAIRS:
        said = await world.check(divided[asked], BO, "instance:write", of=of(ACCOUNTS[group]))
        assert said.status == 403


async def test_lease_rows_name_the_shards_of_team_that_a_life_holds(world, divided):
    rows = {row.replica: row.shards for row in world.team.store.table.values()}
    assert rows == {f"authz/g{group}": shards_of_group(group, GROUPS) for group in divided}
    assert {row.shards for row in world.identity.store.table.values()} == {None}
    asked = [shards_in(mask) for mask in world.team.masks if mask is not None]
    assert set(asked) == {shards_of_group(group, GROUPS) for group in divided}


async def test_a_replica_holds_the_accounts_of_its_group_only(world, divided):
    for group, replica in divided.items():
        async with policy_stream(world, replica, group=group) as told:
            await told.until("ready")
        accounts = {each for kind, each, _ in told.objects() if kind == "account"}
        assert accounts - {ACCOUNT} == {ACCOUNTS[group]}


async def test_a_stream_of_one_account_comes_from_its_group(world, divided):
    for asked, group in PAIRS:
        async with policy_stream(world, divided[asked], account=ACCOUNTS[group]) as told:
            await told.until("lease")
        accounts = {each for kind, each, _ in told.objects() if kind == "account"}
        assert accounts == {ACCOUNTS[group]}


async def test_a_stream_about_several_groups_is_refused_and_names_them(world, divided):
    async with policy_stream(world, divided[1]) as told:
        assert told.status == 409
        assert told.headers[GROUP_HEADER] == "1/3"
    async with policy_stream(world, divided[1], group=4) as told:
        assert told.status == 409


async def test_local_mode_follows_a_stream_of_each_group(world, divided):
    """It learns the number of groups from the refusal of the stream that would tell all of them."""
    used: list[Any] = []
    async with following_all(world, divided[2], used) as streams:
        resolved = used[0].handle(BO, "instance:write", account=ACCOUNTS[2])
        await asyncio.wait_for(streams.usable(), 30)
        checks = used[-1]
        for account_id in ACCOUNTS.values():
            assert checks.check(BO, "instance:write", account=account_id).allowed
            assert checks.handle(BO, "instance:write", account=account_id).check().allowed
            await world.team.change(no_member(BO, account_id))

            def removed(account_id: str = account_id) -> bool:
                return not checks.check(BO, "instance:write", account=account_id).allowed

            await wait_for(removed, what="the removal")
        for over in (resolved.check, partial(checks.check, BO, "instance:write")):
            with pytest.raises(LeaseOverError):
                over()


@asynccontextmanager
async def following_all(world, replica, used):
    transport = Transport(replica.addresses["public"], allow_http=True)
    clock = world.clock.boottime
    make = partial(
        PolicyFollower,
        transport,
        GivenToken(world.client_token()),
        account_id=None,
        timeout=30,
        clock=clock,
    )
    streams = LocalGroups(make, use=used.append, clock=clock)
    await transport.open()
    task = asyncio.create_task(streams.run())
    try:
        yield streams
        with pytest.raises(DividedError, match="3"):
            await asyncio.wait_for(make(group=1, groups=2).run(), 30)
    finally:
        await end([task])
        await transport.close()


async def test_replicas_that_disagree_about_an_account_do_not_decide(world):
    """Each of two replicas was told to be the first group, so neither has the second one's."""
    tell_of_accounts(world)
    places = Places(2)
    second = account_in(0, 2)
    tell_of_accounts(world, [second])
    async with AsyncExitStack() as stack:
        for name, sockets in places.sockets.items():
            replica = await stack.enter_async_context(
                world.replica(f"r{name}", group=1, at=sockets, **places.settings())
            )
            said = await world.check(replica, BO, "instance:write", of=of(second))
            assert (said.status, said.body["code"]) == (503, "stale")
            forged = await world.check(
                replica, BO, "instance:write", of=of(second), headers={HOPS_HEADER: "x"}
            )
            assert forged.status == 503


async def test_groups_grow_from_one_to_three_without_a_wrong_answer(world):
    """Each step answers about every account, at every replica, of the old number and of the new."""
    tell_of_accounts(world)
    moved = account_in(0, 2, 3)
    tell_of_accounts(world, [moved])
    places = Places()
    old = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        whole = await stack.enter_async_context(world.replica("whole"))
        pair = {
            group: await stack.enter_async_context(
                world.replica(f"old{group}", group=group, at=at, **places.settings(2))
            )
            for group, at in ((1, places.sockets[1]), (2, old))
        }
        new = {
            group: await stack.enter_async_context(
                world.replica(
                    f"new{group}", group=group, at=places.sockets[group], **places.settings()
                )
            )
            for group in (2, 3)
        }
        for replica in (whole, *pair.values(), *new.values()):
            for account_id in (*ACCOUNTS.values(), moved):
                said = await world.check(replica, BO, "instance:write", of=of(account_id))
                assert (said.status, said.body["decision"]) == (200, True), said.body
                _, receipt = await world.team.change(no_member(CY, account_id))
                assert "authz/whole" in {one.replica for one in receipt.replicas}


async def test_a_count_of_groups_is_refused_that_does_not_fit(world):
    public = {"group_urls": (("http://a:1",), ("http://b:1",))}
    inside = {"group_internal_urls": (("http://a:2",), ("http://b:2",))}
    for faulty in (
        {"group": 3, **public, **inside},
        {"group": 0, **public, **inside},
        {"group": 1},
        {"group": 1, **public},
    ):
        with pytest.raises(ValueError, match="group"):
            async with world.replica("x", **faulty):
                pass
