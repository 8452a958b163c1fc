"""What the errors of the database mean, and that a transaction has its effect once."""

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, Self, cast

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

from shared.mongo import (
    AlreadyThere,
    DatabaseAway,
    Transactions,
    connect,
    insert_all_once,
    insert_missing,
    retry_pause,
)
from shared.mongo.away import CODES, LABELS, means_away
from shared.mongo.driver import no_longer_than
from shared.problems import NotFound, Unavailable
from shared.timeouts import Timeouts
from tests.support.replica_set import conflict, forgotten


class LateCommit:
    """A client of one session: its first commit lands before snapshot `at`.

    It is not answered. Repeated, it finds a server that does not know the transaction.
    """

    def __init__(self, *, at: int) -> None:
        options = SimpleNamespace(timeout=None)
        self.delegate = SimpleNamespace(
            in_transaction=False, options=options, cluster_time=None, operation_time=None
        )
        self._at = at
        self._snapshots = 0
        self._held: list[str] = []
        self._sent: list[list[str]] = []
        self.changes: list[str] = []

    async def start_session(self, **options: Any) -> "LateCommit":
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *problem: object) -> None:
        self.delegate.in_transaction = False

    def start_transaction(self, **concerns: Any) -> None:
        if self.delegate.in_transaction:
            raise InvalidOperation("Transaction already in progress")
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


async def test_a_timeout_of_the_change_itself_is_raised_at_once():
    client: Any = LateCommit(at=2)
    attempts = 0

    async def work(session: Any) -> None:
        nonlocal attempts
        attempts += 1
        raise TimeoutError("of another server")

    with pytest.raises(TimeoutError, match="of another server"):
        await Transactions(client).run(work)
    assert attempts == 1


async def test_an_abort_that_fails_does_not_hide_the_cause():
    class Cut(LateCommit):
        async def abort_transaction(self) -> None:
            raise AutoReconnect("cut")

    async def work(session: Any) -> None:
        raise NotFound

    client: Any = Cut(at=2)
    with pytest.raises(NotFound):
        await Transactions(client).run(work)


class NoThread(LateCommit):
    """It has no thread for an abort, which therefore does not begin."""

    async def start_session(self, **options: Any) -> "LateCommit":
        return LateCommit(at=0) if options else self

    async def abort_transaction(self) -> None:
        await asyncio.Event().wait()


async def test_an_abort_that_does_not_begin_in_its_time_ends_the_attempts():
    async def work(session: Any) -> None:
        raise DatabaseAway("for a moment")

    with pytest.raises(Unavailable):
        await Transactions(cast("Any", NoThread(at=2)), end_seconds=0.01).run(work)


async def test_an_earlier_commit_is_found_after_an_abort_that_did_not_begin():
    client: Any = NoThread(at=2)
    attempts = 0

    async def work(session: Any) -> str:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            raise DatabaseAway("for a moment")
        return "attempt 1"

    async def committed(session: Any) -> str | None:
        return None if session is client else "attempt 1"

    transactions = Transactions(client, end_seconds=0.01)
    assert await transactions.run(work, committed=committed) == "attempt 1"


async def test_an_operation_that_begins_after_its_block_ends_at_once():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/?directConnection=true"
        client = connect(url, app_name="tests", timeouts=Timeouts(database=30.0))

        async def block() -> None:
            async with no_longer_than(0.0, client=client):
                try:
                    await asyncio.Event().wait()
                finally:
                    await client.rolecall.rows.find_one({})

        with pytest.raises(DatabaseAway):
            async with asyncio.timeout(15):
                await block()
        client.close()


class Refusing:
    """A collection whose bulk writes fail with these codes."""

    name = "rows"

    def __init__(self, *codes: int) -> None:
        self._codes = codes

    async def insert_many(self, documents: Any, **options: Any) -> None:
        errors = [{"index": index, "code": code} for index, code in enumerate(self._codes, 1)]
        raise BulkWriteError({"writeErrors": errors})


@pytest.mark.parametrize("codes", [(121,), (11000, 121), (121, 11000)])
async def test_a_bulk_that_failed_for_another_reason_is_not_a_duplicate(codes: tuple[int, ...]):
    rows: Any = Refusing(*codes)
    session: Any = None
    with pytest.raises(BulkWriteError):
        await insert_all_once(rows, [], session)
    with pytest.raises(BulkWriteError):
        await insert_missing(rows, [])


async def test_a_bulk_that_met_only_duplicates_says_so():
    rows: Any = Refusing(11000, 11000)
    session: Any = None
    with pytest.raises(AlreadyThere):
        await insert_all_once(rows, [], session)
    documents = [{"_id": number} for number in range(4)]
    assert await insert_missing(rows, documents) == [{"_id": 1}, {"_id": 2}]


AWAY_CODES = (
    *(6, 7, 24, 43, 50, 64, 75, 79, 89, 91, 94, 100, 112, 133, 134, 175, 189, 202, 211, 216, 237),
    *(239, 246, 251, 262, 276, 279, 285, 290, 355, 365, 371, 402, 407, 433, 449, 450, 462),
    *(9001, 10058, 10107, 11600, 11601, 11602, 13435, 13436, 14031, 46841, 10045600),
)
AWAY_LABELS = (
    *("RetryableError", "RetryableWriteError", "NoWritesPerformed", "SystemOverloadedError"),
    *("TransientTransactionError", "UnknownTransactionCommitResult"),
)


def test_the_codes_and_labels_of_an_absent_database_are_these() -> None:
    """Each was chosen by its text in MongoDB's `error_codes.yml`, as decision page 26 says."""
    assert sorted(CODES) == list(AWAY_CODES)
    assert LABELS == AWAY_LABELS


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
