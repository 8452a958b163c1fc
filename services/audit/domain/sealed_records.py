"""Records in the form in which they are sealed and exported, and their places in the trees."""

from collections.abc import Mapping
from typing import Any

import msgspec

from rolecall.audit.sealed import encoded
from services.audit.domain.records import Record
from shared.contracts.facts import content_time

PLATFORM = "platform"
"""The tree of the records without an account."""

Form = dict[str, Any]


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a record in its tree, with what its leaf is computed from besides the record."""

    event_id: str
    tree: str
    index: int
    salts: Mapping[str, bytes]
    erased: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The commitments to values that were erased with their salts."""


def tree_of(record: Record) -> str:
    """The name of the tree that a record belongs to: its account's id."""
    return record.account_id or PLATFORM


def account_of(tree: str) -> str | None:
    """The account whose records a tree has; `None` for the records without an account."""
    return None if tree == PLATFORM else tree


def sealed_form(record: Record) -> Form:
    """The record as it is sealed: all that is stored, and no name that a reader adds later."""
    return {
        "id": record.id,
        "account_id": record.account_id,
        "account_rev": record.account_rev,
        "occurred_at": content_time(record.occurred_at),
        "recorded_at": content_time(record.recorded_at),
        "actor": record.actor.model_dump(mode="json"),
        "action": record.action,
        "resource": record.resource.model_dump(mode="json"),
        "project_id": record.project_id,
        "outcome": record.outcome.value,
        "before": None if record.before is None else dict(record.before),
        "after": None if record.after is None else dict(record.after),
        "reason": record.reason,
        "request_id": record.request.request_id,
        "trace_id": record.request.trace_id,
        "ip": record.request.ip,
        "user_agent": record.request.user_agent,
        "reported_by": record.reported_by,
        "change_id": record.change_id,
        "position": record.position._asdict(),
    }


def export_line(form: Form, seal: Seal, path: list[bytes]) -> Form:
    """A record with its seal, as `rolecall audit verify` reads it."""
    return {**form, "seal": shown_seal(seal, path=path)}


def shown_seal(seal: Seal, **way: list[bytes]) -> Form:
    """A seal in an export; `way` has the hashes beside the way of the leaf, under their name."""
    told: Form = {
        "index": seal.index,
        "salts": {name: encoded(salt) for name, salt in seal.salts.items()},
        **{name: list(map(encoded, hashes)) for name, hashes in way.items()},
    }
    if seal.erased:
        told["erased"] = dict(seal.erased)
    return told
