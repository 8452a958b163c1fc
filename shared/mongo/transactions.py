"""Sessions and transactions."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from shared.mongo.away import DatabaseAway
from shared.mongo.collections import MAJORITY, Lost
from shared.mongo.driver import DbClient, DbSession, no_longer_than
from shared.problems import Unavailable
from shared.timeouts import DEFAULT_TIMEOUTS

T = TypeVar("T")

COMMIT_PAUSE_SECONDS = 0.02
LEAST_SECONDS = 1.0
"""The time that a transaction, and each operation in it, has after any waiting before it."""
SNAPSHOT = ReadConcern("snapshot")


@contextlib.asynccontextmanager
async def causal_session(
    client: DbClient, after: DbSession | None = None
) -> AsyncIterator[DbSession]:
    """A causally consistent session that starts from the end of `after`, which may be over.

    Its first majority read waits until a majority has all that `after` has written or seen, also
    in a transaction that was aborted. A server that tells no time has no other members to wait for.
    """
    async with await client.start_session(causal_consistency=True) as session:
        if after is not None:
            # The driver's own session: motor's types take these properties for methods.
            cluster_time = after.delegate.cluster_time
            operation_time = after.delegate.operation_time
            if cluster_time is not None and operation_time is not None:
                session.advance_cluster_time(cluster_time)
                session.advance_operation_time(operation_time)
        yield session


class Transactions:
    """Runs functions in transactions of one client (snapshot, majority)."""

    def __init__(
        self,
        client: DbClient,
        *,
        seconds: float | None = None,
        attempt_seconds: float = DEFAULT_TIMEOUTS.transaction_attempt,
        end_seconds: float = DEFAULT_TIMEOUTS.transaction_end,
    ) -> None:
        """`seconds` is for all attempts together; the default is the client's limit of one."""
        self._client = client
        self._attempt_seconds = attempt_seconds
        self._end_seconds = end_seconds
        limit = client.delegate.options.timeout if seconds is None else seconds
        self._seconds = DEFAULT_TIMEOUTS.transaction if limit is None else limit
        self._operation_seconds = client.delegate.options.timeout

    async def run(
        self,
        change: Callable[[DbSession], Awaitable[T]],
        *,
        committed: Callable[[DbSession], Awaitable[T | None]] | None = None,
        waited: float = 0.0,
    ) -> T:
        """Run `change` in a transaction until it commits; `change` may run more than once.

        `committed` returns the result of an earlier attempt whose commit was not answered but took
        effect: that result stands, and nothing is done twice. Each further attempt asks it first,
        in its own snapshot: a commit that the snapshot does not hold yet is the conflict that ends
        it. It is asked a last time when the time is over, after the last transaction in the same
        causally consistent session: a majority then has what that transaction saw.

        `waited` is how long the caller has waited for its turn: that time is over already.

        A further attempt ends with the time of all. The abort of a transaction that the database
        did not answer has `end_seconds`, and so has the last look-up. An abort that has not begun
        by then leaves the session in its transaction, and there is no further attempt.

        An attempt that has not come to its commit after `attempt_seconds` is aborted. The rows that
        it wrote refuse other writers, and a server ends it only after a minute.

        Raises:
            Unavailable: the database was away or contended for longer than its time.
        """
        deadline = time.monotonic() + _left(self._seconds, waited)
        limit = self._operation_seconds
        operation_seconds = None if limit is None else _left(limit, waited)
        attempt_seconds, attempt, sent = self._attempt_seconds, 0, False
        async with await self._client.start_session() as session:
            while True:
                attempt += 1
                session.start_transaction(read_concern=SNAPSHOT, write_concern=MAJORITY)
                try:
                    async with no_longer_than(
                        attempt_seconds, client=self._client, operation_seconds=operation_seconds
                    ):
                        seen = None if attempt == 1 or not committed else await committed(session)
                        result = await change(session) if seen is None else seen
                    sent = True
                    await self._commit_until(session, deadline)
                except (DatabaseAway, Lost) as problem:
                    with contextlib.suppress(DatabaseAway):
                        async with no_longer_than(self._end_seconds, client=self._client):
                            await _abort(session)
                    if time.monotonic() >= deadline or session.delegate.in_transaction:
                        earlier = await self._committed_earlier(
                            session, committed if sent else None
                        )
                        if earlier is None:
                            raise Unavailable from problem
                        return earlier
                except BaseException:
                    await _abort(session)
                    raise
                else:
                    return result
                await asyncio.sleep(retry_pause(attempt))
                left = max(deadline - time.monotonic(), 0.0)
                attempt_seconds = min(self._attempt_seconds, left)

    async def _committed_earlier(
        self, session: DbSession, committed: Callable[[DbSession], Awaitable[T | None]] | None
    ) -> T | None:
        """Look for the result of an earlier attempt, once `session` has no further one."""
        if committed is None:
            return None
        async with (
            no_longer_than(self._end_seconds, client=self._client),
            causal_session(self._client, after=session) as later,
        ):
            return await committed(later)

    async def commit(self, session: DbSession) -> None:
        """Ask the database once to commit the session's transaction."""
        await session.commit_transaction()

    async def _commit_until(self, session: DbSession, deadline: float) -> None:
        """Commit, and again while the server does not say how the commit ended.

        A server that has forgotten the transaction asks for it anew, with a label. Every other
        answer of an absent database, an unmet write concern too, may follow a commit that took
        effect.
        """
        try:
            await self.commit(session)
        except DatabaseAway as problem:
            last = problem
        else:
            return
        while not last.has_error_label("TransientTransactionError"):
            await asyncio.sleep(COMMIT_PAUSE_SECONDS)
            if (left := deadline - time.monotonic()) <= 0:
                break
            try:
                async with no_longer_than(left, client=self._client):
                    await self.commit(session)
            except DatabaseAway as problem:
                last = problem
            else:
                return
        raise last


async def transact(client: DbClient, change: Callable[[DbSession], Awaitable[T]]) -> T:
    """Run `change` in a transaction of its own, as `Transactions.run` does.

    Raises:
        Unavailable: the database was away or contended for too long.
    """
    return await Transactions(client).run(change)


def retry_pause(attempt: int) -> float:
    """Return the seconds before attempt `attempt + 1` of a transaction: random, growing to 0.1."""
    return random.uniform(0.001, min(0.1, 0.002 * 2 ** min(attempt, 6)))


def _left(seconds: float, waited: float) -> float:
    return min(seconds, max(seconds - waited, LEAST_SECONDS))


async def _abort(session: DbSession) -> None:
    if not session.delegate.in_transaction:
        return
    try:
        await session.abort_transaction()
    except PyMongoError:
        return  # the server ends the transaction; the cause is already being raised
