"""Committed rows that no service wrote, and the messages that carry them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from shared.contracts.calls.journal import HEADS, Heads
from shared.contracts.facts import GENESIS, Actor, RequestInfo, ResourceRef, Row, shard_of
from shared.ids import new_id
from shared.journal import rows
from tests.support.journal_keys import signed

if TYPE_CHECKING:
    from shared.bus import BusMessage
    from shared.contracts.calls.base import InternalCall
    from shared.contracts.facts import Payload

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
EPOCH = "e1"
_sequence = count(1)


def row_of(payload: Payload, **fields: Any) -> Row:
    """Make the row of a fact; every field can be set."""
    account_id = fields.get("account_id")
    defaults: dict[str, Any] = {
        "id": new_id("evt"),
        "type": payload.type,
        "source": payload.type.partition(".")[0],
        "epoch": EPOCH,
        "shard": shard_of(account_id or "usr"),
        "seq": next(_sequence),
        "previous": GENESIS,
        "change_id": new_id("chg"),
        "part": 1,
        "parts": 1,
        "occurred_at": NOON,
        "account_id": account_id,
        "resource": ResourceRef(type="member", id="usr_1", name="Bo Li"),
        "actor": Actor(type="user", id="usr_ana", name="Ana Díaz", email="ana@example.com"),
        "request": RequestInfo(request_id="req-1", ip="203.0.113.9", user_agent="tests"),
        "data": payload.model_dump(mode="json"),
    }
    return Row(**(defaults | fields))


def on_the_bus(row: Row) -> BusMessage:
    """The message in which the bus carries the row, signed by its source."""
    return rows.message(signed(row))


class QuietSources:
    """Sources that tell the epoch of these rows, and have no heads: nothing is fetched."""

    async def call(self, call: InternalCall[Any, Any], callee: str) -> Heads:
        assert call is HEADS
        return Heads(source=callee, epoch=EPOCH, heads={}, digests={})
