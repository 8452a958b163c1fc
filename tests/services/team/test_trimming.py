"""A running team trims its journal, and still knows the past of its accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.contracts.calls.journal import CONFIRM, HEADS, ConfirmedRows
from shared.contracts.topology import consumers_of
from tests.patience import PATIENT
from tests.services.team.running import running
from tests.services.team.test_past_policy import past, shown
from tests.support.service import ADMIN_KEY
from tests.waiting import wait_for

DAY = 86_400.0
JOURNAL = "/internal/admin/journal"


@pytest.mark.rule("B15")
async def test_rows_leave_the_journal_of_a_running_team(mongo_url, database_name):
    timeouts = replace(PATIENT, trim_poll=0.1)
    async with running(mongo_url, database_name, timeouts=timeouts) as team:
        account = await team.account()
        member = await account.join("viewer")
        path = f"{account.path}/members/{member.user_id}"
        joined = team.clock.now()
        team.clock.move(60)
        (await account.owner.send("PATCH", path, {"role": "developer"})).expect(200)
        before = await past(account, member, joined)
        heads = await team.callers["audit"].call(HEADS, "team")

        team.clock.move(31 * DAY)
        rows = ConfirmedRows(epoch=heads.epoch, places=heads.heads)
        for consumer in consumers_of("team"):
            await team.callers[consumer].call(CONFIRM, "team", rows)

        async def kept() -> int:
            found = await team.send("GET", JOURNAL, token=ADMIN_KEY)
            return int(found.expect(200)["rows"])

        assert (await team.send("GET", JOURNAL, token=ADMIN_KEY)).body["retention_days"] == 30

        async def trimmed() -> bool:
            return await kept() == len(heads.heads)

        await wait_for(trimmed, what="a journal with one row in each shard")
        assert await team.database["journal"].count_documents({}) == len(heads.heads)
        assert await past(account, member, joined) == before
        assert shown(before)["member"] == "viewer"
        told = (await team.callers["audit"].call(HEADS, "team")).trimmed
        assert told == {shard: seq - 1 for shard, seq in heads.heads.items() if seq > 1}
