"""Is a transaction's effect there once, whatever of its commit is answered?"""

from types import SimpleNamespace
from typing import Any, Self

from pymongo.errors import ConnectionFailure, OperationFailure

from shared.mongo import transact


class LateCommit:
    """A client of one session: its first commit takes effect, but is neither answered nor seen."""

    def __init__(self) -> None:
        self.delegate = SimpleNamespace(in_transaction=False)

    async def start_session(self) -> "LateCommit":
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *problem: object) -> None:
        self.delegate.in_transaction = False

    def start_transaction(self, **concerns: Any) -> None:
        self.delegate.in_transaction = True

    async def commit_transaction(self) -> None:
        self.delegate.in_transaction = False
        raise ConnectionFailure

    async def abort_transaction(self) -> None:
        self.delegate.in_transaction = False


async def test_a_commit_that_shows_only_as_a_conflict_is_not_done_again():
    attempts: list[int] = []

    async def work(session: Any) -> int:
        attempts.append(len(attempts) + 1)
        if len(attempts) == 2:
            conflict = OperationFailure("WriteConflict")
            conflict._add_error_label("TransientTransactionError")
            raise conflict
        return attempts[-1]

    async def committed() -> bool:
        return len(attempts) > 1

    client: Any = LateCommit()
    assert await transact(client, work, committed=committed) == 1
    assert attempts == [1, 2]
