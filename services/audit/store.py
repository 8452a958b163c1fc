"""How do records stand in MongoDB?

They are inserted and found, never changed or deleted. The fields that searches name stand at the
top level; `order` (time, sequence, id) is one field, so that a page is one range of one index.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo.errors import BulkWriteError

from services.audit.domain import Filters, Person, Record, moment_key
from shared.contracts.facts import Actor, Outcome, Position, RequestInfo, ResourceRef
from shared.mongo import AlreadyThere, Database, DbSession, Document, insert_once, majority

_DUPLICATE_KEY = 11000
_FIRST, _LAST = "", "~"  # before and after every `order`


class Records:
    """The collections `records`, `equivocations`, `people` and `readings`."""

    def __init__(self, database: Database) -> None:
        self._records = majority(database, "records")
        self._equivocations = majority(database, "equivocations")
        self._people = majority(database, "people")
        self._readings = majority(database, "readings")

    async def add(self, records: Sequence[Record], session: DbSession) -> None:
        """Insert records, all or none.

        Raises:
            AlreadyThere: there is one with an id of theirs; the transaction is over.
        """
        try:
            await self._records.insert_many(map(_document, records), session=session)
        except BulkWriteError as problem:
            faults = (problem.details or {}).get("writeErrors", ())
            if {fault["code"] for fault in faults} == {_DUPLICATE_KEY}:
                raise AlreadyThere(self._records.name) from problem
            raise

    async def find(self, account_id: str, event_id: str) -> Record | None:
        """One record of an account."""
        found = await self._records.find_one({"_id": event_id, "account_id": account_id})
        return None if found is None else _record(found)

    async def digest(self, event_id: str) -> str | None:
        """The digest of the row that was recorded under this id."""
        found = await self._records.find_one({"_id": event_id}, {"digest": 1})
        return None if found is None else str(found["digest"])

    async def search(
        self,
        account_id: str,
        filters: Filters,
        *,
        actors: Sequence[str] | None,
        after: str | None,
        limit: int,
    ) -> list[Record]:
        """Records of an account, newest first; `after` is the `order` of the last one seen.

        `actors` are the ids that `filters.user` stands for.
        """
        wanted = {"account_id": account_id, **_equal(filters), "order": _range(filters, after)}
        if actors is not None:
            wanted["actor_id"] = actors[0] if len(actors) == 1 else {"$in": list(actors)}
        found = self._records.find(wanted).sort("order", -1).limit(limit)
        return [_record(document) async for document in found]

    async def keep_aside(self, event_id: str, digest: str, event: str, *, now: datetime) -> None:
        """Keep a second row that claims the id of a recorded one."""
        await self._equivocations.update_one(
            {"_id": f"{event_id}.{digest}"},
            {"$setOnInsert": {"event_id": event_id, "event": event, "seen_at": now}},
            upsert=True,
        )

    async def call(self, person: Person) -> None:
        """Know a user's name and address, unless newer ones are known; safe to repeat."""
        name = {"name": person.name, "email": person.email.casefold(), "as_of": person.as_of}
        await self._people.update_one({"_id": person.user_id}, {"$setOnInsert": name}, upsert=True)
        await self._people.update_one(
            {"_id": person.user_id, "as_of": {"$lt": person.as_of}}, {"$set": name}
        )

    async def people(self, user_ids: Iterable[str]) -> dict[str, Person]:
        """The users that are known, by id."""
        found = self._people.find({"_id": {"$in": sorted(set(user_ids))}})
        return {
            person["_id"]: Person(
                user_id=person["_id"],
                name=person["name"],
                email=person["email"],
                as_of=person["as_of"],
            )
            async for person in found
        }

    async def with_address(self, email: str) -> list[str]:
        """The ids of the users with this address."""
        return [person["_id"] async for person in self._people.find({"email": email.casefold()})]

    async def note_reading(
        self, account_id: str, reader_id: str, *, minute: int, now: datetime, session: DbSession
    ) -> None:
        """Note that somebody reads in this minute.

        Raises:
            AlreadyThere: it was noted; the transaction is over.
        """
        note = {"_id": f"{account_id}.{reader_id}.{minute}", "at": now}
        await insert_once(self._readings, note, session)


def _equal(filters: Filters) -> Document:
    equal: Document = {
        "resource_type": filters.resource_type,
        "resource_id": filters.resource_id,
        "outcome": filters.outcome,
        "project_id": filters.project,
        "request_id": filters.request_id,
    }
    if filters.action is not None:
        equal |= _action(filters.action)
    return {field: value for field, value in equal.items() if value is not None}


def _action(wanted: str) -> Document:
    beginning = wanted.removesuffix("*")
    if not wanted.endswith(("*", ".")):
        return {"action": wanted}
    if beginning.find(".") == len(beginning) - 1:
        return {"noun": beginning}
    return {"action": {"$gte": beginning, "$lt": beginning + _LAST}}


def _range(filters: Filters, after: str | None) -> Document:
    since = moment_key(filters.since) if filters.since else _FIRST
    ends = [moment_key(filters.until)] if filters.until else []
    return {"$gte": since, "$lt": min([*ends, after or _LAST])}


def _document(record: Record) -> Document:
    return {
        "_id": record.id,
        "account_id": record.account_id,
        "order": record.order,
        "actor_id": record.actor.id,
        "action": record.action,
        "noun": record.noun,
        "resource_type": record.resource.type,
        "resource_id": record.resource.id,
        "resource_name": record.resource.name,
        "project_id": record.project_id,
        "outcome": record.outcome,
        "request_id": record.request.request_id,
        "account_rev": record.account_rev,
        "occurred_at": record.occurred_at,
        "recorded_at": record.recorded_at,
        "actor": record.actor.model_dump(),
        "request": record.request.model_dump(),
        # As text: their members are named by catalogs and people, not by us.
        "before": _text(record.before),
        "after": _text(record.after),
        "reason": record.reason,
        "change_id": record.change_id,
        "position": record.position._asdict(),
        "digest": record.digest,
    }


def _record(found: Document) -> Record:
    return Record(
        id=found["_id"],
        account_id=found["account_id"],
        account_rev=found["account_rev"],
        occurred_at=found["occurred_at"],
        recorded_at=found["recorded_at"],
        actor=Actor.model_validate(found["actor"]),
        action=found["action"],
        resource=ResourceRef(
            type=found["resource_type"], id=found["resource_id"], name=found["resource_name"]
        ),
        project_id=found["project_id"],
        outcome=Outcome(found["outcome"]),
        before=_parsed(found["before"]),
        after=_parsed(found["after"]),
        reason=found["reason"],
        request=RequestInfo.model_validate(found["request"]),
        position=Position(**found["position"]),
        change_id=found["change_id"],
        digest=found["digest"],
    )


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
