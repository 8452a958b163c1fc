"""Records in MongoDB: inserted and found, never changed or deleted.

The fields that a search filters by stand at the top level. `order` (time, sequence, id) is one
field, so a page is one range of one index.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.audit.domain.records import Filters, Record, action_filter, moment_key
from shared.contracts.facts import Actor, Outcome, Position, RequestInfo, ResourceRef
from shared.mongo import Database, DbSession, Document, insert_all_once, majority

_FIRST, _LAST = "", "~"  # they sort before and after every `order` and every action


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
        await insert_all_once(self._records, map(_document, records), session)

    async def find(self, account_id: str, event_id: str) -> Record | None:
        """The record of an account, or `None`."""
        found = await self._records.find_one({"_id": event_id, "account_id": account_id})
        return None if found is None else _record(found)

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
        return [_record(document) async for document in found]

    async def search(
        self,
        account_id: str,
        filters: Filters,
        *,
        actor_ids: Sequence[str] | None,
        after: str | None,
        limit: int,
    ) -> list[Record]:
        """Records of an account, newest first; `after` is the `order` of the last record seen.

        `actor_ids` are the ids that `filters.user` stands for; `None` does not filter.
        """
        wanted = {"account_id": account_id, **_equal(filters), "order": _range(filters, after)}
        if actor_ids is not None:
            only_one = len(actor_ids) == 1
            wanted["actor_id"] = actor_ids[0] if only_one else {"$in": list(actor_ids)}
        found = self._records.find(wanted).sort("order", -1).limit(limit)
        return [_record(document) async for document in found]

    async def add_equivocation(
        self, event_id: str, digest: str, event: str, *, now: datetime
    ) -> None:
        """Keep a second, different row with the id of a recorded one; safe to repeat."""
        await self._equivocations.update_one(
            {"_id": f"{event_id}.{digest}"},
            {"$setOnInsert": {"event_id": event_id, "event": event, "seen_at": now}},
            upsert=True,
        )


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


def _action(text: str) -> Document:
    wanted = action_filter(text)
    if wanted.exact is not None:
        return {"action": wanted.exact}
    if wanted.noun is not None:
        return {"noun": wanted.noun}
    prefix = wanted.prefix or ""
    return {"action": {"$gte": prefix, "$lt": prefix + _LAST}}


def _range(filters: Filters, after: str | None) -> Document:
    since = moment_key(filters.since) if filters.since else _FIRST
    ends = [moment_key(filters.until)] if filters.until else []
    return {"$gte": since, "$lt": min([*ends, after or _LAST])}


def _document(record: Record) -> Document:
    return {
        "_id": record.id,
        "account_id": record.account_id,
        "order": record.order,
        "actor_id": _acting_ids(record.actor),
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
        # As text: catalogs and users name their members, and the database restricts names.
        "before": _text(record.before),
        "after": _text(record.after),
        "reason": record.reason,
        "change_id": record.change_id,
        "position": record.position._asdict(),
        "digest": record.digest,
        "reported_by": record.reported_by,
    }


def _acting_ids(actor: Actor) -> str | list[str]:
    """The ids by which a search finds the actor: a user, too, for whom a service acted (Ci14)."""
    return actor.id if actor.on_behalf_of is None else [actor.id, actor.on_behalf_of]


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
        reported_by=found.get("reported_by"),
    )


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
