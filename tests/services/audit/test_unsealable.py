"""A record with a value that has no canonical form is sealed and verified as others are."""

from __future__ import annotations

import pytest

from rolecall.audit.verification import Verified, verify
from tests.services.audit.sealed_site import ACCOUNT, Sealing, ids, ids_of, record


def nested(levels, value="x"):
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("value", "read"),
    [(float("nan"), "NaN"), (nested(200, float("-inf")), nested(200, "-Infinity"))],
    ids=["nan", "inf in depth"],
)
async def test_a_record_without_a_canonical_form_holds_up_no_other(auditing, tmp_path, value, read):
    sealing = Sealing(auditing, tmp_path)
    records = [record(1), record(2, after={"value": value}), record(3)]
    await sealing.add(*records)
    await sealing.applied(3)
    await sealing.sealer().round()
    assert await ids_of(sealing) == ids(records)
    newest = await sealing.checkpoint()
    assert verify(await sealing.lines(newest), newest) == Verified(records=3)
    found = await sealing.store.find(ACCOUNT, records[1].id)
    assert found.after == {"value": read}
