"""Erasures: the scan for the values of erased people, and records and seals without them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from rolecall.audit.sealed import commitment, personal_values
from services.audit.domain.erased_people import ErasedPerson
from services.audit.domain.records import Record
from services.audit.domain.sealed_records import PLATFORM, Seal, sealed_form
from shared.contracts.audit_erasure import RecordsErased
from shared.contracts.facts import Fact, ResourceRef

SETTLING = timedelta(minutes=2)
"""Between an erasure and the search for values: transactions that began before have ended."""
MARKS_KEPT = timedelta(days=90)
"""How long the marks of a person are kept: facts that come later are erased by the id only."""


@dataclass(frozen=True, kw_only=True)
class ErasureScan:
    """A scan of all records for the values of some people, as far as it is."""

    people: tuple[str, ...]
    begun: datetime
    after: str | None = ""
    """The id of the last record that was looked at; `None` at the end."""
    waiting: tuple[str, ...] = ()
    """Records with such values that have no seal yet. A seal must not be made of what is erased at
    the same moment."""
    learning: bool = True
    """Whether it only looks for traces. Values are erased when none are new, each record once."""
    learned: bool = False
    """Whether traces were found: then all records are looked at again."""
    changes: int = 0


def without(record: Record, paths: Collection[str]) -> Record:
    """The record without the values at these paths. Its digest would tell them, and goes, too."""
    if not paths:
        return record
    had = personal_values(sealed_form(record)).keys() & set(paths)
    if not had:
        return record
    actor: Mapping[str, None] = {name: None for name in ("name", "email") if f"actor.{name}" in had}
    request: Mapping[str, None] = {name: None for name in ("ip", "user_agent") if name in had}
    resource = {"name": None} if "resource.name" in had else {}
    return replace(
        record,
        actor=record.actor.model_copy(update=actor),
        request=record.request.model_copy(update=request),
        resource=record.resource.model_copy(update=resource),
        before=_without(record.before, "before", had),
        after=_without(record.after, "after", had),
        reason=None if "reason" in had else record.reason,
        digest="",
        erased=tuple(sorted({*record.erased, *had})),
    )


def _without(
    members: Mapping[str, Any] | None, outer: str, paths: Collection[str]
) -> Mapping[str, Any] | None:
    if members is None:
        return None
    return {name: value for name, value in members.items() if f"{outer}.{name}" not in paths}


def erased_seal(record: Record, seal: Seal, paths: Collection[str]) -> Seal:
    """The seal of a record without the values at these paths: commitments instead of salts."""
    values = personal_values(sealed_form(record))
    gone = {path: commitment(seal.salts[path], values[path]) for path in values.keys() & set(paths)}
    salts = {path: salt for path, salt in seal.salts.items() if path not in gone}
    return structs.replace(seal, salts=salts, erased={**seal.erased, **gone})


def as_sealed(record: Record, seal: Seal) -> Record:
    """The record as its seal has it, if the seal was read later: values were erased meanwhile."""
    return without(record, seal.erased) if seal.erased else record


def erasure_fact(person: ErasedPerson, tree: str, *, records: int) -> Fact:
    """Record in a log that values of a person were erased in it."""
    return Fact(
        payload=RecordsErased(user_id=person.user_id, records=records),
        resource=ResourceRef(type="user", id=person.user_id),
        account_id=None if tree == PLATFORM else tree,
        after={"records": records},
    )
