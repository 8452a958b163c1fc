"""Write frozen dataclasses as documents, and read them back.

Every document carries its account. Policy documents also carry `rev`, the sequence of the change
that gave them their state, and `slice` and `key`, by which the snapshot pages through them.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from shared.contracts.facts import shard_of
from shared.mongo import Document

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)
else:
    T = TypeVar("T")

SLICES = 16
"""The snapshot reads one slice of a collection at a time: that keeps each query's matches few."""


def document(row: "DataclassInstance", **extra: Any) -> Document:
    """The document of a row; `extra` has `_id` and what only the store needs."""
    return {**_plain(asdict(row)), **extra}


def policy_document(row: "DataclassInstance", *, key: str, account_id: str, rev: int) -> Document:
    """The document of a row that authz knows, with the revision of this state."""
    return document(row, _id=key, key=key, slice=shard_of(account_id) % SLICES, rev=rev)


def read(cls: type[T], stored: Document) -> T:
    """The row that `document` wrote."""
    enums = _enums(cls)
    values = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
    for name, enum in enums.items():
        if values.get(name) is not None:
            values[name] = enum(values[name])
    return cls(**values)


@cache
def _enums(cls: type) -> dict[str, type[Enum]]:
    return {
        name: hint
        for name, hint in get_type_hints(cls).items()
        if isinstance(hint, type) and issubclass(hint, Enum)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
