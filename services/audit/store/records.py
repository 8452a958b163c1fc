"""Records in MongoDB: inserted and found. Only erasure changes one, and only retention deletes.

A search finds records by a field or by one of their terms. `order` (time, sequence, id) is one
field, so a page is one range of one index.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.audit.domain.records import Record, Span
from services.audit.domain.search_terms import Lookup, terms_of
from shared.contracts.facts import Actor, Outcome, Position, RequestInfo, ResourceRef
from shared.mongo import Database, DbSession, Document, insert_all_once, majority

INDEXES = {
    "terms": "by_terms",
    "action": "by_action",
    "actor.on_behalf_of": "by_on_behalf_of",
    "": "by_time",
}
"""The index of each range that a search can choose, by the field of its lookup.

It is named to the database: MongoDB keeps one plan for all searches of one form, so after a search
for a common value it would look for a rare one in the whole log.
"""

BY_POSITION = "by_position"
"""The index of the order in which records are sealed."""


class RecordRows:
    """The records, and the equivocations: a second row with the id of a recorded one."""

    def __init__(self, database: Database) -> None:
        self._records = majority(database, "records")
        self._equivocations = majority(database, "equivocations")

    async def add(self, records: Sequence[Record], session: DbSession) -> None:
        """Insert records, all or none.

        Raises:
            AlreadyThere: a record with one of the ids exists; the transaction has ended.
        """
        await insert_all_once(self._records, map(document_of, records), session)

    async def find(self, account_id: str, event_id: str) -> Record | None:
        """The record of an account, or `None`."""
        found = await self._records.find_one({"_id": event_id, "account_id": account_id})
        return None if found is None else record_in(found)

    async def with_ids(self, account_id: str | None, event_ids: Sequence[str]) -> dict[str, Record]:
        """Those of an account's records that exist, or of those without an account, by id."""
        wanted = {"_id": {"$in": list(event_ids)}, "account_id": account_id}
        return {found["_id"]: record_in(found) async for found in self._records.find(wanted)}

    async def digest(self, event_id: str) -> str | None:
        """The digest of the row that was recorded under this id, or `None`."""
        found = await self._records.find_one({"_id": event_id}, {"digest": 1})
        return None if found is None else str(found["digest"])

    async def epochs(self, source: str) -> list[str]:
        """The epochs of a source of which there are records."""
        found: list[str] = []
        last = ""
        while True:
            later = {"position.source": source, "position.epoch": {"$gt": last}}
            one = self._records.find(later, {"position.epoch": 1})
            page = await one.sort("position.epoch", 1).limit(1).to_list(1)
            if not page:
                return found
            last = page[0]["position"]["epoch"]
            found.append(last)

    async def recorded_between(
        self, after: Position, end: int, *, limit: int, session: DbSession
    ) -> list[Record]:
        """Records of a shard after a place, up to the row `end`, in the order of their rows."""
        wanted = {
            "position.source": after.source,
            "position.epoch": after.epoch,
            "position.shard": after.shard,
            "position.seq": {"$gt": after.seq, "$lte": end},
        }
        found = self._records.find(wanted, session=session).sort("position.seq", 1).limit(limit)
        return [record_in(document) async for document in found.hint(BY_POSITION)]

    async def search(
        self,
        account_id: str,
        lookups: Sequence[Lookup],
        span: Span,
        *,
        limit: int,
        oldest_first: bool = False,
    ) -> list[Record]:
        """The records of an account within `span` that any of the lookups takes, newest first."""
        pages = [
            await self._page(account_id, each, span, limit=limit, oldest_first=oldest_first)
            for each in lookups
        ]
        found = {document["order"]: document for page in pages for document in page}
        orders = sorted(found, reverse=not oldest_first)[:limit]
        return [record_in(found[order]) for order in orders]

    async def _page(
        self, account_id: str, wanted: Lookup, span: Span, *, limit: int, oldest_first: bool
    ) -> list[Document]:
        found = self._records.find(query_of(account_id, wanted, span))
        page = found.sort("order", 1 if oldest_first else -1).limit(limit)
        return [document async for document in page.hint(INDEXES[wanted.field])]

    async def count(
        self, account_id: str, lookups: Sequence[Lookup], span: Span, *, limit: int
    ) -> int:
        """About how many records the lookups take, `limit` at most."""
        counted = [
            await self._records.count_documents(query_of(account_id, each, span), limit=limit)
            for each in lookups
        ]
        return min(sum(counted), limit)

    async def actions(self, account_id: str) -> list[str]:
        """Every action that the account's log has."""
        return await self._distinct(account_id, "action")

    async def deleted_projects(self, account_id: str, project_ids: Sequence[str]) -> set[str]:
        """Those of the projects of which the log tells that the account has deleted them."""
        wanted = {
            "account_id": account_id,
            "terms": {"$in": [f"resource_id={each}" for each in project_ids]},
            "action": "project.deleted",
            "reported_by": None,
        }
        found = self._records.find(wanted, {"resource_id": 1})
        return {record["resource_id"] async for record in found}

    async def user_ids(self, account_id: str) -> set[str]:
        """The ids of all who have acted in the account, or for whom a service has."""
        actors = await self._distinct(account_id, "actor_id")
        return {*actors, *await self._distinct(account_id, "actor.on_behalf_of")}

    async def _distinct(self, account_id: str, field: str) -> list[str]:
        wanted = {"account_id": account_id, field: {"$gt": ""}}
        return [str(each) for each in await self._records.distinct(field, wanted)]

    async def add_equivocation(
        self, event_id: str, digest: str, event: str, *, now: datetime
    ) -> None:
        """Keep a second, different row with the id of a recorded one; safe to repeat."""
        await self._equivocations.update_one(
            {"_id": f"{event_id}.{digest}"},
            {"$setOnInsert": {"event_id": event_id, "event": event, "seen_at": now}},
            upsert=True,
        )


def query_of(account_id: str, wanted: Lookup, span: Span) -> Document:
    """Return the filter that finds these records of an account."""
    query: Document = {"account_id": account_id, "order": {"$gte": span.first, "$lt": span.end}}
    if wanted.values:
        query[wanted.field] = _one_of(wanted.values)
    query |= {field: _one_of(values) for field, values in wanted.fields.items()}
    if wanted.terms:
        query["$and"] = [{"terms": _one_of(terms)} for terms in wanted.terms]
    return query


def _one_of(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": list(values)}


def document_of(record: Record) -> Document:
    """Return the document of a record."""
    return {
        "_id": record.id,
        "account_id": record.account_id,
        "order": record.order,
        "actor_id": record.actor.id,
        "action": record.action,
        "noun": record.noun,
        "terms": terms_of(record),
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
        # As text: catalogs and users name their members, and the database restricts names.
        "before": _text(record.before),
        "after": _text(record.after),
        "reason": record.reason,
        "change_id": record.change_id,
        "position": record.position._asdict(),
        "digest": record.digest,
        "reported_by": record.reported_by,
        "erased": list(record.erased),
    }


def record_in(found: Document) -> Record:
    """Return the record that a document holds."""
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
        reported_by=found.get("reported_by"),
        erased=tuple(found.get("erased", ())),
    )


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _parsed(text: str | None) -> Any:
    return None if text is None else _read(text)


_read = json.JSONDecoder(parse_constant=str).decode
"""A number that is not finite is read as its name: it has no canonical form, and JSON lacks it."""
