"""The one place that decides which errors of the driver mean that the database is away."""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

LABELS = (
    "RetryableError",
    "RetryableWriteError",
    "NoWritesPerformed",
    "SystemOverloadedError",
    "TransientTransactionError",
    "UnknownTransactionCommitResult",
)
"""Labels of the server and of the driver: the same request may succeed a moment later."""

CODES: Mapping[int, str] = {
    # A write that a majority does not have, or not in time. It may have its effect all the same.
    64: "WriteConcernTimeout",
    75: "WriteConcernLegacyOK",
    79: "UnknownReplWriteConcern",
    100: "UnsatisfiableWriteConcern",
    # Another member is the primary, or none is.
    94: "NotYetInitialized",
    133: "FailedToSatisfyReadPreference",
    189: "PrimarySteppedDown",
    216: "ElectionInProgress",
    10058: "LegacyNotPrimary",
    10107: "NotWritablePrimary",
    11602: "InterruptedDueToReplStateChange",
    13435: "NotPrimaryNoSecondaryOk",
    13436: "NotPrimaryOrSecondary",
    # The server stops.
    91: "ShutdownInProgress",
    11600: "InterruptedAtShutdown",
    # It took too long, or was ended by an operator.
    24: "LockTimeout",
    50: "MaxTimeMSExpired",
    262: "ExceededTimeLimit",
    279: "ClientDisconnect",
    290: "TransactionExceededLifetimeLimitSeconds",
    355: "InterruptedDueToStorageChange",
    11601: "Interrupted",
    46841: "ClientMarkedKilled",
    10045600: "InterruptedDueToFCVChange",
    # The state that the read needs is not there yet, or not any more.
    134: "ReadConcernMajorityNotAvailableYet",
    211: "KeyNotFound",
    239: "SnapshotTooOld",
    246: "SnapshotUnavailable",
    # A transaction or cursor of before a restart, or one that met another.
    43: "CursorNotFound",
    112: "WriteConflict",
    175: "QueryPlanKilled",
    237: "CursorKilled",
    251: "NoSuchTransaction",
    # An index build that the server gave up, or that another client has begun.
    276: "IndexBuildAborted",
    285: "IndexBuildAlreadyInProgress",
    # The links between the members of a cluster.
    6: "HostUnreachable",
    7: "HostNotFound",
    89: "NetworkTimeout",
    202: "NetworkInterfaceExceededTimeLimit",
    9001: "SocketException",
    # The server has too much to do, no space left, or takes no writes for the moment.
    365: "TemporarilyUnavailable",
    371: "UserWritesBlocked",
    402: "ResourceExhausted",
    407: "PooledConnectionAcquisitionExceededTimeLimit",
    433: "AdmissionQueueOverflow",
    449: "RateLimitExceeded",
    450: "PooledConnectionAcquisitionRejected",
    462: "IngressRequestRateLimitExceeded",
    14031: "OutOfDiskSpace",
}
"""Codes of MongoDB's `error_codes.yml`, by what they say. The server does not label all of them,
and never outside of transactions and retryable writes."""


class DatabaseAway(PyMongoError):  # noqa: N818 - a state of the world, as the refusals are
    """The database could not be asked, or did not say that the operation has its effect.

    A write may have been made. HTTP answers 503, and a message is delivered again.
    """


def labels_of(problem: PyMongoError) -> list[str]:
    """The labels of `LABELS` that an error has."""
    return [label for label in LABELS if problem.has_error_label(label)]


def means_away(problem: PyMongoError) -> bool:
    """Return whether an error of the driver means that the database is away.

    A duplicate key is an answer. A bulk write that also failed the write concern is not: a new
    primary may undo what it met.
    """
    if isinstance(problem, ConnectionFailure | ExecutionTimeout | WriteConcernError):
        return True
    if labels_of(problem):
        return True
    if isinstance(problem, BulkWriteError):
        return bool(problem.details.get("writeConcernErrors")) or any(
            code in CODES for code in _codes(problem.details)
        )
    if isinstance(problem, DuplicateKeyError):
        return False
    return isinstance(problem, OperationFailure) and problem.code in CODES


def only_duplicates(problem: BulkWriteError) -> bool:
    """Return whether each write that failed had met a document with its unique key."""
    return set(_codes(problem.details)) == {11000}


def _codes(details: Mapping[str, Any]) -> Iterator[int]:
    for error in details.get("writeErrors", ()):
        yield error["code"]
