"""Rows leave the journal when no consumer needs them, from the beginning on and without a gap."""

from __future__ import annotations

import asyncio
import logging
import re
import zlib
from typing import TYPE_CHECKING

import pytest

from shared.contracts.calls.journal import ConfirmedRows, FormerEpoch
from shared.contracts.facts import SHARDS, Position, shard_of
from shared.contracts.policy_objects import PolicyObjectKind
from shared.contracts.refusals import HistoryUnavailable
from shared.journal import KEPT, History, ObjectName
from shared.journal.trim_rows import TrimRows
from tests.shared.journal.trim_site import (
    ACCOUNT,
    CONSUMERS,
    DAY,
    KEYS,
    NOON,
    SECOND,
    SHARD,
    SOURCE,
    WORDS,
    TrimSite,
)

if TYPE_CHECKING:
    from datetime import datetime

    from shared.journal.history import PastObjects
    from shared.journal.relay import Relay
    from shared.mongo import Database, DbClient, Document

NAMES = [ObjectName(PolicyObjectKind.PROJECT, f"prj_{number}") for number in range(9)]


@pytest.fixture
async def site(client: DbClient, database: Database, relay: Relay) -> TrimSite:
    made = TrimSite(client, database, relay)
    await made.open()
    return made


async def test_rows_go_when_each_consumer_has_them_and_they_are_old(site: TrimSite) -> None:
    await site.write(*range(6))
    site.clock.move(7 * DAY)
    await site.confirm(6)
    await site.trimmer().round()
    assert await site.kept() == [1, 2, 3, 4, 5, 6], "none is older than the retention"

    site.clock.move(1)
    await site.confirm(6, "identity", "notification")
    await site.confirm(4, "audit")
    await site.trimmer().round()
    assert (await site.kept(), await site.told()) == ([5, 6], 4)

    await site.confirm(6, "audit")
    await site.write(6)
    await site.trimmer().round()
    assert (await site.kept(), await site.told()) == ([6, 7], 5), "what was the head stays as long"


async def test_only_consumers_of_the_journal_confirm_its_rows(site: TrimSite) -> None:
    await site.write(*range(6))
    site.clock.move(8 * DAY)
    await site.confirm(6, "identity", "notification", "team", "authz")
    await site.trimmer().round()
    assert await site.kept() == [1, 2, 3, 4, 5, 6]
    assert {each.name for each in (await site.trimmer().status()).consumers} == set(CONSUMERS)


async def test_an_unsent_row_stays_with_all_after_it(site: TrimSite) -> None:
    await site.write(0, 1)
    await site.write(2, 3, sent=False)
    site.clock.move(8 * DAY)
    await site.confirm(4)
    await site.trimmer().round()
    assert (await site.kept(), await site.told()) == ([3, 4], 2)


class StoppedRows(TrimRows):
    """Those of a process that is killed before it deletes."""

    async def delete(self, shard: int, *, place: int, before: datetime) -> int:
        raise ConnectionError


async def test_a_kill_before_the_deletion_leaves_nothing_untold(site: TrimSite) -> None:
    await site.write(*range(6))
    site.clock.move(8 * DAY)
    await site.confirm(6)
    with pytest.raises(ConnectionError):
        await site.trimmer(StoppedRows(site.client, site.database, WORDS)).round()
    assert (len(await site.kept()), await site.told()) == (6, 4), "told before it is deleted"

    await site.confirm(4)
    await site.trimmer().round()
    assert (await site.kept(), await site.told()) == ([5, 6], 4)

    await site.confirm(6)
    await site.trimmer().round()
    assert (await site.kept(), await site.told()) == ([6], 5)


async def test_replicas_that_trim_at_once_leave_no_gap(site: TrimSite) -> None:
    await site.write(*range(30))
    site.clock.move(8 * DAY)
    await site.confirm(20, "audit")
    await site.confirm(30, "identity", "notification")
    trimmers = [site.trimmer(holder=holder) for holder in ("one", "one", "two")]
    await asyncio.gather(*(each.round() for each in trimmers))
    assert (await site.kept(), await site.told()) == (list(range(21, 31)), 20)


class SlowRows(TrimRows):
    """Those of a large journal: each batch takes three minutes."""

    site: TrimSite

    async def delete(self, shard: int, *, place: int, before: datetime) -> int:
        self.site.clock.move(180)
        return await super().delete(shard, place=place, before=before)


async def test_a_long_round_does_not_rest_on_old_confirmations(site: TrimSite) -> None:
    await site.write(*range(30))
    site.clock.move(8 * DAY)
    await site.confirm(30)
    slow = SlowRows(site.client, site.database, WORDS)
    slow.site = site
    await site.trimmer(slow).round()
    assert (await site.kept(), await site.told()) == (list(range(9, 31)), 8)


async def test_every_shard_is_trimmed_for_itself(site: TrimSite) -> None:
    accounts = {shard_of(name): name for name in map("acc_{}".format, range(2_000))}
    assert len(accounts) == SHARDS
    for account_id in accounts.values():
        await site.write(0, 1, account_id=account_id, sent=False)
    await site.database["journal"].update_many({}, {"$set": {"sent": True}})
    site.clock.move(8 * DAY)
    places = {shard: shard % 2 for shard in range(SHARDS)}
    for consumer in CONSUMERS:
        rows = ConfirmedRows(epoch=site.journal.epoch, places=places)
        await site.trimmer().confirm(consumer, rows)
    await site.trimmer().round()
    trimmed = {shard: 1 for shard, place in places.items() if place}
    assert (await site.journal.heads()).trimmed == trimmed
    assert await site.database["journal"].count_documents({}) == 2 * SHARDS - len(trimmed)


class PausedRows(TrimRows):
    """Those of a process that is paused before it notes a place; `site` restores meanwhile."""

    site: TrimSite

    async def note_trimmed(self, epoch: str, shard: int, place: int) -> bool:
        await self.site.restore()
        await self.site.write(*range(9))
        return await super().note_trimmed(epoch, shard, place)


async def test_a_paused_process_does_not_trim_another_epoch(site: TrimSite) -> None:
    await site.write(*range(6))
    site.clock.move(8 * DAY)
    await site.confirm(6)
    paused = PausedRows(site.client, site.database, WORDS)
    paused.site = site
    await site.trimmer(paused).round()
    assert (await site.kept(), await site.told()) == (list(range(1, 10)), 0)


async def test_rows_of_a_former_epoch_go_when_it_is_left_behind(site: TrimSite) -> None:
    await site.write(*range(6))
    site.clock.move(8 * DAY)
    await site.confirm(2)
    await site.trimmer().round()
    former = site.journal.epoch
    await site.restore()
    (told,) = site.restores.former
    assert (told.trimmed, told.heads) == ({SHARD: 2}, {SHARD: 6})
    assert_signed(told)

    site.clock.move(8 * DAY)
    await site.confirm(6, "audit", epoch=former)
    await site.confirm(0, "identity", "notification")
    await site.trimmer().round()
    assert await site.database[KEPT].count_documents({}) == 4, "audit may need them"

    await site.confirm(0, "audit")
    await site.trimmer().round()
    assert await site.database[KEPT].count_documents({}) == 0
    (told,) = site.restores.former
    assert told.trimmed == told.heads == {SHARD: 6}
    assert_signed(told)


def assert_signed(told: FormerEpoch) -> None:
    """Each place of a former epoch has its source's signature."""
    for shard, place in told.trimmed.items():
        until = Position(SOURCE, told.epoch, shard, place)
        assert KEYS.trimmed(until, told.trimmed_signatures[shard])


async def test_a_place_that_the_service_did_not_sign_is_not_continued(
    site: TrimSite, caplog: pytest.LogCaptureFixture
) -> None:
    await site.write(*range(6))
    site.clock.move(8 * DAY)
    await site.database["journal"].delete_many({"seq": {"$lte": 2}})
    await site.database["heads"].update_one({"_id": SHARD}, {"$set": {"trimmed_seq": 2}})
    await site.confirm(6)
    await site.trimmer().round()
    assert (await site.kept(), await site.told()) == ([3, 4, 5, 6], 2)
    (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert vars(line)["shard"] == SHARD


@pytest.mark.parametrize("forged", [{f"places.{SHARD}": 6}, {"at": NOON + 9 * DAY * SECOND}])
async def test_what_a_consumer_did_not_say_through_the_service_does_not_count(
    site: TrimSite, forged: Document
) -> None:
    await site.write(*range(6))
    await site.confirm(6)
    await site.confirm(6 if "at" in forged else 1, "audit")
    site.clock.move(9 * DAY)
    await site.confirm(6, *(name for name in CONSUMERS if name != "audit"))
    if "at" not in forged:
        await site.confirm(1, "audit")
    confirmations = site.database["journal_confirmations"]
    await confirmations.update_one({"_id": "audit"}, {"$set": forged})
    await site.trimmer().round()
    assert await site.kept() == [1, 2, 3, 4, 5, 6]
    await site.confirm(6, "audit")
    await site.trimmer().round()
    assert await site.kept() == [6]


async def test_a_consumer_that_holds_the_journal_up_is_named(
    site: TrimSite, caplog: pytest.LogCaptureFixture
) -> None:
    await site.write(*range(6))
    site.clock.move(13 * DAY)
    trimmer = site.trimmer()
    for _ in range(3):
        await site.confirm(6, "identity", "notification")
        await trimmer.round()
    held = {each.name: each for each in (await trimmer.status()).consumers}
    assert {name for name, each in held.items() if each.held_since == NOON} == {"audit"}
    assert (held["audit"].behind, held["audit"].confirmed_at) == (6, None)
    alarm = "A consumer holds the journal up. Its rows are kept."
    assert alarm not in [line.message for line in caplog.records]

    site.clock.move(2 * DAY)
    for _ in range(4):
        await site.confirm(6, "identity", "notification")
        await trimmer.round()
    alarms = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert [(line.message, vars(line)["consumer"]) for line in alarms] == [(alarm, "audit")]

    caplog.set_level(logging.INFO)
    await site.confirm(6)
    await trimmer.round()
    assert await site.kept() == [6]
    assert "holds the journal up no more" in caplog.text


@pytest.mark.rule("B15")
async def test_the_past_is_known_after_its_rows_have_left_the_journal(site: TrimSite) -> None:
    await site.write(*range(3))
    site.clock.move(60)
    await site.write(*range(9))
    site.clock.move(8 * DAY)
    before = [await site.history.as_of(ACCOUNT, NAMES, NOON), await now(site)]
    assert [len(each.objects) for each in before] == [3, 9]

    await site.confirm(12)
    await site.trimmer().round()
    assert await site.kept() == [12]
    assert [await site.history.as_of(ACCOUNT, NAMES, NOON), await now(site)] == before

    archived = await site.database["journal_archive"].find({}).to_list(20)
    assert "Ada" not in str([each | {"policy_objects": unpacked(each)} for each in archived])
    await site.database["journal_archive"].delete_one({"seq": 2})
    with pytest.raises(HistoryUnavailable):
        await site.history.as_of(ACCOUNT, NAMES, NOON)


def unpacked(archived: Document) -> str:
    return zlib.decompress(archived["policy_objects"]).decode()


@pytest.mark.rule("B15")
async def test_the_past_is_forgotten_but_for_what_still_counted_then(site: TrimSite) -> None:
    moments = []
    for numbers in ((0, 1, 2), (0, 1), (0,), (3,)):
        await site.write(*numbers)
        moments.append(site.clock.now())
        site.clock.move(10 * DAY)
    before = [await site.history.as_of(ACCOUNT, NAMES, at) for at in moments]
    await site.write(4, 5)
    site.clock.move(8 * DAY)
    await site.confirm(9)
    site.history = History(site.database, kept=site.clock.now() - moments[2] - SECOND)
    for _ in range(2):
        await site.trimmer().round()

    assert await site.database["history"].distinct("seq") == [3, 5, 6, 7, 8, 9]
    kept = await site.database["journal_archive"].distinct("seq")
    assert kept == [3, 5, 6, 7, 8], "each is the last state of an object, or newer"
    for at in (*moments[:2], moments[2] - SECOND):
        with pytest.raises(HistoryUnavailable, match=re.escape("2026-03-21T12:00:00.000Z")):
            await site.history.as_of(ACCOUNT, NAMES, at)
    assert [await site.history.as_of(ACCOUNT, NAMES, at) for at in moments[2:]] == before[2:]


async def now(site: TrimSite) -> PastObjects:
    return await site.history.as_of(ACCOUNT, NAMES, site.clock.now())
