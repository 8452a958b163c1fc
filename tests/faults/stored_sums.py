"""A comparison of the deliveries of webhooks, and of the sums of usage, with all rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from pymongo.database import Database

from services.audit.domain.records import record_of
from services.audit.domain.usage_sums import UsageKey, sums_of
from services.notification.domain.public_events import is_public
from shared.contracts.facts import Row
from tests.faults.team_scenario import TOLD, Acknowledged

Documents = Database[dict[str, Any]]
Rows = Mapping[str, Sequence[Row]]
Total = tuple[int, Decimal]
"""The activity and the quantity of a sum."""


def webhook_faults(
    database: Documents, rows: Rows, acknowledged: Acknowledged, received: list[str]
) -> list[str]:
    """Find events that have no delivery, or that were not received; each webhook is of one team.

    What happened before a webhook was made may come, too: notification had not applied it.
    """
    webhooks = {one["_id"]: one for one in database["webhooks"].find({})}
    deliveries = list(database["deliveries"].find({}))
    made = {one["account_id"]: one["created_at"] for one in webhooks.values()}
    due = {
        row.id
        for each in rows.values()
        for row in each
        if is_public(row)
        and row.account_id in made
        and row.occurred_at > made[row.account_id]
        and row.action.startswith(f"{TOLD}.")
    }
    return [
        *difference("webhooks acknowledged", acknowledged.webhooks, "stored", webhooks),
        *(f"no delivery of {one}" for one in due - {each["event_id"] for each in deliveries}),
        *(
            f"{each['_id']} is {each['status']}"
            for each in deliveries
            if each["status"] != "delivered"
        ),
        *difference(
            "deliveries", [each["event_id"] for each in deliveries], "events received", received
        ),
    ]


def usage_faults(database: Documents, rows: Rows, acknowledged: Acknowledged) -> list[str]:
    """Find sums that differ from a recount of all rows, and reports that were not counted once."""
    now = datetime.now(UTC)
    counted = sums_of(
        (row, record_of(row, recorded_at=now)) for each in rows.values() for row in each
    )
    wanted = {key: (one.activity, one.quantity) for key, one in counted.items()}
    stored = _stored_sums(database)
    hours = Counter(
        {(key.account_id, key.member): int(used) for key, (_, used) in stored.items() if key.unit}
    )
    return [
        *difference("sums of a recount", wanted.items(), "sums stored", stored.items()),
        *difference("hours reported", acknowledged.usage.items(), "hours stored", hours.items()),
    ]


def _stored_sums(database: Documents) -> dict[UsageKey, Total]:
    found: dict[UsageKey, Total] = {}
    added = (one for document in database["usage_added"].find({}) for one in document["sums"])
    for one in (*database["usage"].find({}), *added):
        key = UsageKey(*(one[name] for name in UsageKey._fields))
        activity, quantity = found.get(key, (0, Decimal(0)))
        more = one.get("quantity", Decimal128("0")).to_decimal()
        found[key] = activity + one["activity"], quantity + more
    return found


def difference(left: str, these: Iterable[Any], right: str, those: Iterable[Any]) -> list[str]:
    """What stands on one side only."""
    these, those = set(these), set(those)
    return [
        *(f"{left}, not {right}: {one}" for one in sorted(these - those, key=str)),
        *(f"{right}, not {left}: {one}" for one in sorted(those - these, key=str)),
    ]
