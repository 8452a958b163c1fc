"""After a restore an operator lets a log go on, and its checkpoints say so from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rolecall.audit.verification import Tampered, Tampering, Verified, verify
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.use_cases.restored_logs import accept_restore, inconsistent_logs
from shared.contracts.facts import Actor, Caller, RequestInfo, shard_of
from shared.problems import NotFound
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, ids_of, record

OPERATOR = Caller(
    actor=Actor(type="operator", id="ops", name="Ola"), request=RequestInfo(request_id="req_1")
)
RESTORED = ("records", "trees", "tiles", "seals", "seal_progress", "checkpoints", "inbox_marks")


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    sealing = Sealing(auditing, tmp_path)
    auditing.ctx = replace(auditing.ctx, files=sealing.files)
    return sealing


async def sealed(sealing: Sealing, records: list[Any]) -> Any:
    await sealing.add(*records)
    await sealing.applied(records[-1].position.seq)
    await sealing.sealer().round()
    return await sealing.checkpoint()


async def restored_after(sealing: Sealing, kept: int, lost: int) -> tuple[Any, Any]:
    """Restore the database to `kept` records, of which `lost` more were sealed; both notes."""
    database = sealing.auditing.database
    records = [record(seq) for seq in range(1, kept + lost + 1)]
    early = await sealed(sealing, records[:kept])
    backup = {name: await sealing.auditing.all(name) for name in RESTORED}
    late = await sealed(sealing, records[kept:])
    for name, documents in backup.items():
        await database[name].delete_many({})
        await database[name].insert_many(documents)
    # The reconciler fetches the lost rows again. Their salts are other ones.
    await sealing.add(*records[kept:])
    await sealing.applied(kept + lost)
    await sealing.sealer().round()
    return early, late


@pytest.mark.rule("B11")
async def test_checkpoints_after_an_accepted_restore_name_the_last_one_before_it(sealing):
    ctx = sealing.auditing.ctx
    early, late = await restored_after(sealing, 3, 2)
    assert await sealing.checkpoint() == early
    assert [log.tree for log in await inconsistent_logs(ctx, after="", limit=9)] == [ACCOUNT]

    await accept_restore(ctx, OPERATOR, ACCOUNT)
    await sealing.sealer().round()
    newest = await sealing.checkpoint()
    assert newest.restored() == [(late.size, late.root)]
    assert verify(await sealing.lines(newest), newest, [early]) == Verified(records=5)
    found = verify(await sealing.lines(newest), newest, [early, late])
    assert found == Tampered(fault=Tampering.REPLACED, index=3, line=None)
    assert await inconsistent_logs(ctx, after="", limit=9) == []
    with pytest.raises(NotFound):
        await accept_restore(ctx, OPERATOR, ACCOUNT)

    later = await sealed(sealing, [record(seq) for seq in (6, 7)])
    assert (later.size, later.restored()) == (7, newest.restored())
    assert verify(await sealing.lines(later), later, [early, newest]) == Verified(records=7)


async def test_a_second_restore_is_named_beside_the_first(sealing):
    ctx = sealing.auditing.ctx
    _, first = await restored_after(sealing, 3, 2)
    await accept_restore(ctx, OPERATOR, ACCOUNT)
    await sealing.sealer().round()
    backup = {name: await sealing.auditing.all(name) for name in RESTORED}
    second = await sealed(sealing, lost := [record(6)])
    for name, documents in backup.items():
        await sealing.auditing.database[name].delete_many({})
        await sealing.auditing.database[name].insert_many(documents)
    await sealed(sealing, lost)
    await accept_restore(ctx, OPERATOR, ACCOUNT)
    await sealing.sealer().round()
    newest = await sealing.checkpoint()
    assert newest.restored() == [(first.size, first.root), (second.size, second.root)]


async def test_who_accepts_a_restore_is_in_the_log(sealing):
    _, late = await restored_after(sealing, 1, 2)
    await accept_restore(sealing.auditing.ctx, OPERATOR, ACCOUNT)
    [signed] = await sealing.auditing.ctx.journal.changes(shard_of(ACCOUNT), after=0, limit=9)
    row = signed.row
    assert (row.action, row.account_id, row.actor.name) == ("restore.accepted", ACCOUNT, "Ola")
    assert row.data == {"tree": ACCOUNT, "size": late.size}


@pytest.mark.rule("B11")
async def test_the_database_alone_cannot_accept_a_restore(sealing):
    early, _ = await restored_after(sealing, 3, 2)
    await sealing.auditing.database["trees"].update_many(
        {}, {"$set": {"accepted": True, "inconsistent": False, "unsigned": True}}
    )
    await sealing.sealer().round()
    assert await sealing.checkpoint() == early


async def test_only_logs_with_an_alarm_and_a_file_are_accepted(sealing):
    await restored_after(sealing, 3, 2)
    ctx = sealing.auditing.ctx
    for refused, tree in (
        (ctx, OTHER),
        (replace(ctx, files=CheckpointFiles(None)), ACCOUNT),
    ):
        with pytest.raises(NotFound):
            await accept_restore(refused, OPERATOR, tree)
    assert len(await ids_of(sealing)) == 5
    assert await sealing.auditing.all("journal") == []
