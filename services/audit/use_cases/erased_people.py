"""The people who were erased, as a process that records rows knows them."""

from collections.abc import Sequence
from datetime import datetime

from services.audit.domain.erased_people import (
    ErasedPeople,
    ErasedPerson,
    PersonMarks,
    Traces,
    traces_of,
)
from services.audit.domain.erasures import without
from services.audit.domain.records import Record
from services.audit.store import Store
from shared.contracts.facts import Row
from shared.contracts.identity_erasure import UserErased
from shared.mongo import DbClient, DbSession, transact


class Erasing:
    """Notes who is erased, and erases their values in records that come later."""

    def __init__(self, client: DbClient, store: Store, marks: PersonMarks) -> None:
        self._client = client
        self._store = store
        self._marks = marks
        self._version = 0
        self._people = ErasedPeople((), marks)

    async def note(self, user: UserErased, row: Row, *, now: datetime) -> None:
        """Forget a user's name and address, and have their values in records erased.

        Safe to repeat: an erasure that is told again is done again.
        """

        async def change(session: DbSession) -> None:
            known = await self._store.forget_user(user.user_id, session)
            earlier = await self._store.erased_person(user.user_id, session)
            if earlier is not None and known is None and earlier.at >= row.occurred_at:
                return
            person = ErasedPerson(
                user_id=user.user_id,
                home=user.account_id,
                # A repeat counts from the first time: since then the address may be another's.
                at=row.occurred_at if earlier is None else min(earlier.at, row.occurred_at),
                traces=Traces() if known is None else traces_of(known, self._marks),
            )
            await self._store.note_erasure(person, now=now, session=session)

        await transact(self._client, change)

    async def erased(
        self, records: Sequence[Record], session: DbSession, *, now: datetime
    ) -> list[Record]:
        """The records without the values of erased people.

        Whom the transaction can see erased is erased in it. The search for values waits until
        every transaction has ended that could not see it.
        """
        version = await self._store.erasure_version(session)
        if version != self._version:
            self._people.update(await self._store.erased_after(self._version, session))
            self._version = version
        erased: list[Record] = []
        for record in records:
            found = self._people.found_in(record)
            named = {each: of for each, of in found.learned.items() if of.addresses or of.names}
            if named:
                await self._store.add_traces(named, session, reopened=now)
            erased.append(without(record, found.paths))
        return erased
