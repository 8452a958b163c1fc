"""The leaf of a record: as `rolecall.audit.sealed` defines it, in a third of the time.

It reads the record instead of its form. Members of the leaf are written in the order in which they
stand in their class, and commitments sorted by the bytes of their names. For names of ASCII and
without fractions that is RFC 8785.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from rolecall.audit.canonical import canonical
from rolecall.audit.sealed import SALT_BYTES
from services.audit.domain.records import Record
from services.audit.domain.sealed_records import Seal

_encode = msgspec.json.Encoder(order="deterministic").encode


class LeafPart(msgspec.Struct, omit_defaults=True, gc=False):
    """An object in the leaf: its members are sorted by their names, and none of them is null."""


class LeafActor(LeafPart, kw_only=True):
    """The actor, without personal values."""

    id: str
    on_behalf_of: str | None = None
    session_id: str | None = None
    token_id: str | None = None
    type: str
    via: str | None = None


class LeafPosition(LeafPart, kw_only=True):
    """The place in the journal."""

    epoch: str
    seq: int
    shard: int
    source: str


class LeafResource(LeafPart, kw_only=True):
    """The resource, without its name."""

    id: str
    type: str


class LeafRecord(LeafPart, kw_only=True):
    """The record, as far as it is in the leaf as it is; of `before` and `after` that they exist."""

    account_id: str | None = None
    account_rev: int | None = None
    action: str
    actor: LeafActor
    after: dict[str, str] | None = None
    before: dict[str, str] | None = None
    change_id: str
    id: str
    occurred_at: str
    outcome: str
    position: LeafPosition
    project_id: str | None = None
    recorded_at: str
    reported_by: str | None = None
    request_id: str
    resource: LeafResource
    trace_id: str | None = None


class Leaf(LeafPart, kw_only=True):
    """What is hashed."""

    commitments: dict[str, str]
    record: LeafRecord


def sealed(
    record: Record, tree: str, index: int, random_bytes: Callable[[int], bytes]
) -> tuple[Seal, bytes]:
    """The seal of a record at a place of its tree, with new salts, and the hash of its leaf."""
    values = _personal_values(record)
    randomness = random_bytes(SALT_BYTES * len(values))
    salts: dict[str, bytes] = {}
    committed: dict[str, str] = {}
    at = 0
    for path, value in values.items():
        salts[path] = salt = randomness[at : (at := at + SALT_BYTES)]
        text = _encode(value) if type(value) is str else canonical(value)
        committed[path] = sha256(salt + text).hexdigest()
    leaf = Leaf(commitments=committed, record=_plain(record))
    write = _encode if "".join(values).isascii() else _sorted
    seal = Seal(event_id=record.id, tree=tree, index=index, salts=salts)
    return seal, sha256(b"\x00" + write(leaf)).digest()


def _sorted(leaf: Leaf) -> bytes:
    return canonical(msgspec.to_builtins(leaf))


def _personal_values(record: Record) -> dict[str, Any]:
    actor, request = record.actor, record.request
    found: dict[str, Any] = {}
    if actor.name is not None:
        found["actor.name"] = actor.name
    if actor.email is not None:
        found["actor.email"] = actor.email
    if record.resource.name is not None:
        found["resource.name"] = record.resource.name
    if request.ip is not None:
        found["ip"] = request.ip
    if request.user_agent is not None:
        found["user_agent"] = request.user_agent
    if record.reason is not None:
        found["reason"] = record.reason
    for name, members in (("before.", record.before), ("after.", record.after)):
        if members:
            for member, value in members.items():
                found[name + member] = value
    return found


def _plain(record: Record) -> LeafRecord:
    actor, position, request = record.actor, record.position, record.request
    return LeafRecord(
        account_id=record.account_id,
        account_rev=record.account_rev,
        action=record.action,
        actor=LeafActor(
            id=actor.id,
            on_behalf_of=actor.on_behalf_of,
            session_id=actor.session_id,
            token_id=actor.token_id,
            type=actor.type,
            via=actor.via,
        ),
        after=None if record.after is None else {},
        before=None if record.before is None else {},
        change_id=record.change_id,
        id=record.id,
        occurred_at=_time(record.occurred_at),
        outcome=record.outcome,
        position=LeafPosition(
            epoch=position.epoch, seq=position.seq, shard=position.shard, source=position.source
        ),
        project_id=record.project_id,
        recorded_at=_time(record.recorded_at),
        reported_by=record.reported_by,
        request_id=request.request_id,
        resource=LeafResource(id=record.resource.id, type=record.resource.type),
        trace_id=request.trace_id,
    )


def _time(moment: datetime) -> str:
    """Write a moment in UTC as `content_time` does."""
    return _encode(moment)[1:20].decode() + _MILLISECONDS[moment.microsecond // 1000]


_MILLISECONDS = [f".{each:03}Z" for each in range(1000)]
