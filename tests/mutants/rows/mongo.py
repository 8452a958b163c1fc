"""Mutants of the access to the database: what its errors mean, and limits of operations."""

from tests.mutants.mutant import Kind, Mutant

AWAY = "shared/mongo/away.py"
COLLECTIONS = "shared/mongo/collections.py"
DRIVER = "shared/mongo/driver.py"
TESTS = ("tests/shared/test_mongo.py",)

ROWS = (
    Mutant(
        id="mongo-full-disk-is-an-answer",
        kind=Kind.AVAILABILITY,
        file=AWAY,
        old='    14031: "OutOfDiskSpace",\n',
        new="",
        tests=TESTS,
    ),
    Mutant(
        id="mongo-overload-is-an-answer",
        kind=Kind.AVAILABILITY,
        file=AWAY,
        old='    "SystemOverloadedError",\n',
        new="",
        tests=TESTS,
    ),
    Mutant(
        id="mongo-one-duplicate-hides-other-errors",
        kind=Kind.DATA,
        file=AWAY,
        old="set(_codes(problem.details)) == {11000}",
        new="11000 in set(_codes(problem.details))",
        tests=TESTS,
    ),
    Mutant(
        id="mongo-each-bulk-error-is-a-duplicate",
        kind=Kind.DATA,
        file=COLLECTIONS,
        old="        if only_duplicates(problem):\n",
        new="        if problem:\n",
        tests=TESTS,
    ),
    Mutant(
        id="mongo-missing-documents-end-at-the-first-duplicate",
        kind=Kind.DATA,
        file=COLLECTIONS,
        old="insert_many(documents, ordered=False)",
        new="insert_many(documents, ordered=True)",
        tests=("tests/store/test_documents.py", "-k", "missing"),
    ),
    Mutant(
        id="mongo-no-limit-after-the-end-of-a-block",
        kind=Kind.AVAILABILITY,
        file=DRIVER,
        old="SHORTEST_LIMIT_SECONDS = 0.001\n",
        new="SHORTEST_LIMIT_SECONDS = 0.0\n",
        tests=TESTS,
    ),
    Mutant(
        id="mongo-session-takes-a-thread",
        kind=Kind.LIMIT,
        file=DRIVER,
        old="        if function is pymongo.MongoClient.start_session:\n",
        new="        if function is pymongo.MongoClient.close:\n",
        tests=("tests/store/test_reserved.py", "-k", "session_starts"),
    ),
    Mutant(
        id="mongo-close-waits-for-a-dead-server",
        kind=Kind.AVAILABILITY,
        file=DRIVER,
        old="        serverSelectionTimeoutMS=limit_ms,\n",
        new="",
        tests=("tests/store/test_crashes.py", "-k", "dead_database"),
    ),
    Mutant(
        id="mongo-foreign-timeout-is-tried-again",
        kind=Kind.CONSISTENCY,
        file=DRIVER,
        old="        if not limit.expired():\n            raise\n",
        new="",
        tests=TESTS,
    ),
    Mutant(
        id="mongo-abort-hides-the-cause",
        kind=Kind.DATA,
        file="shared/mongo/transactions.py",
        old="return  # the server ends the transaction; the cause is already being raised",
        new="raise",
        tests=TESTS,
    ),
    Mutant(
        id="statements-after-a-failed-one-run",
        kind=Kind.CONSISTENCY,
        file="shared/mongo/driver.py",
        old="                if failed is None and not answer.cancelled():\n",
        new="                if not answer.cancelled():\n",
        tests=("tests/store/test_one_after_another.py", "-k", "that_failed"),
    ),
    Mutant(
        id="statements-of-a-cancelled-task-run",
        kind=Kind.CONSISTENCY,
        file="shared/mongo/driver.py",
        old="                if failed is None and not answer.cancelled():\n",
        new="                if failed is None:\n",
        tests=("tests/store/test_one_after_another.py", "-k", "cancelled_task"),
    ),
    Mutant(
        id="statements-after-the-end-of-their-unit-run",
        kind=Kind.CONSISTENCY,
        file="shared/mongo/driver.py",
        old="        if not self._open:\n",
        new="        if False:\n",
        tests=("tests/store/test_one_after_another.py", "-k", "after_the_end"),
    ),
    Mutant(
        id="statements-of-one-session-run-beside-each-other",
        kind=Kind.CONSISTENCY,
        file="shared/mongo/driver.py",
        old="        if unit is not None:\n",
        new="        if unit is ...:\n",
        tests=("tests/store/test_one_after_another.py", "-k", "share_a_thread"),
    ),
)
