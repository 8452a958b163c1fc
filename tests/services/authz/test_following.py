"""Tests of running replicas: they follow their sources, and do not answer without leases."""

import asyncio
from functools import partial
from itertools import pairwise

import aiohttp
import pytest

from services.authz.domain.policy_state import PolicyState
from shared.contracts.calls.leases import (
    LEASE,
    MAX_TTL_SECONDS,
    LeaseAnswer,
    SnapshotPage,
)
from shared.contracts.facts import format_revision
from shared.following.follower import HURRY_SECONDS, Follower
from shared.following.journal_view import JournalView, RowOutcome
from shared.http.client import InternalClient
from shared.http.internal_answers import AnswerUnfit
from shared.timeouts import Timeouts
from tests.services.authz.histories import (
    ANA,
    BO,
    CY,
    NOON,
    RUNPOD,
    STANDARD,
    account,
    catalog,
    member,
    no_member,
    service_client,
)
from tests.support.journal_keys import verifier
from tests.waiting import wait_for


async def says(world, service, user, permission="instance:write"):
    said = await world.check(service, user, permission)
    return said.body["context"]["reason"] if said.status == 200 else said.body["code"]


def rows_of(source):
    """The lease rows that a change waits for."""
    return [row for row in source.store.table.values() if not row.released]


async def test_a_new_replica_answers_from_the_snapshot(world):
    async with world.replica() as authz:
        assert await says(world, authz, BO) == "allowed"
        assert await says(world, authz, CY) == "not-a-member"


async def test_every_replica_applies_a_change_before_it_is_acknowledged(world):
    async with world.replica("a") as first, world.replica("b") as second:
        for _ in range(10):
            _, receipt = await world.team.change(no_member(BO))
            assert {settled.how for settled in receipt.replicas} == {"applied"}
            for authz in (first, second):
                assert await says(world, authz, BO) == "not-a-member"
            await world.team.change(member(BO, "developer"))
            assert await says(world, second, BO) == "allowed"


async def test_rows_that_the_bus_lost_are_found_by_the_heads(world):
    async with world.replica() as authz:
        world.team.mute = True
        _, receipt = await world.team.change(no_member(BO), member(CY, "basic"))
        assert receipt.effective
        assert [settled.how for settled in receipt.replicas] == ["applied"]
        assert await says(world, authz, BO) == "not-a-member"


async def test_a_row_after_a_gap_waits_until_the_gap_is_filled(world):
    async with world.replica() as authz:
        world.team.write(no_member(BO))
        world.team.write(member(BO, "basic"))
        revision, receipt = await world.team.change(member(CY, "developer"))
        assert receipt.effective
        assert await says(world, authz, CY) == "allowed"
        assert await says(world, authz, BO) == "owner-unknown"
        said = await world.check(authz, CY, "instance:write")
        assert said.body["context"]["revision"] == revision


async def test_a_replica_without_a_lease_answers_nothing(world):
    async with world.replica() as authz:
        assert await says(world, authz, BO) == "allowed"
        world.team.away = world.identity.away = True
        world.clock.skip(0.99)
        said = await world.check(authz, BO, "instance:write")
        assert (said.status, said.body["code"]) == (503, "stale")
        assert said.headers["Retry-After"] == "1"
        assert not all(authz.ready().values())
        world.team.away = world.identity.away = False
        await wait_for(lambda: all(authz.ready().values()))
        assert await says(world, authz, BO) == "allowed"


@pytest.mark.parametrize("away", ["team", "identity"])
async def test_both_leases_are_needed(world, away):
    async with world.replica() as authz:
        getattr(world, away).away = True
        world.clock.skip(0.99)
        assert not authz.ready()["team"]
        assert not authz.ready()["identity"]

        def missing() -> list[str]:
            return [name for name, ready in authz.ready().items() if not ready]

        await wait_for(lambda: missing() == [away], what="the other lease to be renewed")
        assert await says(world, authz, BO) == "stale"


async def test_a_replica_that_has_not_loaded_refuses_connections(world):
    world.team.away = True
    async with world.replica(ready=False) as authz:
        await wait_for(lambda: authz.ready().get("identity") and authz.ready()["keys"])
        assert not authz.ready()["started"]
        assert not authz.ready()["team"]
        with pytest.raises(aiohttp.ClientConnectionError):
            await says(world, authz, BO)
        world.team.away = False
        await wait_for(lambda: all(authz.ready().values()))
        assert await says(world, authz, BO) == "allowed"


async def test_an_account_is_stale_until_its_catalog_arrives(world):
    async with world.replica() as authz:
        await world.team.change(account(catalog=RUNPOD.id))
        assert await says(world, authz, BO) == "stale"
        await world.team.change(catalog(RUNPOD.id))
        assert await says(world, authz, BO, "pods:view") == "permission-unknown"


async def test_a_replica_behind_after_an_outage_of_its_source_keeps_its_state(world, caplog):
    async with world.replica() as authz:
        world.team.away = True
        world.clock.skip(60)
        world.team.write(no_member(BO))
        loads = world.team.asked.count("snapshot")
        world.team.away = False
        await wait_for(lambda: all(authz.ready().values()), what="the leases")
        assert await says(world, authz, BO) == "not-a-member"
        assert world.team.asked.count("snapshot") == loads
    assert "ERROR" not in {record.levelname for record in caplog.records}


async def test_another_epoch_drops_the_state_and_loads_again(world):
    async with world.replica() as authz:
        world.team.restore()
        world.team.write(catalog(STANDARD.id))
        world.team.write(account(), member(ANA, "owner"))

        async def forgot() -> bool:
            return bool(await says(world, authz, BO) == "not-a-member")

        await wait_for(forgot, what="the old state to be dropped")
        assert await says(world, authz, ANA) == "allowed"


async def test_a_stopping_replica_returns_its_leases(world):
    async with world.replica():
        assert [row.replica for row in rows_of(world.team)] == ["authz/a"]
        assert [row.replica for row in rows_of(world.identity)] == ["authz/a"]
    assert rows_of(world.team) == rows_of(world.identity) == []


async def test_two_live_processes_in_one_slot_are_both_honoured(world):
    async with world.replica("a") as first, world.replica("a") as second:
        assert [row.replica for row in rows_of(world.team)] == ["authz/a", "authz/a"]
        _, receipt = await world.team.change(no_member(BO))
        assert [settled.how for settled in receipt.replicas] == ["applied", "applied"]
        assert len({settled.replica for settled in receipt.replicas}) == 2
        for authz in (first, second):
            assert await says(world, authz, BO) == "not-a-member"


async def test_the_lease_of_a_forgotten_state_is_given_back(world):
    """Its row never says that a change is applied, so each change would wait for it."""
    async with world.replica() as authz:
        [former] = rows_of(world.team)
        world.team.restore()
        world.team.write(catalog(STANDARD.id))
        world.team.write(account(), member(ANA, "owner"))
        await wait_for(lambda: world.team.store.table[former.id].released)
        await wait_for(lambda: all(authz.ready().values()))
        [row] = rows_of(world.team)
        assert (row.replica, row.id == former.id) == ("authz/a", False)
        _, receipt = await world.team.change(member(CY, "basic"))
        assert [settled.how for settled in receipt.replicas] == ["applied"]


async def test_a_replica_whose_life_is_refused_goes_on_with_a_new_one(world):
    async with world.replica() as authz:
        [former] = rows_of(world.team)
        await world.team.leases.end(former.id)
        await wait_for(lambda: [row.id for row in rows_of(world.team)] not in ([], [former.id]))
        await wait_for(lambda: all(authz.ready().values()))
        assert await says(world, authz, BO) == "allowed"


@pytest.mark.parametrize("revision", ["own", "next"])
async def test_a_check_that_names_a_revision_is_that_fresh_or_refused(world, revision):
    async with world.replica(timeouts=Timeouts(catch_up=0.0, source_call=60.0)) as authz:
        known, _ = await world.team.change(member(CY, "developer"))
        source, epoch, shard, seq = known.split(".")
        named = known if revision == "own" else f"{source}.{epoch}.{shard}.{int(seq) + 1}"
        said = await world.check(
            authz, CY, "instance:write", of={"context": {"at_least_revision": named}}
        )
        assert (said.status, said.body.get("code")) == (
            (200, None) if revision == "own" else (503, "stale")
        )


async def test_a_check_waits_for_the_revision_that_it_names(world):
    looks: list[tuple[int, int]] = []

    class Watched(JournalView):
        def has(self, shard, seq):
            looks.append((shard, seq))
            return super().has(shard, seq)

    async with world.replica(view=Watched) as authz:
        told = world.team.write(member(CY, "developer"))
        *_, shard, seq = position = told[-1].row.position
        named = ".".join(map(str, position))
        asked = asyncio.create_task(
            world.check(authz, CY, "instance:write", of={"context": {"at_least_revision": named}})
        )
        # The next lease tells of the row as well, and may be faster.
        await wait_for(lambda: asked.done() or looks.count((shard, seq)) > 1, what="the waiting")
        await world.team.publish(told)
        assert (await asked).body["decision"] is True


async def test_a_revision_of_a_lost_history_is_answered_from_the_present_one(world):
    at_once = Timeouts(catch_up=0.0, source_call=60.0)
    async with world.replica("a") as waits, world.replica("b", timeouts=at_once) as refuses:
        lost, _ = await world.team.change(member(BO, "basic"))
        world.team.restore()
        world.team.write(catalog(STANDARD.id))
        world.team.write(account(), member(BO, "developer"))

        async def answered(authz) -> bool:
            named = {"context": {"at_least_revision": lost}}
            said = await world.check(authz, BO, "instance:write", of=named)
            if said.status == 200:
                assert said.body["decision"] is True
            return bool(said.status == 200)

        for authz in (waits, refuses):
            await wait_for(partial(answered, authz), what="an answer from the present history")


async def test_a_revision_of_an_epoch_that_a_replica_lacks_is_stale(world):
    """A replica may hold a lease of the former epoch when a caller has a new revision already."""
    async with world.replica(timeouts=Timeouts(catch_up=0.0, source_call=60.0)) as authz:
        world.team.away = True
        world.team.restore()
        world.team.write(catalog(STANDARD.id))
        told = world.team.write(account(), no_member(BO))
        named = {"context": {"at_least_revision": format_revision(told[-1].row.position)}}
        for _ in range(3):
            said = await world.check(authz, BO, "instance:write", of=named)
            assert (said.status, said.body.get("code")) == (503, "stale")
        assert await says(world, authz, BO) == "allowed", "the lease of the former epoch holds"
        world.team.away = False

        async def knows() -> bool:
            said = await world.check(authz, BO, "instance:write", of=named)
            return bool(said.status == 200 and said.body["decision"] is False)

        await wait_for(knows, what="the new epoch")


@pytest.mark.parametrize("world", [MAX_TTL_SECONDS], indirect=True, ids=["long-leases"])
async def test_a_check_asks_for_the_row_of_its_revision_that_the_bus_lost(world):
    async with world.replica() as authz:
        # The first lease is renewed after less than a second, with a long time as well.
        await wait_for(lambda: world.team.asked.count("lease") >= 2, what="the second lease")
        told = world.team.write(member(CY, "developer"))
        named = format_revision(told[-1].row.position)
        # The next lease tells of the row as well, but not before a fifth of its time.
        async with asyncio.timeout(MAX_TTL_SECONDS / 6):
            said = await world.check(
                authz, CY, "instance:write", of={"context": {"at_least_revision": named}}
            )
        assert said.body["decision"] is True


async def test_a_new_service_client_may_ask_at_once(world):
    async with world.replica() as authz:
        new = "cli_" + "e" * 32
        token = world.client_token(new)
        assert (await world.check(authz, BO, "instance:write", token=token)).status == 401
        await world.identity.change(service_client(new))
        assert (await world.check(authz, BO, "instance:write", token=token)).status == 200


async def test_duplicates_and_disorder_on_the_bus_change_nothing(world):
    async with world.replica() as authz:
        told = world.team.write(no_member(BO))
        told += world.team.write(member(BO, "basic"))
        told += world.team.write(member(CY, "developer"))
        await world.team.publish([*reversed(told), *told])
        assert await says(world, authz, CY) == "allowed"
        assert await says(world, authz, BO) == "owner-unknown"


async def test_a_replica_that_cannot_read_a_row_loads_again(world):
    """Otherwise every change would wait for this replica as long as it runs."""

    class Choking(JournalView):
        def on_change(self, change):
            raise ValueError("this version cannot read that row")

    async with world.replica(view=Choking) as authz:
        world.team.write(no_member(BO))

        async def knows() -> bool:
            world.clock.skip(0.1)
            return bool(await says(world, authz, BO) == "not-a-member")

        await wait_for(knows, what="the snapshot to be loaded again")


class UnfitAnswers(InternalClient):
    """Gets answers that do not fit their class, and keeps when it was asked."""

    def __init__(self):
        self.asked: list[float] = []

    async def text(self, *_, **__):
        self.asked.append(asyncio.get_running_loop().time())
        raise AnswerUnfit


async def test_a_snapshot_that_does_not_fit_is_read_after_growing_pauses(world):
    internal = UnfitAnswers()
    view = JournalView(PolicyState())
    follower = Follower(
        "team", view=view, slot="a", internal=internal, verifier=verifier(), clock=world.clock
    )
    renewing = asyncio.create_task(follower.renew())
    await wait_for(lambda: len(internal.asked) >= 5, what="five attempts")
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)
    pauses = [later - earlier for earlier, later in pairwise(internal.asked)]
    assert [pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.8), strict=False)] == [
        True
    ] * 4


class CountedLeases(InternalClient):
    """Loads an empty snapshot, then grants leases of a minute and counts them."""

    def __init__(self):
        self.leases = 0

    async def text(self, *_, **__):
        page = SnapshotPage(source="team", epoch="e1", heads={}, items=(), next_cursor=None)
        return page.model_dump_json().encode()

    async def call(self, call, *_, **__):
        self.leases += call is LEASE
        return LeaseAnswer(epoch="e1", heads={}, digests={}, ttl=60, server_time=NOON)


async def test_waiting_checks_ask_for_the_heads_at_once_but_not_too_often(world):
    internal = CountedLeases()
    view = JournalView(PolicyState())
    follower = Follower(
        "team", view=view, slot="a", internal=internal, verifier=verifier(), clock=world.clock
    )
    renewing = asyncio.create_task(follower.renew())
    await wait_for(lambda: internal.leases == 1, what="the first lease")
    follower.check_soon()
    await wait_for(lambda: internal.leases == 2, what="a lease long before its time")
    for _ in range(100):
        follower.check_soon()
        await asyncio.sleep(0)
    assert internal.leases == 2
    world.clock.skip(HURRY_SECONDS)
    follower.check_soon()
    await wait_for(lambda: internal.leases == 3, what="another one after the pause")
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)


async def test_the_defect_of_applying_over_gaps_shows(world):
    class OverGaps(JournalView):
        def on_change(self, change):
            self.state.put(change.policy_objects)
            self.applied[change.shard] = change.seq
            self._lineage.advance(change.shard, change.seq, change.digest)
            return RowOutcome.APPLIED

    async with world.replica(view=OverGaps) as authz:
        world.team.write(no_member(BO))
        _, receipt = await world.team.change(member(CY, "developer"))
        assert receipt.effective
        assert await says(world, authz, BO) == "allowed", "the planted defect shows"
