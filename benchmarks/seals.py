"""Seals of the audit log: leaves of records a second, appended to a tree, beside pymerkle.

Each record has eight personal values, each with its salt and its commitment. pymerkle appends the
same number of entries of the same size, in memory and without commitments.

    PYTHONPATH=.:sdk python -m benchmarks.seals
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pymerkle

from benchmarks.results import Bars, Result, Table
from rolecall.audit.trees import GrowingTree
from services.audit.domain.leaves import sealed
from services.audit.domain.records import Record
from shared.contracts.facts import Actor, Outcome, Position, RequestInfo, ResourceRef

ROUNDS, RECORDS = 15, 5_000
AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
LEAF_BYTES = 1_200
"""About the size of the canonical form of such a leaf."""


def record(number: int) -> Record:
    return Record(
        id=f"evt_{number:032x}",
        account_id=f"acc_{1:032x}",
        account_rev=number,
        occurred_at=AT,
        recorded_at=AT,
        actor=Actor(
            type="user",
            id=f"usr_{2:032x}",
            name="Ana Díaz",
            email="ana@example.com",
            session_id=f"ses_{3:032x}",
        ),
        action="member.role_changed",
        resource=ResourceRef(type="member", id=f"usr_{4:032x}", name="Bo Li"),
        project_id=None,
        outcome=Outcome.SUCCEEDED,
        before={"role": "admin"},
        after={"role": "developer"},
        reason="moved to another team",
        request=RequestInfo(request_id=f"req_{number:032x}", ip="203.0.113.9", user_agent="curl"),
        position=Position("team", "e1", 21, number),
        change_id=f"chg_{number:032x}",
        digest="",
    )


def of_records(records: list[Record]) -> None:
    tree = GrowingTree()
    tree.extend(sealed(each, "acc_1", index, os.urandom)[1] for index, each in enumerate(records))


def of_leaves(leaves: list[bytes]) -> None:
    GrowingTree().extend(leaves)


def of_pymerkle(entries: list[bytes]) -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)


def best(work: Callable[[], None], number: int, rounds: int) -> float:
    """The most in a second of the CPU that any round has reached."""
    found = 0.0
    for _ in range(rounds):
        began = time.process_time()
        work()
        found = max(found, number / (time.process_time() - began))
    return found


def run(*, rounds: int = ROUNDS, number: int = RECORDS) -> Result:
    records = list(map(record, range(1, number + 1)))
    leaves = [sealed(each, "acc_1", 0, os.urandom)[1] for each in records]
    entries = [os.urandom(LEAF_BYTES) for _ in records]
    works: dict[str, Callable[[], None]] = {
        "records with eight commitments": lambda: of_records(records),
        "leaf hashes alone": lambda: of_leaves(leaves),
        f"pymerkle, entries of {LEAF_BYTES} bytes": lambda: of_pymerkle(entries),
    }
    found = {label: best(work, number, rounds) for label, work in works.items()}
    return Result(
        "Seals of audit records on one core",
        "python -m benchmarks --only seals",
        tables=[Table(("appended to a tree", "a second of CPU"), list(found.items()))],
        plots=[Bars("seals", "Appended to a tree", "a second", list(found.items()), log=True)],
        notes=["The goal is 60,000 records a second on one core, without the database."],
    )


if __name__ == "__main__":
    print(run().markdown())
