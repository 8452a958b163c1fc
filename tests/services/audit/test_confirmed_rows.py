"""audit needs a row until the record of it has its leaf."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.audit.use_cases.confirmed_rows import sealed_rows
from services.audit.use_cases.sealing import GAPS
from shared.contracts.calls.journal import ConfirmedRows
from shared.contracts.facts import SHARDS, shard_of
from shared.mongo import connect
from shared.timeouts import Timeouts
from tests.patience import PATIENT
from tests.services.audit.sealed_site import ACCOUNT, Sealing, record
from tests.services.rows import EPOCH
from tests.waiting import wait_for

SHARD = shard_of(ACCOUNT)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def timeouts() -> Timeouts:
    return replace(PATIENT, confirm_poll=0.05)


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


async def confirmed(sealing, place: int, *, epoch: str = EPOCH) -> tuple[dict[int, int], list[str]]:
    applied = ConfirmedRows(epoch=epoch, places={SHARD: place})
    rows = await sealed_rows(sealing.store, "team", applied)
    return rows.places, rows.holds


@pytest.mark.rule("B11")
async def test_a_row_is_confirmed_when_its_record_has_a_leaf(sealing):
    await sealing.add(*(record(seq) for seq in range(1, 7)))
    await sealing.applied(4)
    assert await confirmed(sealing, 4) == ({SHARD: 0}, [])

    sealer = sealing.sealer()
    await sealer.round()
    await sealing.applied(6)
    assert await confirmed(sealing, 6) == ({SHARD: 4}, [])
    await sealer.round()
    assert await confirmed(sealing, 6) == ({SHARD: 6}, [])


async def test_a_late_record_takes_the_confirmation_back_until_it_is_sealed(sealing):
    await sealing.add(*(record(seq) for seq in (1, 2, 4)))
    await sealing.applied(4)
    sealer = sealing.sealer()
    await sealer.round()
    assert await confirmed(sealing, 4) == ({SHARD: 4}, [])

    await sealing.add(record(3))
    assert await confirmed(sealing, 4) == ({SHARD: 2}, [])
    await sealer.round()
    assert await confirmed(sealing, 4) == ({SHARD: 4}, [])


async def test_a_former_epoch_is_held_until_all_of_it_is_sealed(sealing):
    await sealing.add(*(record(seq) for seq in (1, 2)))
    await sealing.applied(2)
    sealer = sealing.sealer(looked_at_again=1)
    await sealer.round()
    await sealing.add(record(1, epoch="e2"))
    await sealing.applied(1, epoch="e2")
    assert await confirmed(sealing, 1, epoch="e2") == ({SHARD: 0}, [EPOCH])
    await sealer.round()
    assert await confirmed(sealing, 1, epoch="e2") == ({SHARD: 1}, [])

    await sealing.add(record(3))
    assert await confirmed(sealing, 1, epoch="e2") == ({SHARD: 1}, [EPOCH])
    for _ in range(SHARDS // GAPS + 1):
        await sealer.round()
    assert await confirmed(sealing, 1, epoch="e2") == ({SHARD: 1}, [])


@pytest.fixture
async def sealed_elsewhere(mongo_url, database_name) -> None:
    """Another process holds the office of the sealer, and does nothing."""
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    office = {"_id": "sealer", "holder": "another", "until": FAR}
    await client[database_name]["elections"].insert_one(office)
    client.close()


@pytest.mark.rule("B11")
async def test_a_running_audit_confirms_nothing_that_waits_for_its_leaf(sealed_elsewhere, api):
    applied = {"_id": "team", "epoch": EPOCH, "low": {str(SHARD): 3}}
    await api.database["inbox_marks"].replace_one({"_id": "team"}, applied, upsert=True)

    def places() -> list[int]:
        return [rows.places[SHARD] for rows in api.others.confirmed if SHARD in rows.places]

    await wait_for(lambda: len(places()) > 1, what="two confirmations")
    assert set(places()) == {0}

    await api.database["elections"].delete_one({"_id": "sealer"})
    await wait_for(lambda: places()[-1] == 3, what="a confirmation of sealed rows")
