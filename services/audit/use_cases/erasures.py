"""Erase the values of people who were deleted in the records that are there.

One replica is elected. It looks at every record, a page at a time, and saves where it is. If two
work at once, their writes exclude each other. What it learns of a person makes it look again, until
it learns nothing more.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from services.audit.domain.erased_people import (
    ErasedPeople,
    ErasedPerson,
    Found,
    PersonMarks,
    Traces,
    all_learned,
)
from services.audit.domain.erasures import (
    MARKS_KEPT,
    SETTLING,
    ErasureScan,
    erased_seal,
    erasure_fact,
    without,
)
from services.audit.domain.records import Record, record_of
from services.audit.domain.sealed_records import Seal, tree_of
from services.audit.store import Store
from shared import metrics
from shared.clock import Clock
from shared.contracts.facts import Row, service_caller
from shared.contracts.topology import Service
from shared.elections import Election
from shared.journal import Journal, JournalWrite
from shared.mongo import AlreadyThere, DatabaseWatch, DbClient, DbSession, transact

LOOK_SECONDS = 4.0
"""The pause between two rounds; the term of the election is longer."""
PEOPLE_OF_A_SCAN = 100
PAGE_RECORDS = 100
"""The records of one question and of one transaction."""
PAGES_OF_A_ROUND = 50
"""A round must be shorter than the term of the election."""
MAX_WAITING = 1_000
"""The records that may wait for their seals before the scan waits for them."""


class PersonEraser:
    """Erases the values of people who were deleted."""

    def __init__(
        self,
        client: DbClient,
        store: Store,
        journal: Journal,
        clock: Clock,
        marks: PersonMarks,
        *,
        page_records: int = PAGE_RECORDS,
        settling: timedelta = SETTLING,
    ) -> None:
        self._client = client
        self._store = store
        self._journal = journal
        self._clock = clock
        self._marks = marks
        self._page_records = page_records
        self._settling = settling

    async def round(self) -> bool:
        """Erase for a while; whether more can be done at once.

        It may be broken off at each step, and is repeated.
        """
        await self._store.forget_traces(before=self._clock.now() - MARKS_KEPT)
        try:
            for _ in range(PAGES_OF_A_ROUND):
                scan = await self._store.erasure_scan() or await self._begin()
                if scan is None or not await self._step(scan):
                    return False
        except AlreadyThere:
            return False  # another process erases at the same time
        return True

    async def _begin(self) -> ErasureScan | None:
        now = self._clock.now()
        people = await self._store.open_erasures(
            before=now - self._settling, limit=PEOPLE_OF_A_SCAN
        )
        if not people:
            return None
        scan = ErasureScan(people=tuple(people), begun=now)
        await self._store.begin_scan(scan)
        return scan

    async def _step(self, scan: ErasureScan) -> bool:
        """Do the next part of a scan; whether another one can follow at once."""
        people = await self._store.erased_people(scan.people)
        if scan.after is not None and len(scan.waiting) < MAX_WAITING:
            await self._page(scan, ErasedPeople(people, self._marks))
            return True
        if scan.waiting:
            return await self._look_at_waiting(scan, ErasedPeople(people, self._marks))
        if scan.learned or scan.learning:
            again = replace(scan, after="", learned=False, learning=scan.learned)
            await self._store.move_scan(scan, again)
            return True
        await self._erase_equivocations(people)
        await self._delete_searches(people)
        for person in people:
            await self._tell(person)
        await transact(self._client, partial(self._store.end_scan, scan))
        return True

    async def _page(self, scan: ErasureScan, people: ErasedPeople) -> None:
        """Look at the next page of records."""
        after = scan.after or ""
        page = await self._store.page_of_records(after, limit=self._page_records)
        last = page[-1].id if len(page) == self._page_records else None
        moved = replace(scan, after=last)
        found = {record.id: people.found_in(record) for record in page}
        wanted = [each for each, of in found.items() if of.paths or of.learned]
        if scan.learning and wanted:
            learned = all_learned(found.values())
            await transact(self._client, partial(self._learn, scan, moved, learned))
        elif wanted:
            await transact(self._client, partial(self._erase, scan, moved, people, wanted))
        else:
            await self._store.move_scan(scan, moved)

    async def _learn(
        self,
        scan: ErasureScan,
        moved: ErasureScan,
        learned: Mapping[str, Traces],
        session: DbSession,
    ) -> None:
        await self._store.add_traces(learned, session)
        moved = replace(moved, learned=moved.learned or bool(learned))
        await self._store.move_scan(scan, moved, session)

    async def _look_at_waiting(self, scan: ErasureScan, people: ErasedPeople) -> bool:
        """Look at records again that had no seal; whether some have one now."""
        some = scan.waiting[: self._page_records]
        moved = replace(scan, waiting=scan.waiting[self._page_records :])
        waits = await transact(self._client, partial(self._erase, scan, moved, people, some))
        return waits < len(some)

    async def _erase(
        self,
        scan: ErasureScan,
        moved: ErasureScan,
        people: ErasedPeople,
        event_ids: Sequence[str],
        session: DbSession,
    ) -> int:
        """Erase what these records have of the people; how many of them wait for their seals."""
        erased: list[tuple[Record, Seal]] = []
        waiting: list[str] = []
        found_in: list[Found] = []
        counts: Counter[tuple[str, str]] = Counter()
        for record, seal in await self._store.sealed_pairs(event_ids, session):
            found = people.found_in(record)
            found_in.append(found)
            less = without(record, found.paths)
            if less == record:
                continue
            if seal is None:
                waiting.append(record.id)
                continue
            erased.append((less, erased_seal(record, seal, found.paths)))
            counts.update((each, tree_of(record)) for each in found.people)
        await self._store.save_erased(erased, session)
        await self._store.count_erased(counts, session)
        moved = replace(moved, waiting=(*moved.waiting, *waiting))
        await self._learn(scan, moved, all_learned(found_in), session)
        metrics.RECORDS_ERASED.labels(Service.AUDIT).inc(len(erased))
        return len(waiting)

    async def _erase_equivocations(self, people: Sequence[ErasedPerson]) -> None:
        """Drop the rows that were kept as equivocations, if one of the people is in them."""
        known, after = ErasedPeople(people, self._marks), ""
        while page := await self._store.page_of_equivocations(after, limit=self._page_records):
            for key, event_id, event in page:
                if event and self._names(known, people, event):
                    await self._store.erase_equivocation(key, event_id, now=self._clock.now())
            after = page[-1][0]

    def _names(self, known: ErasedPeople, people: Sequence[ErasedPerson], event: str) -> bool:
        record = record_of(Row.from_event(event.encode()), recorded_at=self._clock.now())
        return any(each.user_id in event for each in people) or bool(known.found_in(record).paths)

    async def _delete_searches(self, people: Sequence[ErasedPerson]) -> None:
        """Delete saved searches that name one of the people; they find nothing any more."""
        known = ErasedPeople(people, self._marks)
        for account_id in sorted({each for person in people for each in person.traces.accounts}):
            for search in await self._store.searches_in(account_id):
                texts = (search.name, *search.filters.values())
                if known.named_in(texts, account_id=account_id, at=search.created_at):
                    await self._store.delete_search(search)

    async def _tell(self, person: ErasedPerson) -> None:
        """Record the erasure in each log, once."""
        for tree in sorted(await self._store.counted_erased(person.user_id)):
            await self._journal.write(
                tree,
                partial(self._told, person, tree),
                caller=service_caller(Service.AUDIT),
                effective_everywhere=False,
            )

    async def _told(self, person: ErasedPerson, tree: str, write: JournalWrite) -> None:
        if records := await self._store.take_count(person.user_id, tree, write.session):
            write.record(erasure_fact(person, tree, records=records))


async def run_person_eraser(eraser: PersonEraser, office: Election) -> None:
    """Erase people while this process is elected. Never ends."""
    database = DatabaseWatch("Values of erased people are kept.", transactions=True)
    metrics.RECORDS_ERASED.labels(Service.AUDIT)
    while True:
        more = False
        with database.round():
            more = await office.won() and await eraser.round()
        await asyncio.sleep(0 if more else LOOK_SECONDS)
