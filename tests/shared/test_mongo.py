"""A transaction has its effect once, however its commit is answered."""

from types import SimpleNamespace
from typing import Any, Self

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WriteError,
)

from shared.mongo import Transactions, retry_pause
from shared.mongo.away import CODES, LABELS, means_away
from shared.problems import NotFound
from tests.support.replica_set import conflict, forgotten


class LateCommit:
    """A client of one session: its first commit lands before snapshot `at`.

    It is not answered. Repeated, it finds a server that does not know the transaction.
    """

    def __init__(self, *, at: int) -> None:
        options = SimpleNamespace(timeout=None)
        self.delegate = SimpleNamespace(in_transaction=False, options=options)
        self._at = at
        self._snapshots = 0
        self._held: list[str] = []
        self._sent: list[list[str]] = []
        self.changes: list[str] = []

    async def start_session(self) -> "LateCommit":
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *problem: object) -> None:
        self.delegate.in_transaction = False

    def start_transaction(self, **concerns: Any) -> None:
        self.delegate.in_transaction = True
        self._snapshots += 1
        if self._sent and self._snapshots == self._at:
            self.changes += self._sent.pop(0)
        self._held, self.snapshot = [], list(self.changes)

    def write(self, change: str) -> None:
        self._held.append(change)

    async def commit_transaction(self) -> None:
        self.delegate.in_transaction = False
        if self._snapshots == 1:
            self._sent.append(self._held)
            raise forgotten()
        if self._sent:  # the same document was changed under way
            self.changes += self._sent.pop(0)
        if self.changes != self.snapshot:
            raise conflict()
        self.changes += self._held

    async def abort_transaction(self) -> None:
        self.delegate.in_transaction = False


@pytest.mark.parametrize("lands_before", [2, 3])
async def test_a_late_commit_is_found_in_the_next_snapshot_or_conflicts_with_it(lands_before: int):
    client: Any = LateCommit(at=lands_before)
    attempts = 0

    async def work(session: Any) -> str:
        nonlocal attempts
        attempts += 1
        if client.snapshot:
            raise NotFound  # refused because of its own effect
        session.write(f"change of attempt {attempts}")
        return f"attempt {attempts}"

    async def committed(session: Any) -> str | None:
        seen = client.changes if session is None else client.snapshot
        return "attempt 1" if "change of attempt 1" in seen else None

    assert await Transactions(client).run(work, committed=committed) == "attempt 1"
    assert client.changes == ["change of attempt 1"]
    assert attempts == lands_before - 1


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_of_the_table_means_that_the_database_is_away(code: int) -> None:
    assert means_away(OperationFailure(CODES[code], code, {"code": code}))
    assert means_away(WriteError(CODES[code], code, {"code": code}))
    assert means_away(BulkWriteError({"writeErrors": [{"code": code}]}))


@pytest.mark.parametrize(
    "problem",
    [
        *(OperationFailure("later", 99_999, {"errorLabels": [label]}) for label in LABELS),
        WriteConcernError("any code", 99_999),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        BulkWriteError({"writeErrors": [{"code": 11000}], "writeConcernErrors": [{"code": 64}]}),
        AutoReconnect("cut"),
        ServerSelectionTimeoutError("no server"),
        WaitQueueTimeoutError("no connection"),
    ],
    ids=str,
)
def test_what_has_no_code_of_the_table_means_it_too(problem: PyMongoError) -> None:
    assert means_away(problem)


@pytest.mark.parametrize(
    "problem",
    [
        DuplicateKeyError("E11000", 11000),
        BulkWriteError({"writeErrors": [{"code": 11000}], "writeConcernErrors": []}),
        OperationFailure("not authorized", 13),
        OperationFailure("index options", 85),
        InvalidOperation("a mistake of ours"),
    ],
    ids=str,
)
def test_an_answer_of_the_database_does_not_mean_it(problem: PyMongoError) -> None:
    assert not means_away(problem)


@pytest.mark.parametrize("attempt", [1, 2, 7, 5_000])
def test_the_pause_between_attempts_stays_short(attempt: int) -> None:
    assert all(0.001 <= retry_pause(attempt) <= 0.1 for _ in range(100))
