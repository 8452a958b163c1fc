"""The broker's rights change no decision, and no barrier counts a forged row."""

import asyncio
import logging
from dataclasses import replace

import pytest

from shared.bus import BusMessage, Verdict
from shared.contracts.facts import Row
from shared.contracts.topology import AUTHZ
from shared.journal import rows
from shared.row_verifier import ALARM
from tests.services.authz.histories import ANA, BO, CY, member, no_member, project
from tests.services.authz.test_following import says
from tests.support.forgeries import FORGERIES
from tests.support.journal_keys import signer
from tests.waiting import wait_for


def forged_member(genuine: Row) -> BusMessage:
    """The issue's example: a copy of the row of a member who joined, with another user.

    It has the next sequence and agrees with its headers; the signature is the genuine one.
    """
    stranger = member(CY, "admin").model_copy(update={"rev": genuine.seq + 1})
    row = genuine.model_copy(
        update={"id": "evt_forged", "seq": genuine.seq + 1, "policy_objects": (stranger,)}
    )
    signed = signer("team").sign(genuine)
    return replace(rows.message(signed), id=row.id, seq=row.seq, body=row.to_event())


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_message_changes_nothing(world, caplog, forge):
    async with world.replica() as authz:
        [genuine] = world.team.write(member(CY, "developer"))
        with caplog.at_level(logging.ERROR):
            await world.bus.publish([forge(genuine)])
        assert ALARM in caplog.messages
        assert not world.bus.dead
        await world.team.publish([genuine])
        assert await says(world, authz, CY) == "allowed"
        _, receipt = await world.team.change(no_member(CY))
        assert receipt.effective
        assert await says(world, authz, CY) == "not-a-member"


async def test_a_forged_member_is_a_stranger_on_every_replica(world, caplog):
    async with world.replica("a") as first, world.replica("b") as second:
        [genuine] = world.team.write(member(BO, "admin"))
        await world.team.publish([genuine])
        with caplog.at_level(logging.ERROR):
            await world.bus.publish([forged_member(genuine.row)])
        assert caplog.messages.count(ALARM) == 2, "one from each replica"
        for authz in (first, second):
            assert await says(world, authz, CY) == "not-a-member"


async def test_a_barrier_does_not_count_a_forged_row(world):
    """The forgery takes the place of a removal before the removal is made."""
    world.team.mute = True
    async with world.replica("a") as first, world.replica("b") as second:
        last = world.team.rows[max(world.team.rows, key=lambda shard: len(world.team.rows[shard]))]
        await world.bus.publish([forged_member(last[-1].row)])
        _, receipt = await world.team.change(no_member(BO))
        assert receipt.effective
        for authz in (first, second):
            assert await says(world, authz, BO) == "not-a-member"
            assert await says(world, authz, CY) == "not-a-member"


async def test_a_second_signed_row_at_one_place_makes_a_replica_load_again(world, caplog):
    async with world.replica() as authz:
        [genuine] = world.team.write(project())
        await world.team.publish([genuine])
        other = signer("team").sign(genuine.row.model_copy(update={"id": "evt_other"}))
        loads = world.team.asked.count("snapshot")
        with caplog.at_level(logging.ERROR):
            await world.bus.publish([rows.message(other)])
        await wait_for(lambda: world.team.asked.count("snapshot") > loads, what="a new snapshot")
        assert ALARM in caplog.messages
        await wait_for(lambda: all(authz.ready().values()), what="a lease again")
        assert await says(world, authz, BO) == "allowed"


async def test_a_source_that_was_set_back_is_alarmed_as_a_fork(world, caplog):
    async with world.replica() as authz:
        [lost] = world.team.write(project())
        await world.team.publish([lost])
        loads = world.team.asked.count("snapshot")
        with caplog.at_level(logging.ERROR):
            world.team.set_back(lost.row.shard, lost.row.seq - 1)
            await wait_for(lambda: world.team.asked.count("snapshot") > loads, what="a reload")
        assert ALARM in caplog.messages
        await wait_for(lambda: all(authz.ready().values()), what="a lease again")
        assert await says(world, authz, BO) == "allowed"


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_removal_after_a_set_back_waits_for_its_own_row(world, lost):
    """The bus is silent; the replica has as many rows as the source, and other ones."""
    async with world.replica() as authz:
        rows_lost = [signed for _ in range(lost) for signed in world.team.write(project())]
        await world.team.publish(rows_lost)
        first = rows_lost[0].row
        world.team.set_back(first.shard, first.seq - 1)
        world.team.mute = True
        _, receipt = await world.team.change(no_member(BO))
        assert receipt.effective
        assert await says(world, authz, BO) != "allowed"


async def test_a_fetched_row_that_is_not_signed_makes_a_replica_load_again(world, caplog):
    world.team.mute = True
    async with world.replica() as authz:
        loads = world.team.asked.count("snapshot")
        [genuine] = world.team.write(member(CY, "developer"))
        shard, seq = genuine.row.shard, genuine.row.seq
        row = genuine.row.model_copy(update={"policy_objects": (member(CY, "owner"),)})
        world.team.rows[shard][seq - 1] = replace(genuine, event=row.to_event())
        with caplog.at_level(logging.ERROR):
            await wait_for(lambda: world.team.asked.count("snapshot") > loads, what="a reload")
        assert ALARM in caplog.messages
        world.team.rows[shard][seq - 1] = genuine
        await wait_for(lambda: all(authz.ready().values()), what="a lease again")
        assert await says(world, authz, CY, "instance:write") == "allowed"
        assert await says(world, authz, ANA) == "allowed"


async def test_a_flood_of_forgeries_does_not_flood_the_source(world):
    async with world.replica() as authz:
        [genuine] = world.team.write(member(CY, "developer"))
        await world.team.publish([genuine])
        forged = forged_member(genuine.row)
        asked = len(world.team.asked)
        for number in range(200):
            await world.bus.publish([replace(forged, id=f"evt_{number}")])
            await asyncio.sleep(0)
        assert len(world.team.asked) - asked < 20
        assert await says(world, authz, CY) == "allowed"


async def test_forged_and_genuine_messages_of_one_id_are_both_delivered(world):
    """A publish of the genuine one must not join the delivery of the other."""
    taken: list[bytes] = []

    async def slow(message: BusMessage) -> Verdict:
        await asyncio.sleep(0.01)
        taken.append(message.body)
        return Verdict.ACK

    async def resync() -> None:
        return None

    await world.bus.subscribe(AUTHZ, slow, on_resync=resync)
    [genuine] = world.team.write(member(CY, "developer"))
    forged = replace(rows.message(genuine), body=b"{}")
    await asyncio.gather(world.bus.publish([forged]), world.bus.publish([rows.message(genuine)]))
    assert sorted(taken) == sorted([b"{}", genuine.event])
