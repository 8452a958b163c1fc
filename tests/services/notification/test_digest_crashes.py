"""A writer of digests that is killed at any step tells each change once, or the same mail twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from services.notification.domain.digests import SINGLE_MAILS
from shared.ids import AccountId
from tests.faults.crashes import StepKills, kill_table
from tests.faults.crashing_digests import TAKEN
from tests.lengths import length
from tests.services.notification.steps import CLAIM, send_what_is_due, take
from tests.services.notification.test_digests import (
    LATER,
    changes,
    override,
    projects_in,
    text_of,
)
from tests.services.rows import row_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shared.contracts.facts import Row
    from tests.services.notification.conftest import ScriptedServer, Sending

ROUNDS = length("DIGEST_CRASHES", short=1, soak=20)
EVERY = 2
LAST = SINGLE_MAILS + 2
"""The change that the program takes; those between it and the single mails wait already."""


class DigestRuns:
    """Digests that are sent by programs that die."""

    def __init__(
        self, sending: Sending, scripted: ScriptedServer, mongo_url: str, folder: Path
    ) -> None:
        sending.clock.goes = True
        self.sending, self.scripted = sending, scripted
        self.kills = StepKills("crashing_digests", every=EVERY)
        self._folder = folder
        self._where = (mongo_url, sending.database.name, str(scripted.port))

    async def wait_for_a_digest(self, account_id: AccountId) -> None:
        """Have mails sent one by one, and others that wait."""
        await changes(self.sending, 0, LAST, account_id=account_id)
        await send_what_is_due(self.sending)

    async def die_at(self, step: int, row: Row) -> str | None:
        """Take a row and send the digest until the program dies; then its claim has run out."""
        ahead = str(self.sending.clock.ahead.total_seconds())
        arguments = (*self._where, ahead, row.model_dump_json())
        name = await self.kills.run(self._folder, step, *arguments)
        self.sending.clock.ahead += LATER + CLAIM + timedelta(seconds=1)
        return name

    async def send_again(self, row: Row) -> None:
        """Take the row again, as the bus brings it, and send what waits."""
        await take(self.sending, row)
        for _ in range(2):
            await send_what_is_due(self.sending)
            self.sending.clock.ahead += LATER

    def told_since(self, number: int) -> dict[str, list[str]]:
        """The texts of the mails after the first ones, by the id of the message."""
        told: dict[str, list[str]] = defaultdict(list)
        for mail in self.scripted.mails[number:]:
            told[str(mail["Message-ID"])].append(text_of(mail))
        return told


@pytest.mark.timeout(3600)
async def test_a_writer_of_digests_that_dies_at_any_step_loses_nothing(
    sending: Sending,
    scripted: ScriptedServer,
    mongo_url: str,
    tmp_path: Path,
    report: Callable[[str], None],
) -> None:
    runs = DigestRuns(sending, scripted, mongo_url, tmp_path)
    accounts = count(1)
    for _ in range(ROUNDS):
        for step in runs.kills.steps():
            account_id = AccountId(f"acc_{next(accounts):032}")
            await runs.wait_for_a_digest(account_id)
            before = len(scripted.mails)
            row = row_of(override(LAST), account_id=account_id)
            name = await runs.die_at(step, row)
            await runs.send_again(row)

            mails = scripted.mails[before:]
            [(_, texts)] = runs.told_since(before).items()
            assert projects_in(mails[0]) == list(range(SINGLE_MAILS, LAST + 1)), name
            assert texts == texts[:1] * (2 if name == TAKEN else 1), name
            if name is None:
                break
            runs.kills.doubles[name] += len(texts) - 1
    assert set((await sending.statuses()).values()) == {"sent", "withheld"}
    noted = [message_id for action, message_id in await sending.facts()]
    assert len(noted) == len(set(noted)) == len(set(scripted.message_ids))
    report(kill_table("writer of digests killed", runs.kills.died, doubles=runs.kills.doubles))
