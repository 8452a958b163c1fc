"""The worker for what comes due in accounts: it looks for them, and does each one apart."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts.topology import Service
from shared.ids import AccountId
from shared.metrics import DUE_ACCOUNTS, start_at_zero
from shared.mongo import DatabaseAway, DatabaseWatch


@dataclass(frozen=True, kw_only=True)
class DueWork:
    """Work that comes due in accounts; any number of replicas may do it.

    `find` lists some accounts, the longest due first, and `do` does one of them. `effect` says what
    an absent database means.
    """

    name: str
    effect: str
    find: Callable[[], Coroutine[Any, Any, Sequence[AccountId]]]
    do: Callable[[AccountId], Coroutine[Any, Any, None]]


async def run_due_work(work: DueWork, *, pause: float) -> None:
    """Do the work until cancelled. Each look comes after a pause, the first one too.

    So an operator who has restored a database has time to stop what came due meanwhile.
    """
    database = DatabaseWatch(work.effect, pause=pause, transactions=True)
    start_at_zero(DUE_ACCOUNTS, [Service.TEAM], [work.name])
    while True:
        await asyncio.sleep(pause)
        with database.round():
            await do_due_work(work)


async def do_due_work(work: DueWork) -> None:
    """Do what is due; an account that fails does not keep the others waiting.

    Raises:
        DatabaseAway: the database did not answer.
        ExceptionGroup: what failed, after all other accounts were done.
    """
    failures: list[Exception] = []
    for account_id in await work.find():
        outcomes = await asyncio.gather(work.do(account_id), return_exceptions=True)
        failure: BaseException | None = outcomes[0]
        if isinstance(failure, DatabaseAway):
            raise failure
        if isinstance(failure, Exception):
            failure.add_note(f"in the account {account_id}")
            failures.append(failure)
        elif failure is not None:
            raise failure
    DUE_ACCOUNTS.labels(Service.TEAM, work.name).set(len(failures))
    if failures:
        raise ExceptionGroup(f"{work.name} failed for {len(failures)} accounts", failures)
