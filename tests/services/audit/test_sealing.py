"""Records are sealed once and in order, and no checkpoint contradicts an earlier one."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rolecall.audit.verification import Verified, verify
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.sealed_records import PLATFORM
from services.audit.store import Store
from shared.contracts.facts import Position, shard_of
from shared.contracts.topology import Service
from shared.metrics import REGISTRY
from shared.problems import Unavailable
from tests.sdk.sealed_logs import plain_root
from tests.services.audit.sealed_site import (
    ACCOUNT,
    KEY,
    NEXT_KEY,
    OTHER,
    Sealing,
    ids,
    ids_of,
    record,
    signer,
)
from tests.services.rows import EPOCH, NOON


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


@pytest.mark.rule("B11")
async def test_records_are_sealed_in_the_order_of_their_rows_and_verified(sealing):
    records = [record(seq) for seq in range(1, 300)]
    await sealing.add(*reversed(records[:120]))
    await sealing.applied(100)
    await sealing.sealer().round()
    earlier = await sealing.checkpoint()
    await sealing.add(*records[120:])
    await sealing.applied(299)
    await sealing.sealer(page=37).round()

    newest = await sealing.checkpoint()
    assert (earlier.size, newest.size) == (100, 299)
    assert await ids_of(sealing) == ids(records)
    assert verify(await sealing.lines(newest), newest, [earlier]) == Verified(records=299)


async def test_each_account_has_its_own_tree_and_the_platform_one(sealing):
    records = [
        record(seq, account=account)
        for seq, account in enumerate([ACCOUNT, None, OTHER, None, ACCOUNT], start=1)
    ]
    await sealing.add(*records)
    await sealing.applied(5)
    await sealing.sealer().round()

    assert await ids_of(sealing) == ids([records[0], records[4]])
    assert await ids_of(sealing, OTHER) == ids([records[2]])
    assert await ids_of(sealing, PLATFORM) == ids([records[1], records[3]])
    assert (await sealing.checkpoint(OTHER)).origin == f"iam.example.com/audit/{OTHER}"


async def test_a_record_after_a_gap_waits_until_the_gap_is_filled(sealing):
    records = [record(seq) for seq in (1, 2, 4)]
    await sealing.add(*records)
    await sealing.applied(2)
    sealer = sealing.sealer()
    await sealer.round()
    assert await ids_of(sealing) == ids(records[:2])

    await sealing.add(late := record(3))
    await sealing.applied(4)
    await sealer.round()
    assert await ids_of(sealing) == ids([*records[:2], late, records[2]])


async def test_what_an_epoch_that_is_over_has_left_is_sealed(sealing):
    await sealing.add(*(before := [record(seq) for seq in (1, 2, 3)]))
    await sealing.applied(2)
    sealer = sealing.sealer()
    await sealer.round()
    await sealing.add(after := record(1, epoch="e2"))
    await sealing.applied(1, epoch="e2")
    await sealer.round()
    assert await ids_of(sealing) == ids([*before, after])


async def test_two_sealers_at_once_seal_each_record_once(sealing):
    records = [record(seq) for seq in range(1, 101)]
    await sealing.add(*records)
    await sealing.applied(100)
    sealers = [sealing.sealer(page=9) for _ in range(3)]
    await asyncio.gather(*(sealer.seal() for sealer in sealers))
    for sealer in sealers:
        await sealer.round()

    assert await ids_of(sealing) == ids(records)
    newest = await sealing.checkpoint()
    assert verify(await sealing.lines(newest), newest) == Verified(records=100)


async def test_a_sealer_that_was_paused_appends_nothing_twice(sealing):
    await sealing.add(*(records := [record(seq) for seq in range(1, 7)]))
    await sealing.applied(3)
    paused = sealing.sealer()
    await paused.round()
    await sealing.applied(6)
    await sealing.sealer().round()
    # It still believes that the shard is complete up to 5 only.
    believed = Position("team", EPOCH, shard_of(ACCOUNT), 5)
    await paused._seal([believed])
    await paused.round()
    assert await ids_of(sealing) == ids(records)
    assert await sealing.store.sealed_until("team", EPOCH) == {shard_of(ACCOUNT): 6}
    assert (await sealing.checkpoint()).size == 6


async def test_a_tree_that_has_not_grown_gets_no_other_checkpoint(sealing):
    await sealing.add(record(1))
    await sealing.applied(1)
    sealer = sealing.sealer()
    await sealer.round()
    await sealer.round()
    assert len(await sealing.auditing.all("checkpoints")) == 1


async def altered_head(sealing):
    other = plain_root([b"x" * 32])
    await sealing.auditing.database["trees"].update_one(
        {"_id": ACCOUNT}, {"$set": {"peaks.0": other, "unsigned": True}}
    )


async def replaced_tree(sealing):
    """The database has another tree, with its checkpoint of an earlier moment taken away."""
    for name in ("trees", "tiles", "seals", "checkpoints", "seal_progress"):
        await sealing.auditing.database[name].delete_many({})
    await sealing.auditing.database["records"].update_one({}, {"$set": {"action": "other"}})


async def shorter_tree(sealing):
    """The database is set back to a moment before the last checkpoint."""
    await replaced_tree(sealing)
    await sealing.auditing.database["records"].delete_one({"position.seq": 4})


async def forged_checkpoint(sealing):
    other = Sealing(sealing.auditing, sealing.folder / "other")
    stored = await other.store.checkpoint(ACCOUNT)
    note = stored.note[:-8] + "AAAAAA=\n"
    await sealing.auditing.database["checkpoints"].update_many({}, {"$set": {"note": note}})
    await sealing.auditing.database["trees"].update_one(
        {"_id": ACCOUNT}, {"$set": {"unsigned": True}}
    )


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    "tampering", [altered_head, replaced_tree, shorter_tree, forged_checkpoint]
)
async def test_no_checkpoint_is_signed_that_contradicts_an_earlier_one(sealing, tampering, caplog):
    await sealing.add(*(record(seq) for seq in range(1, 5)))
    await sealing.applied(4)
    await sealing.sealer().round()
    note = await sealing.files.last(ACCOUNT)
    await tampering(sealing)
    stored = [each["note"] for each in await sealing.auditing.all("checkpoints")]

    sealer = sealing.sealer(signed_at_once=1)
    await sealer.round()
    await sealer.round()

    assert await sealing.files.last(ACCOUNT) == note
    assert [each["note"] for each in await sealing.auditing.all("checkpoints")] == stored
    alarms = [line for line in caplog.messages if line.startswith("No checkpoint is signed")]
    assert len(alarms) == 1
    await sealing.add(record(99, account=OTHER))
    await sealing.applied(99)
    await sealer.round()
    assert (await sealing.checkpoint(OTHER)).size == 1


async def test_a_tree_with_an_alarm_is_looked_at_again_when_it_is_repaired(sealing):
    await sealing.add(record(1))
    await sealing.applied(1)
    sealer = sealing.sealer(looked_at_again=2)
    await sealer.round()
    trees, whole = sealing.auditing.database["trees"], await sealing.auditing.all("trees")
    await altered_head(sealing)
    await sealer.round()
    assert sample("rolecall_inconsistent_trees") == 1
    await sealing.add(record(2))
    await sealing.applied(2)
    for tree in whole:
        await trees.replace_one({"_id": tree["_id"]}, tree)
    for _ in range(2):
        await sealer.round()
    assert (await sealing.checkpoint()).size == 2
    assert sample("rolecall_inconsistent_trees") == 0


def sample(name):
    return REGISTRY.get_sample_value(name, {"service": Service.AUDIT})


async def test_another_key_continues_the_log_if_the_former_one_is_known(sealing):
    await sealing.add(*(record(seq) for seq in range(1, 4)))
    await sealing.applied(2)
    await sealing.sealer().round()
    earlier = await sealing.checkpoint()
    await sealing.applied(3)
    await sealing.sealer(using=signer(NEXT_KEY)).round()
    assert (await sealing.checkpoint()) == earlier

    rotated = signer(NEXT_KEY, KEY)
    await sealing.sealer(using=rotated).round()
    newest = await sealing.checkpoint(using=rotated)
    assert verify(await sealing.lines(newest), newest, [earlier]) == Verified(records=3)


class Killed(Exception):  # noqa: N818 - as a kill -9 is
    """Ends a sealer where it stands."""


class KilledStore(Store):
    """A store whose process is killed before or after one of its writes."""

    def __init__(self, database, step):
        super().__init__(database)
        self.step = step

    async def advance(self, *given, **named):
        await super().advance(*given, **named)
        self.at("sealed: progress saved")

    async def grow(self, *given, **named):
        await super().grow(*given, **named)
        self.at("sealed: all but the commit")

    async def unsigned(self, *given, **named):
        self.at("sealed: committed")
        return await super().unsigned(*given, **named)

    async def add_checkpoints(self, *given, **named):
        self.at("signed: in the file")
        await super().add_checkpoints(*given, **named)
        self.at("signed: in the database")

    def at(self, step):
        if step == self.step:
            raise Killed


STEPS = (
    "sealed: progress saved",
    "sealed: all but the commit",
    "sealed: committed",
    "signed: in the file",
    "signed: in the database",
)


@pytest.mark.parametrize("step", STEPS)
async def test_a_sealer_killed_at_any_step_is_continued_without_a_gap(sealing, step):
    await sealing.add(*(records := [record(seq) for seq in range(1, 11)]))
    whole = sealing.store
    earlier = []
    for applied in (3, 6, 10):
        await sealing.applied(applied)
        sealing.store = KilledStore(sealing.auditing.database, step)
        with pytest.raises(Killed):
            await sealing.sealer(page=2).round()
        if (note := await sealing.files.last(ACCOUNT)) is not None:
            earlier.append(signer().opened(ACCOUNT, note))
    sealing.store = whole
    await sealing.sealer().round()

    newest = await sealing.checkpoint()
    assert await ids_of(sealing) == ids(records)
    assert verify(await sealing.lines(newest), newest, earlier) == Verified(records=10)


async def test_without_a_folder_checkpoints_are_in_the_database_alone(sealing):
    await sealing.add(record(1))
    await sealing.applied(1)
    await sealing.sealer(files=CheckpointFiles(None)).round()
    assert (await sealing.checkpoint()).size == 1
    assert list(sealing.folder.iterdir()) == []


async def test_a_sealer_that_failed_forgets_no_former_epoch(sealing):
    records = [record(1), record(1, epoch="e2")]
    await sealing.add(*records)
    await sealing.applied(1, epoch="e2")
    sealing.store = store = KilledStore(sealing.auditing.database, STEPS[0])
    sealer = sealing.sealer()
    with pytest.raises(Killed):
        await sealer.round()
    store.step = None
    await sealer.round()
    assert sorted(await ids_of(sealing)) == sorted(ids(records))


class FullDisk(CheckpointFiles):
    async def append(self, tree, note):
        raise OSError(28, "No space left on device")

    async def require_folder(self):
        raise OSError(28, "No space left on device")


class FullAfterOne(FullDisk):
    taken = 0

    async def append(self, tree, note):
        self.taken += 1
        await (CheckpointFiles if self.taken == 1 else FullDisk).append(self, tree, note)


async def test_what_a_folder_took_before_it_was_full_is_stored(sealing):
    await sealing.add(record(1), record(2, account=OTHER))
    await sealing.applied(2)
    await sealing.sealer(files=FullAfterOne(sealing.folder)).round()
    [stored] = await sealing.auditing.all("checkpoints")
    assert await sealing.files.last(stored["tree"]) == stored["note"]


async def test_a_log_that_grows_while_it_is_signed_is_signed_again(sealing):
    sizes = []
    for seq in (1, 2):
        await sealing.add(record(seq))
        await sealing.applied(seq)
        await sealing.sealer().seal()
        [head] = await sealing.store.unsigned(10, without=())
        sizes.append(head)
    await sealing.store.add_checkpoints([(sizes[0], "note")], now=NOON)
    assert await sealing.store.unsigned(10, without=()) == sizes[1:]


async def test_nothing_is_signed_while_the_folder_cannot_be_written(sealing, caplog):
    await sealing.add(record(1))
    await sealing.applied(1)
    sealer = sealing.sealer(files=FullDisk(sealing.folder))
    await sealer.round()
    await sealer.round()
    assert await sealing.store.checkpoint(ACCOUNT) is None
    assert await ids_of(sealing) != []
    assert [line for line in caplog.messages if "folder of checkpoints" in line]
    await sealing.sealer().round()
    assert (await sealing.checkpoint()).size == 1


@pytest.mark.parametrize("step", ["read", "damaged", "written"])
async def test_one_checkpoint_file_that_fails_keeps_no_other_tree_waiting(sealing, step, caplog):
    await sealing.add(record(1), record(2, account=OTHER))
    await sealing.applied(2)
    file = sealing.files._file(sealing.folder, ACCOUNT)
    if step == "read":
        file.mkdir(parents=True)
    elif step == "damaged":
        file.parent.mkdir(parents=True)
        file.write_bytes(b"\0" * 20_000)
    else:
        file.parent.mkdir(parents=True)
        file.symlink_to(sealing.folder / "gone" / "file")
    sealer = sealing.sealer(looked_at_again=3)
    for _ in range(2):
        await sealer.round()
    assert await sealing.store.checkpoint(ACCOUNT) is None
    assert (await sealing.checkpoint(OTHER)).size == 1
    assert len([line for line in caplog.messages if "file cannot be used" in line]) == 1
    assert sample("rolecall_checkpoint_files_unusable") == 1

    file.rmdir() if step == "read" else file.unlink()
    for _ in range(2):
        await sealer.round()
    assert (await sealing.checkpoint()).size == 1
    assert sample("rolecall_checkpoint_files_unusable") == 0


async def test_records_of_many_shards_are_sealed_by_pages(sealing):
    records = [record(1, account=f"acc_{shard}", shard=shard) for shard in range(40)]
    await sealing.add(*records)
    await sealing.applied(1, shards=range(40))
    await sealing.sealer(page=7).round()
    trees = [await ids_of(sealing, f"acc_{shard}") for shard in range(40)]
    assert trees == [[each.id] for each in records]


class BusyStore(Store):
    """A store of a database that has no time for more than 12 records in a transaction."""

    def __init__(self, database):
        super().__init__(database)
        self.pages = []

    async def recorded_between(self, *places, limit, **session):
        self.pages.append(limit)
        if limit > 12:
            raise Unavailable
        return await super().recorded_between(*places, limit=limit, **session)


async def test_a_page_that_a_busy_database_cannot_take_is_made_shorter(sealing):
    await sealing.add(*(records := [record(seq) for seq in range(1, 41)]))
    await sealing.applied(40)
    sealing.store = busy = BusyStore(sealing.auditing.database)
    sealer = sealing.sealer(page=40)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await sealer.seal()
    with pytest.raises(Unavailable):
        await sealer.seal()  # a longer page is tried again
    assert busy.pages == [40, 20, 10, 20]
    assert await ids_of(sealing) == ids(records[:10])
    for _ in range(5):
        with contextlib.suppress(Unavailable):
            await sealer.round()
    assert await ids_of(sealing) == ids(records)
