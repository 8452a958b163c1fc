"""Write frozen dataclasses as documents, and read them back.

A row's field `id` is the document's `_id`. Enumerations are stored as their values, tuples as
lists.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from shared.mongo import Document

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)
else:
    T = TypeVar("T")


def document(row: "DataclassInstance", **extra: Any) -> Document:
    """Return the document of a row; `extra` are the fields that only the store needs."""
    values = {name: _plain(getattr(row, name)) for name in _names(type(row))}
    if "id" in values:
        values = {"_id": values.pop("id"), **values}
    return {**values, **extra}


def changes(row: "DataclassInstance", **extra: Any) -> Document:
    """Return the same without the `_id`, which an update must not name."""
    values = document(row, **extra)
    values.pop("_id", None)
    return values


def read(cls: type[T], stored: Document) -> T:
    """Return the row that `document` wrote; a field that is not stored has its default."""
    stored = {**stored, "id": stored["_id"]}
    enums = _enums(cls)
    return cls(
        **{
            field.name: _value(stored[field.name], enums.get(field.name))
            for field in fields(cls)
            if field.name in stored
        }
    )


@cache
def _enums(cls: type) -> dict[str, type[Enum]]:
    return {
        name: hint
        for name, hint in get_type_hints(cls).items()
        if isinstance(hint, type) and issubclass(hint, Enum)
    }


def _value(stored: Any, enum: type[Enum] | None) -> Any:
    if isinstance(stored, list):
        return tuple(stored)
    return stored if enum is None or stored is None else enum(stored)


@cache
def _names(cls: type["DataclassInstance"]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in _names(type(value))}
    return value
