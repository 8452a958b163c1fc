"""Readers get checkpoints, proofs and a verifiable export."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.audit.trees import proves_consistency, proves_inclusion
from rolecall.audit.verification import Tampered, Tampering, Verified, verify
from services.audit.use_cases.proofs import (
    newest_checkpoint,
    prove_consistency,
    prove_inclusion,
    sealed_page,
)
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.problems import Invalid, NotFound
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, record
from tests.services.audit.site import ACCOUNT as ACCOUNT_OF_API

READER = Caller(
    actor=Actor(type="user", id="usr_reader"), request=RequestInfo(request_id="req_reader")
)


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


async def sealed_in_two_steps(sealing, first, second):
    """Records of two accounts by turns, sealed in two rounds; those of the first account."""
    records = [
        record(seq, account=ACCOUNT if seq % 2 else OTHER) for seq in range(1, 2 * second + 1)
    ]
    await sealing.add(*records)
    await sealing.applied(2 * first)
    await sealing.sealer().round()
    earlier = await sealing.checkpoint()
    await sealing.applied(2 * second)
    await sealing.sealer().round()
    return records[::2], earlier, await sealing.checkpoint()


@pytest.mark.rule("B11")
async def test_the_pages_of_an_export_are_verified_together(sealing):
    _, earlier, newest = await sealed_in_two_steps(sealing, 30, 420)
    ctx = sealing.auditing.ctx
    lines: list[dict[str, Any]] = []
    first: int | None = 0
    while first is not None:
        page = await sealed_page(ctx, READER, ACCOUNT, first=first, size=None)
        lines += page.lines
        first = page.next_first
    found = verify([json.dumps(line) for line in lines], newest, [earlier])
    assert found == Verified(records=420)
    page = await sealed_page(ctx, READER, ACCOUNT, first=0, size=30)
    assert verify([json.dumps(line) for line in page.lines], earlier) == Verified(records=30)
    assert page.next_first is None
    beyond = await sealed_page(ctx, READER, ACCOUNT, first=900, size=None)
    assert (beyond.lines, beyond.next_first) == ((), None)


@pytest.mark.rule("B11")
@pytest.mark.parametrize("collection", ["records", "seals"])
async def test_a_record_that_is_gone_without_an_end_is_a_removal(sealing, collection):
    records, _, newest = await sealed_in_two_steps(sealing, 3, 9)
    await sealing.auditing.database[collection].delete_one({"_id": records[4].id})
    page = await sealed_page(sealing.auditing.ctx, READER, ACCOUNT, first=0, size=None)
    found = verify([json.dumps(line) for line in page.lines], newest)
    assert found == Tampered(fault=Tampering.REMOVED, index=4, line=5)


@pytest.mark.rule("B11")
async def test_each_record_is_proved_to_be_in_the_log(sealing):
    records, earlier, newest = await sealed_in_two_steps(sealing, 5, 11)
    ctx = sealing.auditing.ctx
    for index, each in enumerate(records):
        found = await prove_inclusion(ctx, ACCOUNT, each.id, None)
        assert found.index == index
        assert proves_inclusion(index, 11, found.leaf, found.hashes, newest.root)
    early = await prove_inclusion(ctx, ACCOUNT, records[2].id, 5)
    assert proves_inclusion(2, 5, early.leaf, early.hashes, earlier.root)
    for later in records[5:7]:
        assert (await prove_inclusion(ctx, ACCOUNT, later.id, 5)).index is None


async def test_a_record_of_another_account_has_no_proof(sealing):
    await sealed_in_two_steps(sealing, 1, 2)
    ctx = sealing.auditing.ctx
    [theirs, *_] = await sealing.store.seals(OTHER, first=0, limit=1)
    with pytest.raises(NotFound):
        await prove_inclusion(ctx, ACCOUNT, theirs.event_id, None)


@pytest.mark.rule("B11")
async def test_the_log_is_proved_to_continue_each_earlier_size(sealing):
    _, earlier, newest = await sealed_in_two_steps(sealing, 7, 13)
    ctx = sealing.auditing.ctx
    size, hashes = await prove_consistency(ctx, ACCOUNT, 7, None)
    assert proves_consistency(7, size, (earlier.root, newest.root), hashes)
    assert await prove_consistency(ctx, ACCOUNT, 0, 13) == (13, [])


async def test_sizes_without_a_checkpoint_are_refused(sealing):
    records, _, _ = await sealed_in_two_steps(sealing, 2, 3)
    ctx = sealing.auditing.ctx
    for refused in (
        prove_consistency(ctx, ACCOUNT, 1, 4),
        prove_consistency(ctx, ACCOUNT, 3, 2),
        prove_inclusion(ctx, ACCOUNT, records[0].id, 4),
        sealed_page(ctx, READER, ACCOUNT, first=0, size=4),
    ):
        with pytest.raises(Invalid):
            await refused


async def test_a_log_without_a_checkpoint_is_empty(sealing):
    await sealing.add(one := record(1))
    ctx = sealing.auditing.ctx
    assert await newest_checkpoint(ctx, ACCOUNT) is None
    assert (await prove_inclusion(ctx, ACCOUNT, one.id, None)).index is None
    assert await prove_consistency(ctx, ACCOUNT, 0, None) == (0, [])
    page = await sealed_page(ctx, READER, ACCOUNT, first=0, size=None)
    assert (page.size, page.lines) == (0, ())


async def test_reading_sealed_records_is_recorded(sealing):
    await sealed_page(sealing.auditing.ctx, READER, ACCOUNT, first=0, size=None)
    [row] = await sealing.auditing.all("journal")
    assert json.loads(row["event"])["type"] == "audit.search.performed.v1"


@pytest.mark.rule("Rp15")
async def test_only_readers_of_the_log_see_its_proofs(api):
    path = f"/v1/accounts/{ACCOUNT_OF_API}/audit-checkpoint"
    status, view = await api.get(path)
    assert (status, view["size"], view["checkpoint"]) == (200, 0, None)
    assert view["origin"] == f"cloud.example/audit/{ACCOUNT_OF_API}"
    assert [key.partition("+")[0] for key in view["verifier_keys"]] == [view["origin"]]
    api.others.decision = api.others.decision.model_copy(update={"allowed": False})
    for rest in ("", "/consistency", "/records"):
        assert (await api.get(path + rest))[0] == 403
