"""The worker for what comes due in a service: it looks for it, and does each thing apart."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.contracts.topology import Service
from shared.metrics import DUE_WORK, start_at_zero
from shared.mongo import DatabaseAway, DatabaseWatch

Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True)
class DueWork(Generic[Thing]):
    """Work that comes due; any number of replicas may do it.

    `find` lists some things, the longest due first, and `do` does one of them. `effect` says what
    an absent database means.
    """

    service: Service
    name: str
    effect: str
    find: Callable[[], Coroutine[Any, Any, Sequence[Thing]]]
    do: Callable[[Thing], Coroutine[Any, Any, None]]


async def run_due_work(work: DueWork[Any], *, pause: float) -> None:
    """Do the work until cancelled. Each look comes after a pause, the first one too.

    So an operator who has restored a database has time to stop what came due meanwhile.
    """
    database = DatabaseWatch(work.effect, pause=pause, transactions=True)
    start_at_zero(DUE_WORK, [work.service], [work.name])
    while True:
        await asyncio.sleep(pause)
        with database.round():
            await do_due_work(work)


async def do_due_work(work: DueWork[Any]) -> None:
    """Do what is due; a thing that fails does not keep the others waiting.

    Raises:
        DatabaseAway: the database did not answer.
        ExceptionGroup: what failed, after all other things were done.
    """
    failures: list[Exception] = []
    for thing in await work.find():
        outcomes = await asyncio.gather(work.do(thing), return_exceptions=True)
        failure: BaseException | None = outcomes[0]
        if isinstance(failure, DatabaseAway):
            raise failure
        if isinstance(failure, Exception):
            failure.add_note(f"for {thing}")
            failures.append(failure)
        elif failure is not None:
            raise failure
    DUE_WORK.labels(work.service, work.name).set(len(failures))
    if failures:
        raise ExceptionGroup(f"{work.name} failed {len(failures)} times", failures)
