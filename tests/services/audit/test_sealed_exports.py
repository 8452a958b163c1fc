"""The lines of an export carry seals, by which it is verified without any service."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from rolecall.audit.exports import ExportHead, verify_export
from rolecall.audit.verification import Tampered, Tampering, Verified
from services.audit.domain.exports import CsvExport, ExportFormat, JsonExport
from services.audit.domain.records import Filters
from services.audit.use_cases.exports import begin_export, export_pieces
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.problems import Invalid
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, record, signer
from tests.services.rows import NOON

READER = Caller(actor=Actor(type="user", id="usr_reader"), request=RequestInfo(request_id="req_1"))


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


async def permitted() -> None:
    return


async def export(sealing: Sealing, lines: Any = None, **asked: Any) -> list[str]:
    """The lines of an export."""
    ctx, lines = sealing.auditing.ctx, lines or JsonExport()
    begun = await begin_export(
        ctx,
        READER,
        ACCOUNT,
        asked.pop("filters", Filters()),
        after=asked.pop("after", None),
        kind=ExportFormat.JSON_LINES if lines.proves else ExportFormat.CSV,
        **asked,
    )
    return [piece.decode() async for piece in export_pieces(ctx, begun, lines, permitted)]


def verified(lines: list[str]) -> Verified | Tampered:
    head = ExportHead.read(lines[0])
    assert head is not None
    assert head.note is not None
    return verify_export(head, lines[1:], signer().opened(ACCOUNT, head.note))


async def logged(sealing: Sealing, number: int, sealed: int) -> list[Any]:
    """Records of two accounts whose times are in another order than their rows."""
    records = [
        record(
            seq,
            account=ACCOUNT if seq % 4 else OTHER,
            occurred_at=NOON - timedelta(seconds=7 * seq % 40),
        )
        for seq in range(1, number + 1)
    ]
    await sealing.add(*records)
    for applied in (sealed // 2, sealed):
        await sealing.applied(applied)
        await sealing.sealer(page=200).round()
    return records


@pytest.mark.rule("B11")
async def test_an_export_is_verified_and_each_alteration_of_it_found(sealing):
    records = await logged(sealing, 400, 380)
    lines = await export(sealing)
    assert verified(lines) == Verified(records=285, unsealed=15)
    assert len({json.loads(line)["id"] for line in lines[1:-1]}) == len(records) * 3 // 4
    index = json.loads(lines[77])["seal"]["index"]
    for old, new in (("Bo Li", "Bo Le"), ("succeeded", "denied"), ('"role":"admin"', '"role":"x"')):
        altered = [*lines]
        altered[77] = lines[77].replace(old, new)
        assert verified(altered) == Tampered(fault=Tampering.ALTERED, index=index, line=78)
    assert verified([*lines[:77], *lines[78:]]) == Tampered(
        fault=Tampering.REMOVED, index=index, line=None
    )


async def test_an_export_of_an_earlier_size_is_verified_by_that_checkpoint(sealing):
    await logged(sealing, 90, 80)
    lines = await export(sealing, size=30)
    assert verified(lines) == Verified(records=30, unsealed=38)
    with pytest.raises(Invalid):
        await export(sealing, size=61)


async def test_filtered_and_resumed_exports_are_verified_line_by_line(sealing):
    await logged(sealing, 90, 80)
    whole = await export(sealing)
    for asked in ({"filters": Filters(action="member.")}, {"after": json.loads(whole[20])["id"]}):
        lines = await export(sealing, **asked)
        found = verified(lines)
        assert isinstance(found, Verified)
        assert found.records > 40
        assert not found.complete


async def test_what_was_sealed_last_is_in_an_export_however_young(sealing):
    """Nothing sealed is missing, even from after the time up to which the log is complete."""
    await logged(sealing, 40, 40)
    sealing.auditing.clock.ahead = NOON - timedelta(hours=1) - sealing.auditing.clock.now()
    assert verified(await export(sealing)) == Verified(records=30)
    assert len(await export(sealing, CsvExport())) == 2


async def test_a_record_that_is_gone_without_an_end_is_a_removal(sealing):
    await logged(sealing, 40, 40)
    await sealing.auditing.database["records"].delete_many({"position.seq": {"$in": [1, 6, 7, 39]}})
    found = verified(await export(sealing))
    assert found == Tampered(fault=Tampering.REMOVED, index=0, line=None)
    some = verified(await export(sealing, filters=Filters(action="member.")))
    assert some == Verified(records=26, complete=False)


async def test_an_export_of_a_log_without_a_seal_has_its_records(sealing):
    await sealing.add(record(1))
    head, line, end = map(json.loads, await export(sealing))
    assert (head["size"], head["checkpoint"], line["seal"], end["records"]) == (0, None, None, 1)
