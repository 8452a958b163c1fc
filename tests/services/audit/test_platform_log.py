"""Operators read and verify the log of the records without an account."""

from __future__ import annotations

import json

import pytest

from rolecall.audit.notes import opened_checkpoint
from rolecall.audit.verification import Verified, verify
from services.audit.domain.sealed_records import PLATFORM
from services.audit.use_cases.proofs import newest_checkpoint, sealed_page
from shared.contracts.facts import SHARDS, Actor, Caller, RequestInfo
from tests.services.audit.sealed_site import ACCOUNT, Sealing, record, signer

OPERATOR = Caller(
    actor=Actor(type="operator", id="ops", name="Ola"), request=RequestInfo(request_id="req_1")
)


@pytest.mark.rule("B11")
async def test_the_records_without_an_account_are_read_and_verified(auditing, tmp_path) -> None:
    sealing, ctx = Sealing(auditing, tmp_path), auditing.ctx
    await sealing.add(*(record(seq, account=None if seq % 2 else ACCOUNT) for seq in range(1, 10)))
    await sealing.applied(9)
    await sealing.sealer().round()
    newest = await newest_checkpoint(ctx, PLATFORM)
    assert newest is not None
    [key, *_] = signer().verifier_keys(PLATFORM)
    page = await sealed_page(ctx, OPERATOR, PLATFORM, first=0, size=None)
    assert [line["position"]["seq"] for line in page.lines] == [1, 3, 5, 7, 9]
    assert {line["account_id"] for line in page.lines} == {None}
    lines = [json.dumps(line) for line in page.lines]
    assert verify(lines, opened_checkpoint(newest.note, key)) == Verified(records=5)

    found = [
        signed.row
        for shard in range(SHARDS)
        for signed in await ctx.journal.changes(shard, after=0, limit=9)
    ]
    assert [(row.action, row.account_id, row.resource.id) for row in found] == [
        ("search.performed", None, PLATFORM)
    ]
