"""The audit log of a running product is sealed, and its readers can verify it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rolecall.audit.notes import VerifierKey, opened_checkpoint
from rolecall.audit.verification import Verified, verify
from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.contracts.people import People

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.mark.rule("B11")
async def test_an_account_can_verify_its_whole_log_with_the_newest_checkpoint(people: People):
    team = people.team
    log = f"{team.path}/audit-checkpoint"

    async def sealed() -> dict[str, Any] | None:
        newest: dict[str, Any] = await team.owner.get(log)
        return newest if newest["size"] else None

    newest: Any = await wait_for(sealed, what="a checkpoint")
    lines: list[str] = []
    first: int | None = 0
    while first is not None:
        page = await team.owner.get(f"{log}/records?size={newest['size']}&first={first}")
        lines += map(json.dumps, page["items"])
        first = page["next_first"]
    key = VerifierKey.parse(newest["verifier_keys"][0])
    checkpoint = opened_checkpoint(newest["checkpoint"], key)
    assert verify(lines, checkpoint) == Verified(records=newest["size"])
