"""The worker for what comes due: it does each thing apart, the longest due first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from services.team.store import Store
from shared.contracts.facts import shard_of
from shared.contracts.topology import Service
from shared.due_work import DueWork, do_due_work, run_due_work
from shared.ids import AccountId
from shared.metrics import REGISTRY
from shared.mongo import DatabaseAway, connect
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.support.service import FAR

DUE = [AccountId(f"acc_{number}") for number in range(3)]


@dataclass
class Due:
    """Three accounts that are due; those of `problems` fail."""

    problems: dict[AccountId, BaseException] = field(default_factory=dict)
    looks: int = 0
    done: list[AccountId] = field(default_factory=list)

    async def find(self) -> list[AccountId]:
        self.looks += 1
        return DUE

    async def do(self, account_id: AccountId) -> None:
        if account_id in self.problems:
            raise self.problems[account_id]
        self.done.append(account_id)

    def work(self) -> DueWork[AccountId]:
        return DueWork(
            service=Service.TEAM,
            name="a-test",
            effect="Accounts wait.",
            find=self.find,
            do=self.do,
        )


def waiting() -> float | None:
    labels = {"service": Service.TEAM.value, "work": "a-test"}
    return REGISTRY.get_sample_value("rolecall_due_work", labels)


@pytest.mark.parametrize("problem", [ValueError("broken"), Unavailable()])
async def test_an_account_that_fails_does_not_keep_the_others_waiting(problem: Exception) -> None:
    due = Due(problems={DUE[0]: problem})
    with pytest.raises(ExceptionGroup) as failed:
        await do_due_work(due.work())
    assert due.done == DUE[1:]
    assert failed.value.exceptions == (problem,)
    assert problem.__notes__ == [f"for {DUE[0]}"]
    assert waiting() == 1

    due.problems.clear()
    await do_due_work(due.work())
    assert waiting() == 0


async def test_an_absent_database_ends_the_round_at_once() -> None:
    due = Due(problems={DUE[1]: DatabaseAway("gone")})
    with pytest.raises(DatabaseAway):
        await do_due_work(due.work())
    assert due.done == DUE[:1]


async def test_the_first_look_comes_after_a_pause() -> None:
    due = Due()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run_due_work(due.work(), pause=3600), 0.05)
    assert due.looks == 0


async def test_what_is_due_longest_is_first(mongo_url: str, database_name: str) -> None:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    store = Store(client[database_name])
    for account_id, days in zip(DUE, (1, 2, 0), strict=True):
        moment = FAR - timedelta(days=days)
        await client[database_name]["accounts"].insert_one(
            {
                "_id": account_id,
                "shard": shard_of(account_id),
                "status": "deleting",
                "deletes_at": moment,
                "offer_expires_at": moment,
            }
        )
    expected = [DUE[1], DUE[0], DUE[2]]
    assert await store.due_accounts(now=FAR) == expected
    assert await store.accounts_with_offers_until(FAR, limit=2) == expected[:2]
    client.close()
