"""P11: a search with each usual filter, in a log and in one that is many times as long.

    PYTHONPATH=.:sdk python -m benchmarks.audit_search [--records 10000000]

The filters have the values of random records, the same for both logs. How many records a page needs
is counted in `tests/services/audit/domain/test_search_terms.py`, and how many the database reads in
`tests/services/audit/test_search_ranges.py`.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from benchmarks.results import Goal, Lines, Result, Series, Table
from deploy.programs.mongodb import database as database_server
from services.audit.domain.records import Record, Span
from services.audit.domain.search_terms import lookup
from services.audit.migrations import RECORDS
from services.audit.store.records import RecordRows, document_of
from shared.contracts.facts import Position
from shared.ids import new_id
from shared.indexes import build_indexes
from shared.mongo import Database, connect, majority
from tests.patience import PATIENT
from tests.services.audit.domain.test_search_terms import USUAL, made, values_of
from tests.services.rows import EPOCH, NOON

SMALL, LARGE = 10_000, 100_000
PAGE, SEARCHES, BATCH = 50, 5, 500
FLAT = 2.0
ASKED = (
    "A search asks for a page of 50. Each filter has the values of the same random records in both"
    " logs; the median of five searches."
)
RANGES = (
    "How many records a page needs is counted in `make test`, in 100,000 records: at most twice the"
    " page. How many the database reads for it is counted, too."
)


def records(account_id: str, number: int) -> Iterator[Record]:
    """The log of a busy account: the same values for each length of it, and new ids."""
    chance = random.Random(11)
    for seq in range(1, number + 1):
        yield replace(
            made(chance),
            id=new_id("evt"),
            account_id=account_id,
            occurred_at=NOON + timedelta(seconds=seq),
            position=Position("team", EPOCH, 0, seq),
        )


async def fill(database: Database, account_id: str, number: int) -> None:
    """Insert the log of an account."""
    rows = records(account_id, number)
    stored = majority(database, "records")
    while page := list(islice(rows, BATCH)):
        await stored.insert_many([document_of(record) for record in page])


async def milliseconds(
    rows: RecordRows, account_id: str, asked: Sequence[Mapping[str, tuple[str, ...]]]
) -> float:
    """The median time of a page with each of these filters."""
    taken = []
    for given in asked:
        began = time.perf_counter()
        await rows.search(account_id, (lookup(given),), Span(), limit=PAGE)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def asked_by(names: Sequence[str]) -> list[dict[str, tuple[str, ...]]]:
    """The filters of these names, with the values of some records that have all of them."""
    found = ((values_of(record)) for record in records("acc_0", SMALL))
    whole = (each for each in found if set(names) <= each.keys())
    chosen = islice(whole, 0, None, 7)
    return [{name: each[name][:1] for name in names} for each in islice(chosen, SEARCHES)]


async def measure(database: Database, sizes: Sequence[int]) -> list[tuple[str, list[float]]]:
    """The milliseconds of each usual filter, by the length of the log."""
    await build_indexes(database, *RECORDS)
    rows = RecordRows(database)
    for size in sizes:
        await fill(database, f"acc_{size}", size)
    found = []
    for names in USUAL:
        asked = asked_by(names)
        times = [await milliseconds(rows, f"acc_{size}", asked) for size in sizes]
        found.append((" + ".join(names), times))
    return found


async def measured(sizes: Sequence[int]) -> tuple[str, list[tuple[str, list[float]]]]:
    """Measure on a new database, and say which it is."""
    with tempfile.TemporaryDirectory() as folder:
        server = database_server(Path(folder))
        server.start()
        client = connect(server.url, app_name="benchmark", timeouts=PATIENT)
        try:
            return type(server).__name__, await measure(client["measured"], sizes)
        finally:
            client.close()
            server.stop()


def run(largest: int = LARGE, *, short: bool = False) -> Result:
    """Measure with logs of these lengths; `short` says little."""
    sizes = (SMALL // 10, SMALL) if short else (SMALL, largest)
    name, found = asyncio.run(measured(sizes))
    worst, growth = max(
        ((filters, times[1] / times[0]) for filters, times in found), key=lambda each: each[1]
    )
    usual = statistics.median(times[1] / times[0] for _, times in found)
    return Result(
        f"The search of the audit log as it grows ({name})",
        "python -m benchmarks --only audit_search",
        tables=[
            Table(
                ("filters", *(f"{size:,} records, ms" for size in sizes), "times"),
                [(filters, *times, times[1] / times[0]) for filters, times in found],
            )
        ],
        plots=[
            Lines(
                "audit_search",
                "A page of a search as the log grows",
                "records of the account (each line is ten times the one before)",
                "milliseconds",
                [
                    Series(filters, list(zip(sizes, times, strict=True)))
                    for filters, times in found
                    if "+" not in filters
                ],
                log_x=True,
            )
        ],
        goals=[
            Goal(
                "P11",
                f"a page of a search, {sizes[1]:,} records beside {sizes[0]:,}, each usual filter",
                f"{growth:.1f} times at most ({worst}), {usual:.1f} in the middle, with {name}",
                f"at most {FLAT:.0f} times",
                reached=growth <= FLAT,
            )
        ],
        notes=(ASKED, RANGES),
    )


def main() -> None:
    """Measure with the number of records that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=LARGE, help="of the longer log")
    print(run(parser.parse_args().records).markdown())


if __name__ == "__main__":
    main()
