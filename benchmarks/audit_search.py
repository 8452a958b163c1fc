"""P11: a search with each usual filter, in a log and in one that is many times as long.

    PYTHONPATH=.:sdk python -m benchmarks.audit_search [--records 10000000]

The filters have the values of random records, the same for both logs, and a page has as many
records in both. The documents that the database reads for each page are counted as well: a search
that reads no more takes no longer in a database whose indexes are trees.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from benchmarks.results import Goal, Lines, Result, Series, Table
from deploy.programs.mongodb import Secantusdb
from deploy.programs.mongodb import database as database_server
from services.audit.domain.records import Record, Span
from services.audit.domain.search_terms import Lookup, lookup
from services.audit.migrations import RECORDS
from services.audit.store.records import INDEXES, RecordRows, document_of, query_of
from shared.contracts.facts import Position
from shared.ids import new_id
from shared.indexes import build_indexes
from shared.mongo import Collection, Database, Document, connect, majority
from tests.deploy.test_secantusdb_pages import Counting
from tests.patience import PATIENT
from tests.services.audit.domain.test_search_terms import USUAL, made, values_of
from tests.services.rows import EPOCH, NOON

SMALL, LARGE = 10_000, 100_000
PAGE, SEARCHES, REPEATS, BATCH = 50, 7, 15, 1_000
FLAT = 2.0
CACHE = "4G"
"""Of SecantusDB: with less than the indexes need, most of the time is the filling."""
ASKED = (
    f"Each filter has the values of the same {SEARCHES} random records in both logs. A page has as"
    f" many records as the short log has of them, {PAGE} at most. Each page is asked for {REPEATS}"
    " times in both logs in turn; the median of all."
)
MEMORY = f"SecantusDB has a cache of {CACHE}; the product's own start gives it 256M."
COUNTED = (
    "Documents read: by the database for all pages of a filter, beside the records in them. They"
    " are counted after the measurement, in the same files."
)


@dataclass
class Page:
    """A page that is asked for in both logs."""

    wanted: Lookup
    records: int = PAGE
    taken: list[list[float]] = field(default_factory=lambda: [[], []])
    """The milliseconds of each search, by the log."""


@dataclass(frozen=True)
class Found:
    """What the searches with these filters take and read in each of the two logs."""

    filters: str
    pages: Sequence[Page]
    read: Sequence[int | str]
    """The documents that the database reads for all pages, by the log."""

    def milliseconds(self, log: int) -> float:
        """The median of all searches in a log."""
        return statistics.median(each for page in self.pages for each in page.taken[log])

    @property
    def times(self) -> float:
        """How many times as long a search takes in the long log."""
        return self.milliseconds(1) / self.milliseconds(0)

    @property
    def records(self) -> int:
        """The records of all pages."""
        return sum(page.records for page in self.pages)


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
    """Insert the log of an account; a batch is made while the one before it is inserted."""
    rows = map(document_of, records(account_id, number))
    stored = majority(database, "records")
    inserting = asyncio.create_task(asyncio.sleep(0))
    while batch := list(islice(rows, BATCH)):
        await inserting
        inserting = asyncio.create_task(_insert(stored, batch))
        await asyncio.sleep(0)
    await inserting


async def _insert(stored: Collection, batch: Sequence[Document]) -> None:
    await stored.insert_many(batch)


def asked_by(names: Sequence[str]) -> list[Page]:
    """Pages with filters of these names, with the values of some records that have all of them."""
    found = (values_of(record) for record in records("acc_0", SMALL))
    whole = (each for each in found if set(names) <= each.keys())
    chosen = islice(whole, 0, None, 7)
    given: list[Mapping[str, tuple[str, ...]]] = [
        {name: each[name][:1] for name in names} for each in islice(chosen, SEARCHES)
    ]
    return [Page(lookup(each)) for each in given]


async def ask(rows: RecordRows, accounts: Sequence[str], page: Page) -> None:
    """Ask for a page in each log in turn, and note how long it takes."""
    page.records = len(await rows.search(accounts[0], (page.wanted,), Span(), limit=PAGE))
    for _ in range(REPEATS):
        for log, account in enumerate(accounts):
            began = time.perf_counter()
            await rows.search(account, (page.wanted,), Span(), limit=page.records)
            page.taken[log].append((time.perf_counter() - began) * 1000)


async def measure(database: Database, sizes: Sequence[int]) -> tuple[float, dict[str, list[Page]]]:
    """The seconds of filling the logs, and the pages of each usual search with their times."""
    await build_indexes(database, *RECORDS)
    rows = RecordRows(database)
    began = time.monotonic()
    for size in sizes:
        await fill(database, f"acc_{size}", size)
    filled = time.monotonic() - began
    searches = {" + ".join(names): asked_by(names) for names in USUAL}
    for pages in searches.values():
        for page in pages:
            await ask(rows, [f"acc_{size}" for size in sizes], page)
    return filled, searches


def documents_read(
    data: Path, sizes: Sequence[int], pages: Sequence[Sequence[Page]]
) -> list[list[int]]:
    """How many documents SecantusDB reads for the pages of each search, in each log."""
    with Counting(str(data)) as database:

        def read(size: int, page: Page) -> int:
            database.find(
                "records",
                filter=query_of(f"acc_{size}", page.wanted, Span()),
                sort={"order": -1},
                limit=page.records,
                hint=INDEXES[page.wanted.field],
            )
            return database.read

        return [[sum(read(size, page) for page in each) for size in sizes] for each in pages]


async def timed(url: str, sizes: Sequence[int]) -> tuple[float, dict[str, list[Page]]]:
    """Measure in a new database."""
    client = connect(url, app_name="benchmark", timeouts=PATIENT)
    try:
        return await measure(client["db"], sizes)
    finally:
        client.close()


def measured(sizes: Sequence[int]) -> tuple[str, float, list[Found]]:
    """Measure in a new database; its name, the seconds of filling it, and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        server = database_server(Path(folder))
        if isinstance(server, Secantusdb):
            server.cache_size = CACHE
        server.start()
        try:
            filled, pages = asyncio.run(timed(server.url, sizes))
        finally:
            server.stop()
        read: Sequence[Sequence[int | str]] = [["not counted"] * len(sizes)] * len(pages)
        if isinstance(server, Secantusdb):
            read = documents_read(server.data, sizes, list(pages.values()))
    found = [Found(name, pages[name], of) for name, of in zip(pages, read, strict=True)]
    return type(server).__name__, filled, found


def run(largest: int = LARGE, *, short: bool = False) -> Result:
    """Measure with logs of these lengths; `short` says little."""
    sizes = (SMALL // 10, SMALL) if short else (SMALL, largest)
    name, filled, found = measured(sizes)
    worst = max(found, key=lambda each: each.times)
    usual = statistics.median(each.times for each in found)
    return Result(
        f"The search of the audit log as it grows ({name})",
        "python -m benchmarks --only audit_search",
        tables=[
            Table(
                (
                    "filters",
                    *(f"{size:,} records, ms" for size in sizes),
                    "times",
                    "records of all pages",
                    *(f"documents read in {size:,}" for size in sizes),
                ),
                [
                    (
                        *(each.filters, each.milliseconds(0), each.milliseconds(1), each.times),
                        *(each.records, *each.read),
                    )
                    for each in found
                ],
            )
        ],
        plots=[
            Lines(
                "audit_search",
                "A page of a search as the log grows",
                "records of the account (each line is ten times the one before)",
                "milliseconds",
                [
                    Series(
                        each.filters,
                        [(size, each.milliseconds(log)) for log, size in enumerate(sizes)],
                    )
                    for each in found
                    if "+" not in each.filters
                ],
                log_x=True,
            )
        ],
        goals=[
            Goal(
                "P11",
                f"a page of a search, {sizes[1]:,} records beside {sizes[0]:,}, each usual filter",
                f"{worst.times:.1f} times at most ({worst.filters}), {usual:.1f} in the middle,"
                f" with {name}",
                f"at most {FLAT:.0f} times",
                reached=worst.times <= FLAT,
            )
        ],
        notes=(ASKED, COUNTED, MEMORY, f"Both logs were filled in {filled / 60:.0f} minutes."),
    )


def main() -> None:
    """Measure with the number of records that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=LARGE, help="of the longer log")
    print(run(parser.parse_args().records).markdown())


if __name__ == "__main__":
    main()
