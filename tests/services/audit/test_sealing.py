"""Records are sealed once and in order, and no checkpoint contradicts an earlier one."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.audit.notes import opened_checkpoint
from rolecall.audit.verification import Verified, verify
from rolecall.audit.walk import Walk
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.records import record_of
from services.audit.domain.sealed_records import PLATFORM, export_line, sealed_form
from services.audit.domain.tiles import hashes_in, tiles_of
from services.audit.use_cases.sealing import RecordSealer
from shared.contracts.facts import Position, shard_of
from shared.contracts.team import MemberRemoved
from tests.sdk.sealed_logs import plain_root
from tests.services.rows import EPOCH, NOON, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.audit.domain.records import Record

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)
ACCOUNT, OTHER = "acc_1", "acc_2"


def signer(key=KEY, *former):
    return CheckpointSigner(
        key,
        public_url="https://iam.example.com",
        former_keys=[each.public_key().public_bytes_raw() for each in former],
    )


def record(seq: int, *, account: str | None = ACCOUNT, **fields) -> Record:
    row = row_of(
        MEMBER,
        account_id=account,
        seq=seq,
        shard=shard_of(ACCOUNT),
        before={"role": "admin", "limits": [1, 2.5]},
        **fields,
    )
    return record_of(row, recorded_at=NOON)


class Sealing:
    """A store with records, and sealers of it."""

    def __init__(self, auditing, folder):
        self.auditing, self.folder = auditing, folder
        self.store = auditing.ctx.store
        self.files = CheckpointFiles(folder)

    def sealer(self, *, using=None, files=None, page=50) -> RecordSealer:
        return RecordSealer(
            self.auditing.client,
            self.store,
            using or signer(),
            files or self.files,
            self.auditing.clock,
            page_records=page,
        )

    async def add(self, *records: Record) -> None:
        client = self.auditing.client
        async with await client.start_session() as session, session.start_transaction():
            await self.store.add(records, session)

    async def applied(self, seq: int, *, epoch: str = EPOCH) -> None:
        """Say that the records up to this row are complete."""
        low = {str(shard_of(ACCOUNT)): seq}
        await self.auditing.database["inbox_marks"].update_one(
            {"_id": "team"}, {"$set": {"epoch": epoch, "low": low}}, upsert=True
        )

    async def checkpoint(self, tree=ACCOUNT, using=None):
        stored = await self.store.checkpoint(tree)
        using = using or signer()
        return opened_checkpoint(stored.note, using.verifier_keys(tree)[0])

    async def lines(self, checkpoint, tree=ACCOUNT) -> list[str]:
        """The export of a tree, in the plainest way: each path from its tiles."""
        size = checkpoint.size
        walk, lines = Walk(size), []
        for seal in await self.store.seals(tree, first=0, limit=size):
            _, beside = walk.to(seal.index)
            names = [(tree, tile) for tile in tiles_of(beside)]
            tiles = {tile: nodes for (_, tile), nodes in (await self.store.tiles(names)).items()}
            path = [hashes_in(tiles)(each) for each in beside]
            found = await self.auditing.database["records"].find_one({"_id": seal.event_id})
            stored = await self.store.find(found["account_id"], seal.event_id)
            lines.append(json.dumps(export_line(sealed_form(stored), seal, path)))
        return lines


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


async def ids_of(sealing: Sealing, tree: str = ACCOUNT) -> list[str]:
    return [seal.event_id for seal in await sealing.store.seals(tree, first=0, limit=10_000)]


def ids(records: Iterable[Record]) -> list[str]:
    return [each.id for each in records]


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
    assert await paused._seal_page(believed) == 6
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

    sealer = sealing.sealer()
    await sealer.round()
    await sealer.round()

    assert await sealing.files.last(ACCOUNT) == note
    assert [each["note"] for each in await sealing.auditing.all("checkpoints")] == stored
    alarms = [line for line in caplog.messages if line.startswith("No checkpoint is signed")]
    assert len(alarms) == 1


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


class KilledFiles(CheckpointFiles):
    async def append(self, tree, note):
        await super().append(tree, note)
        raise Killed


async def test_a_sealer_killed_after_the_file_was_written_is_continued(sealing):
    await sealing.add(*(record(seq) for seq in range(1, 6)))
    await sealing.applied(3)
    with pytest.raises(Killed):
        await sealing.sealer(files=KilledFiles(sealing.folder)).round()
    assert await sealing.store.checkpoint(ACCOUNT) is None
    assert await sealing.files.last(ACCOUNT) is not None

    await sealing.applied(5)
    await sealing.sealer().round()
    newest = await sealing.checkpoint()
    assert verify(await sealing.lines(newest), newest) == Verified(records=5)


async def test_without_a_folder_checkpoints_are_in_the_database_alone(sealing):
    await sealing.add(record(1))
    await sealing.applied(1)
    await sealing.sealer(files=CheckpointFiles(None)).round()
    assert (await sealing.checkpoint()).size == 1
    assert list(sealing.folder.iterdir()) == []
