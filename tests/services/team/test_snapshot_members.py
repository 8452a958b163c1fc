"""A member in the snapshot is what the changes tell of them, though it is read in another way."""

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions

from services.team.domain.members import member_object
from services.team.store.snapshot import snapshot_member
from shared.contracts.calls.leases import SnapshotPage
from shared.journal.snapshot import Page, page_text

MOMENT = datetime(2101, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
LARGE = 2**40
"""The driver reads an integer of this size as one of its own class."""
STORED = {
    "_id": "acc_1/usr_1",
    "account_id": "acc_1",
    "user_id": "usr_1",
    "rev": LARGE,
    "membership_id": "mem_1",
    "role": "viewer",
    "status": "active",
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "suspended", "external_id": "ext-1"},
        {"expires_at": None, "attributes": {}, "external_id": None},
        {"expires_at": MOMENT},
        {"expires_at": MOMENT.replace(microsecond=0)},
        {"attributes": {"team": "blue", "level": 3, "rate": 1.5, "on": True, "quota": LARGE}},
        {"attributes": {"quotas": [1, LARGE], "nested": {"quota": LARGE}}},
    ],
    ids=lambda more: ",".join(more) or "required",
)
def test_a_member_of_the_snapshot_is_the_member_of_the_changes(more: dict[str, Any]) -> None:
    options = CodecOptions[dict[str, Any]](tz_aware=True)
    row = bson.decode(bson.encode(STORED | more), options)
    told = member_object("acc_1", "usr_1", row, rev=LARGE)
    page = Page("team", "e1", {3: 7}, {}, [snapshot_member(row), told], None)
    expected = SnapshotPage(
        source="team", epoch="e1", heads={3: 7}, items=(told, told), next_cursor=None
    )
    assert page_text(page) == expected.model_dump_json().encode() + b"\n"
